"""A transport over a plain function, raw servers on loopback, and a clock that nobody waits for."""

from __future__ import annotations

import asyncio
import contextlib

import httpx
import pytest

from plugbay.auth import BasicToken
from plugbay.errors import (
    AuthenticationError,
    NotFoundError,
    RateLimitedError,
    ServiceError,
    ValidationFailedError,
)
from plugbay.transport import RetryPolicy, Transport

BASE = "https://acme.example.com"
KINDS = {401: AuthenticationError, 404: NotFoundError, 429: RateLimitedError}


def read_error(request, response):
    kind = KINDS.get(response.status, ServiceError if response.status >= 500 else ValidationFailedError)
    return kind(f"{request.method} {request.path}: HTTP {response.status}")


class Clock:
    """Time that passes only by being slept through."""

    def __init__(self):
        self.now = 1_700_000_000.0
        self.slept = []

    def time(self):
        return self.now

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds

    def policy(self, **changes):
        settings = {"clock": self.time, "monotonic": self.time, "sleep": self.sleep, "rng": lambda: 1.0}
        return RetryPolicy(**(settings | changes))


class Script:
    """Answers requests one by one from a list; the last answer is given for ever. An exception is raised."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            return answer(request)
        # A fresh one each time: a response can be read only once.
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def script():
    return Script


@pytest.fixture
async def transport(clock):
    """Makes a transport whose requests a function answers."""
    made = []

    def make(handler=None, *, base_url=BASE, credentials=None, **settings):
        settings.setdefault("retry", clock.policy())
        if handler is not None:
            settings["http"] = httpx.MockTransport(handler)
        credentials = credentials or BasicToken("me@example.com/token", "s3cret-token")
        made.append(Transport(base_url, credentials, read_error=read_error, **settings))
        return made[-1]

    yield make
    for each in made:
        await each.aclose()


class Connection:
    """One connection to a raw server."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    async def request(self):
        """The head of the next request, its body read and dropped; None at the end."""
        try:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        for line in head.lower().split("\r\n"):
            if line.startswith("content-length:"):
                await self.reader.readexactly(int(line.split(":")[1]))
        return head

    async def send(self, text):
        self.writer.write(text if isinstance(text, bytes) else text.replace("\n", "\r\n").encode())
        await self.writer.drain()

    def reset(self):
        """Break the connection as a crashed server does."""
        self.writer.transport.abort()


@pytest.fixture
async def serve():
    """Starts raw servers: each connection is given to a coroutine function; gives the base URL."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(talk):
            tasks = set()

            async def accept(reader, writer):
                tasks.add(asyncio.current_task())
                with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                    await talk(Connection(reader, writer))
                writer.close()

            server = await asyncio.start_server(accept, "127.0.0.1", 0)

            async def stop():
                server.close()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

            stack.push_async_callback(stop)
            return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

        yield start
