"""One transport serves any number of event loops and threads, and leaves no socket behind."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

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
