"""The time of a whole request."""

from __future__ import annotations

import pytest
from tests.server.demo import Gate
from tests.server.middleware.wire import connected
from tests.server.serving import serving

SHORT = {"request_timeout": 1.0, "execute_timeout": 0.5}
"""Seconds: the least that an operator can set."""


@pytest.fixture
async def gate():
    gate = Gate()
    yield gate
    gate.open.set()


async def test_too_long(gate):
    """A request that takes too long is 504, and what worked on it is cancelled."""
    async with serving(endpoints=gate.endpoints(), **SHORT) as running:
        answer = await running.http.get("/api/v1/gate")

        assert (504, "deadline_exceeded") == (answer.status_code, answer.json()["error"]["code"])
        assert 0 == running.server.drain.running


async def test_stream(gate):
    """A download that has begun may take longer than a request may."""
    async with (
        serving(endpoints=gate.endpoints(), **SHORT) as running,
        running.http.stream("GET", "/api/v1/stream") as answer,
    ):
        pieces = answer.aiter_raw()
        assert b"first" == await anext(pieces)
        # A request of the same server that runs into its end takes just the time that the download may be beyond.
        assert 504 == (await running.http.get("/api/v1/gate")).status_code
        gate.open.set()
        assert b"second" == b"".join([piece async for piece in pieces])


async def test_stalled_reader():
    """A reader that takes nothing loses the connection after the time of a request."""
    from collections.abc import AsyncIterator

    from starlette.responses import StreamingResponse

    from plugbay.server.endpoint import Call, endpoint

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_536

    @endpoint("GET", "/api/v1/endless", summary="Stream", auth="none", streams=True)
    async def stream(_call: Call):
        return StreamingResponse(endless())

    async with serving(endpoints=[stream], **SHORT) as running, connected(running) as wire:
        await wire.send(b"GET /api/v1/endless HTTP/1.1\r\nhost: a\r\n\r\n")
        status, _ = await wire.head()
        assert 200 == status
        while running.server.drain.running:
            await running.http.get("/openapi.json")
        assert not (await wire.rest()).endswith(b"0\r\n\r\n")
