"""One HTTP client for each event loop.

A connection belongs to the loop that opened it: a client used by a second `asyncio.run` fails with
"Event loop is closed". So each loop has its own, and an asynchronous generator, which a loop
finishes before it ends, closes it in time.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.request import getproxies

import httpx

if TYPE_CHECKING:
    import asyncio
    import ssl

from plugbay.finishing import outlast
from plugbay.transport.quiet_log import mask_headers

__all__ = ["Client", "Clients", "Limits"]

OTHER_LOOP_SECONDS = 5.0
"""How long closing waits for a loop in another thread, which may be busy or wait for us."""


class Limits(NamedTuple):
    """What one event loop's connections may take.

    Args:
        connections: The most open at once; further calls wait, within their deadline.
        idle_seconds: How long one is kept; short, as a server that closes it meanwhile costs a failed try.
        connect_seconds: How long opening one may take.
    """

    connections: int = 100
    idle_seconds: float = 5.0
    connect_seconds: float = 10.0


class Clients:
    """The clients of all event loops; safe to use from any thread.

    Args:
        limits: Of each loop's client.
        http: An `httpx.AsyncBaseTransport` to send through instead of the network.
        direct: Whether proxies named by the environment are passed by.
    """

    def __init__(self, limits: Limits, http: Any = None, *, direct: bool = False) -> None:
        self._limits = limits
        self._http = http
        self._direct = direct
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._tls: ssl.SSLContext | None = None
        # Keyed by the loop itself: the id of one that is gone is given to another.
        self._open: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Client] = weakref.WeakKeyDictionary()
        self._retired: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, list[Client]] = weakref.WeakKeyDictionary()

    async def current(self) -> Client:
        """The running loop's client."""
        import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

        loop = asyncio.get_running_loop()
        client = self._open.get(loop)
        if client is not None and client.is_usable:
            return client
        self._forget_the_parents()
        # Nothing is awaited before the new one is in its place, so that calls at once make but one.
        old, client = client, self._make()
        client.keeper = keeper = self._keep(loop, client)
        with self._lock:
            for dead in [other for other in self._open if other.is_closed()]:
                del self._open[dead]
            self._open[loop] = client
            if old is not None and old.is_retired:
                self._retired.setdefault(loop, []).append(old)
        await keeper.__anext__()  # does not wait: it runs to its yield
        await self._sweep(loop)
        return client

    async def aclose(self) -> None:
        """Close what can be closed; what another loop holds is closed by that loop, now or when it ends."""
        import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

        here = asyncio.get_running_loop()
        self._forget_the_parents()
        with self._lock:
            clients = [*self._open.items(), *((loop, old) for loop, olds in self._retired.items() for old in olds)]
        closings = [
            asyncio.wrap_future(asyncio.run_coroutine_threadsafe(client.finish(), loop))
            for loop, client in clients
            if loop is not here and loop.is_running()
        ]
        for loop, client in clients:
            if loop is here:
                await client.finish()
        if closings:
            await asyncio.wait(closings, timeout=OTHER_LOOP_SECONDS)

    def _forget_the_parents(self) -> None:
        """In a forked child: leaves to the parent what it had, whose loops do not run here whatever they say."""
        if self._process != (process := os.getpid()):
            self._process, self._lock = process, threading.Lock()
            self._open.clear()
            self._retired.clear()

    async def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Closes the retired clients whose last call has ended."""
        with self._lock:
            idle = [old for old in self._retired.get(loop, ()) if not old.is_busy]
        for old in idle:
            await old.finish()

    async def _keep(self, loop: asyncio.AbstractEventLoop, client: Client) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            with self._lock:
                if self._open.get(loop) is client:
                    del self._open[loop]
                if client in (retired := self._retired.get(loop, [])):
                    retired.remove(client)
            await client.aclose()

    def _make(self) -> Client:
        limits = self._limits
        if self._http is None and self._tls is None:
            self._tls = httpx.create_ssl_context()  # some 20 ms, so all loops share it
        mask_headers()
        tls = self._tls or True
        settings: dict[str, Any] = {"transport": self._http, "verify": tls, "trust_env": not self._direct}
        if self._http is None and (self._direct or not getproxies()):
            settings["transport"] = self._lanes(tls)
        else:
            settings["limits"] = self._pool_limits(limits.connections)
        return Client(limits.connections, cookies=_NoCookies(), **settings)

    def _lanes(self, tls: ssl.SSLContext | bool) -> httpx.AsyncBaseTransport:
        from plugbay.transport.lanes import LANE, Lanes  # noqa: PLC0415 - it needs asyncio

        def pool() -> httpx.AsyncBaseTransport:
            return httpx.AsyncHTTPTransport(verify=tls, trust_env=False, limits=self._pool_limits(LANE))

        return Lanes(pool, idle_seconds=self._limits.idle_seconds)

    def _pool_limits(self, connections: int) -> httpx.Limits:
        kept = self._limits.idle_seconds
        return httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=kept)

    @property
    def timeouts(self) -> dict[str, Any]:
        """The request extensions that leave all but connecting to the caller's deadline."""
        return {"timeout": {"connect": self._limits.connect_seconds, "read": None, "write": None, "pool": None}}


class Client(httpx.AsyncClient):
    """An event loop's client, the generator that closes it, and the calls that it must end before.

    A call that is cancelled while its connection is given back leaves the HTTP library's pool in the belief that the
    connection is in use, for ever; a pool of such is a hang. So a client to which that has happened is retired: it
    ends the calls it has and gets no more.

    Args:
        connections: The most it has open at once.
        settings: As the library's client takes them.
    """

    keeper: AsyncGenerator[None, None] | None = None
    is_finished: bool = False
    is_retired: bool = False

    def __init__(self, connections: int, **settings: Any) -> None:
        import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

        super().__init__(**settings)
        self._connections = connections
        # Requests wait here, and not in a pool: what their tenant's budgets say is asked when they really leave.
        self.room = asyncio.Semaphore(connections)
        self._watched: set[asyncio.Timeout] = set()
        self._closing: set[asyncio.Future[None]] = set()

    @property
    def is_usable(self) -> bool:
        """Whether a new call may have it."""
        return not (self.is_retired or self.is_finished or self.is_closed)

    @property
    def is_busy(self) -> bool:
        """Whether a call is under way on it."""
        return bool(self._watched)

    async def give_back(self, answer: httpx.Response) -> None:
        """Ends an answer, whether or not it was read, so that its connection is free for the next call."""
        import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

        try:
            if len(self._watched) <= self._connections:
                await answer.aclose()
                return
            # Somebody waits for this very connection, so giving it back goes on whoever is cancelled.
            closing = asyncio.ensure_future(answer.aclose())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
            await asyncio.shield(closing)
        except (httpx.HTTPError, OSError):
            pass  # what was read is read
        except BaseException:
            self.is_retired = True
            raise

    def was_interrupted(self) -> None:
        """Retires it if a call was cancelled more than once: the second may have cut off the cleaning up for the first."""
        import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

        task = asyncio.current_task()
        if task is not None and task.cancelling() > 1:
            self.is_retired = True

    @contextmanager
    def watched(self, scope: asyncio.Timeout) -> Generator[None]:
        """Marks the block as a call, whose `scope` is ended when the client is closed."""
        self._watched.add(scope)
        try:
            yield
        finally:
            self._watched.discard(scope)

    async def finish(self) -> None:
        """Ends all calls and closes all connections, those that are only being opened too."""
        import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

        self.is_finished = True
        for scope in self._watched:
            if not scope.expired():
                scope.reschedule(0.0)
        keeper, self.keeper = self.keeper, None
        if keeper is None:
            return
        # What has begun to be closed is closed, whoever is cancelled meanwhile.
        closing = asyncio.ensure_future(keeper.aclose())
        await outlast(closing)
        closing.result()


class _NoCookies(CookieJar):
    """Keeps nothing: one call's cookies are none of the next one's business."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        pass
