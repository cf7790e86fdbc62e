"""Limits of bodies, over real sockets."""

from __future__ import annotations

import asyncio
import json

import pytest
from tests.server.demo import ENDPOINTS, Gate
from tests.server.middleware.wire import connected
from tests.server.serving import serving

HEAD = b"POST /api/v1/things/echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
LIMIT = 65_536
"""Bytes: the least that an operator can set."""

CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"


@pytest.fixture
async def running():
    async with serving(endpoints=ENDPOINTS, body_limit=LIMIT) as running:
        yield running


@pytest.fixture
async def hasty():
    """A server that waits for no body."""
    async with serving(endpoints=ENDPOINTS, body_timeout=0.2) as running:
        yield running


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


class TestTooLarge:
    """413."""

    async def test_declared(self, running):
        """A body that says it is too large is refused before any of it is read, and the connection ends."""
        async with connected(running) as wire:
            await wire.send(HEAD + b"content-length: %d\r\n\r\n" % (LIMIT + 1))
            status, headers, body = await wire.answer()

        assert (413, "close") == (status, headers["connection"])
        assert {"limit": LIMIT} == json.loads(body)["error"]["details"]
        assert 1 == sum(name == "x-request-id" for name in headers)

    async def test_declared_and_sent(self, running):
        """A client that has sent all of it before it reads gets the answer and no reset."""
        async with connected(running) as wire:
            await wire.send(HEAD + b"content-length: %d\r\n\r\n" % (5 * LIMIT) + b"x" * (5 * LIMIT))
            status, _, body = await wire.answer()

            assert (413, "body_too_large") == (status, json.loads(body)["errors"][0]["error_code"])
            assert b"" == await wire.rest()

    async def test_chunked(self, running):
        """A body that comes piece by piece without saying its size is cut off where it becomes too large."""
        async with connected(running) as wire:
            await wire.send(CHUNKED, *[chunk(b" " * 20_000)] * 5, b"0\r\n\r\n")
            status, headers, _ = await wire.answer()

            assert (413, "close") == (status, headers["connection"])
            assert b"" == await wire.rest()

    async def test_largest(self, running):
        """A body of just the limit passes, whole or in pieces, and the connection is kept."""
        body = json.dumps({"name": "A thing"}).encode().ljust(LIMIT)
        async with connected(running) as wire:
            await wire.send(HEAD + b"content-length: %d\r\n\r\n" % LIMIT + body)
            whole = await wire.answer()
            await wire.send(CHUNKED, chunk(body[:20_000]), chunk(body[20_000:]), b"0\r\n\r\n")
            pieces = await wire.answer()

        assert (200, 200) == (whole[0], pieces[0])


class TestTooSlow:
    """408."""

    async def test_stalled(self, hasty):
        """A body that does not go on is given up, and the connection ends."""
        async with connected(hasty) as wire:
            await wire.send(HEAD + b'content-length: 20\r\n\r\n{"name":')
            status, headers, body = await wire.answer()

            assert (408, "close") == (status, headers["connection"])
            assert "body_too_slow" == json.loads(body)["errors"][0]["error_code"]
            assert b"" == await wire.rest()

    async def test_trickling(self, hasty):
        """Sending a little now and then does not win time: the limit is for the whole body."""
        async with connected(hasty) as wire:
            await wire.send(CHUNKED)
            answer = asyncio.create_task(wire.answer())
            while not answer.done():
                await wire.send(chunk(b" "))
                await hasty.http.get("/openapi.json")
            status, _, _ = await answer

        assert 408 == status


async def test_unread():
    """What nobody reads of a body piece by piece does not keep the connection."""
    async with serving(endpoints=Gate().endpoints()) as running, connected(running) as wire:
        await wire.send(b"POST /api/v1/gate HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n", chunk(b"a"))
        status, headers, _ = await wire.answer()

        assert (405, "close") == (status, headers["connection"])
