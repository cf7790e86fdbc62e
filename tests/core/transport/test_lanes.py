"""Many connections at once: no more than were allowed, no fewer than are useful, and none kept for nothing."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from plugbay.transport import Limits, Request
from plugbay.transport.lanes import LANE, Lanes

GET = Request("GET", "/tickets", repeatable=True)
ANSWER = "HTTP/1.1 200 OK\ncontent-length: 2\n\n{}"


class Crowd:
    """A server that answers when enough requests are there, and counts its connections."""

    def __init__(self, together):
        self.together = together
        self.waiting = 0
        self.connections = 0
        self.enough = asyncio.Event()

    async def talk(self, connection):
        self.connections += 1
        while await connection.request():
            self.waiting += 1
            if self.waiting >= self.together:
                self.enough.set()
            await self.enough.wait()
            await connection.send(ANSWER)


@pytest.mark.parametrize("together", [1, LANE, LANE + 1, 4 * LANE])
async def test_calls_at_once_have_a_connection_each(transport, serve, together):
    """As many calls as connections are allowed are all under way at once."""
    crowd = Crowd(together)
    client = transport(base_url=await serve(crowd.talk), limits=Limits(connections=together), timeout=20)
    await asyncio.gather(*(client.send(GET) for _ in range(together)))
    assert together == crowd.connections


@pytest.mark.parametrize("allowed", [1, LANE - 1, LANE + 1, 2 * LANE])
async def test_no_more_connections_than_allowed(transport, serve, allowed):
    """Further calls wait for one of the connections, and are all answered."""
    crowd = Crowd(allowed)
    client = transport(base_url=await serve(crowd.talk), limits=Limits(connections=allowed), timeout=20)
    answers = await asyncio.gather(*(client.send(GET) for _ in range(5 * allowed)))
    assert {200} == {answer.status for answer in answers}
    assert allowed == crowd.connections


async def test_calls_in_a_row_share_one_connection(transport, serve):
    """A call after another uses its connection."""
    crowd = Crowd(1)
    client = transport(base_url=await serve(crowd.talk), timeout=20)
    for _ in range(2 * LANE):
        await client.send(GET)
    assert 1 == crowd.connections


class Pool(httpx.AsyncBaseTransport):
    """A pool that notes whether it was closed."""

    def __init__(self, made):
        self.closed = False
        made.append(self)

    async def handle_async_request(self, request):
        if request.url.path == "/broken":
            raise httpx.ConnectError("no")
        return httpx.Response(200, stream=httpx.ByteStream(b"{}"))

    async def aclose(self):
        self.closed = True


async def test_lanes_that_nobody_needs_are_closed():
    """After a crowd has gone, calls in a row let go of one lane each."""
    made = []
    lanes = Lanes(lambda: Pool(made), idle_seconds=-1)
    request = httpx.Request("GET", "https://acme.example.com/")
    answers = [await lanes.handle_async_request(request) for _ in range(4 * LANE)]
    assert 4 == len(made)
    for answer in answers:
        await answer.aclose()
    for _ in made:
        await (await lanes.handle_async_request(request)).aclose()
        await asyncio.sleep(0)
    assert [False, True, True, True] == [pool.closed for pool in made]
    await lanes.aclose()
    assert all(pool.closed for pool in made)


async def test_a_request_that_fails_leaves_its_room():
    """Failures, and answers closed twice, do not use up lanes."""
    lanes = Lanes(lambda: Pool([]), idle_seconds=5)
    for _ in range(10):
        with pytest.raises(httpx.ConnectError):
            await lanes.handle_async_request(httpx.Request("GET", "https://acme.example.com/broken"))
        answer = await lanes.handle_async_request(httpx.Request("GET", "https://acme.example.com/"))
        await answer.aclose()
        await answer.stream.aclose()
    await lanes.aclose()


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
async def test_the_environments_proxy_is_used(transport, serve, monkeypatch, variable):
    """A proxy that the environment names gets the requests to the service."""
    asked = []

    async def proxy(connection):
        asked.append(await connection.request())
        await connection.send("HTTP/1.1 403 Forbidden\ncontent-length: 0\n\n")

    monkeypatch.setenv(variable, await serve(proxy))
    with pytest.raises(Exception, match="Could not connect"):
        await transport(max_attempts=1).send(GET)
    assert asked[0].startswith("CONNECT acme.example.com:443")
