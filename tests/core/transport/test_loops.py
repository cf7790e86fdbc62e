"""One transport serves any number of event loops and threads, and leaves no socket behind."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from plugbay.auth import BasicToken
from plugbay.errors import NetworkError, PlugbayError
from plugbay.transport import Request, Transport

GET = Request("GET", "/a", repeatable=True)


class Server(ThreadingHTTPServer):
    """Answers every GET with `{}` and counts the connections."""

    daemon_threads = True

    def __init__(self):
        self.connections = 0
        self.open = 0
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle(self):
        with self.server.lock:
            self.server.connections += 1
            self.server.open += 1
        try:
            super().handle()
        finally:
            with self.server.lock:
                self.server.open -= 1

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def client(server):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield Transport(
            f"http://127.0.0.1:{server.server_port}",
            BasicToken("u", "p"),
            read_error=lambda request, response: PlugbayError("no"),
        )
        gc.collect()
    assert [str(warning.message) for warning in caught] == []


async def twice(client):
    await client.send(GET)
    return (await client.send(GET)).status


def test_event_loops_in_a_row(client, server):
    """Each `asyncio.run` has connections of its own, reused within it and closed by its end."""
    for _ in range(3):
        assert asyncio.run(twice(client)) == 200
    assert server.connections == 3


def test_event_loops_in_threads(client):
    """Loops in several threads use one transport at the same time."""
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: asyncio.run(twice(client)), range(16))) == [200] * 16


def test_clients_are_forgotten_with_their_loops(client):
    """A loop that ended leaves no client behind."""
    asyncio.run(twice(client))
    assert len(client._clients._open) == 0


def test_a_loop_that_is_closed_carelessly(client):
    """A loop closed without finishing its generators does not disturb the next one, and is forgotten then."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(client.send(GET))
    connection = next(iter(client._clients._open.values()))
    loop.run_until_complete(connection.aclose())
    loop.close()
    assert asyncio.run(twice(client)) == 200
    assert len(client._clients._open) == 0


def test_closing_is_idempotent_and_not_for_ever(client):
    """Closing twice is fine; a later call opens a new connection."""

    async def main():
        await twice(client)
        await client.aclose()
        await client.aclose()
        await twice(client)
        await asyncio.gather(client.aclose(), client.aclose())
        assert len(client._clients._open) == 0
        return await twice(client)

    assert asyncio.run(main()) == 200


def test_closing_reaches_other_loops(client, server):
    """Closing from one loop closes what a loop running in another thread holds open."""
    ready, done = threading.Event(), threading.Event()

    async def other():
        await twice(client)
        ready.set()
        await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=asyncio.run, args=(other(),))
    thread.start()
    ready.wait()
    asyncio.run(client.aclose())
    assert len(client._clients._open) == 0
    done.set()
    thread.join()


async def test_closing_under_a_call(transport, serve):
    """A call whose transport is closed meanwhile fails with a named error."""

    arrived = asyncio.Event()

    async def hang(connection):
        while await connection.request():
            arrived.set()

    client = transport(base_url=await serve(hang), max_attempts=1)
    call = asyncio.create_task(client.send(GET))
    await arrived.wait()
    await client.aclose()
    with pytest.raises(NetworkError):
        await call


async def test_closing_under_a_call_that_is_connecting(transport):
    """A call that has not even connected ends at once when its transport is closed; a later one connects."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [_connecting(listener.getsockname()) for _ in range(4)]  # so that no further one is accepted
        client = transport(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        call = asyncio.create_task(client.send(GET))
        await _turns()
        await client.aclose()
        with pytest.raises(NetworkError, match="closed") as caught:
            await call
        assert not caught.value.retryable
        for filler in fillers:
            filler.close()


def _connecting(address):
    filler = socket.socket()
    filler.setblocking(False)
    filler.connect_ex(address)
    return filler


async def _turns():
    """Lets everybody else run until they wait."""
    for _ in range(50):
        await asyncio.sleep(0)


class Silent(httpx.AsyncBaseTransport):
    """A transport of the caller's that answers only when it is told to."""

    def __init__(self):
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.cancelled = 0

    async def handle_async_request(self, request):
        self.asked.set()
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return httpx.Response(200, json={})


async def test_closing_under_calls_that_are_never_answered(transport):
    """All calls end with a named error when the transport is closed, a write's fate is unknown, and a later call works."""
    http = Silent()
    client = transport(http=http)
    calls = [asyncio.create_task(client.send(Request(method, "/a"))) for method in ("GET", "POST")]
    await http.asked.wait()
    await _turns()
    await client.aclose()
    await client.aclose()
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert [NetworkError, NetworkError] == [type(error) for error in ended]
    assert [None, "unknown"] == [(error.details or {}).get("fate") for error in ended]
    assert 2 == http.cancelled
    http.may_answer.set()
    assert 200 == (await client.send(GET)).status


async def test_closing_is_not_a_cancellation(transport):
    """Who is cancelled while the transport is closed is cancelled, and nothing else."""
    http = Silent()
    client = transport(http=http)
    call = asyncio.create_task(client.send(GET))
    await http.asked.wait()
    call.cancel()
    await client.aclose()
    with pytest.raises(asyncio.CancelledError):
        await call
