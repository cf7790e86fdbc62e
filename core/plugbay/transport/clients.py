"""One HTTP client for each event loop.

A connection belongs to the loop that opened it: a client used by a second `asyncio.run` fails with
"Event loop is closed". So each loop has its own, and an asynchronous generator, which a loop
finishes before it ends, closes it in time.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

if TYPE_CHECKING:
    import asyncio
    import ssl

__all__ = ["Client", "Clients", "Limits"]

OTHER_LOOP_SECONDS = 5.0
"""How long closing waits for a loop in another thread, which may be busy or wait for us."""


class Limits(NamedTuple):
    """What one event loop's connections may take.

    Args:
        connections: The most open at once; further calls wait, within their deadline.
        idle: The most kept open for later calls.
        idle_seconds: How long one is kept; short, as a server that closes it meanwhile costs a failed try.
        connect_seconds: How long opening one may take.
    """

    connections: int = 100
    idle: int = 20
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
        self._tls: ssl.SSLContext | None = None
        # Keyed by the loop itself: the id of one that is gone is given to another.
        self._open: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Client] = weakref.WeakKeyDictionary()

    async def current(self) -> Client:
        """The running loop's client."""
        import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

        loop = asyncio.get_running_loop()
        client = self._open.get(loop)
        if client is not None and not client.is_closed and not client.is_finished:
            return client
        client = self._make()
        client.keeper = keeper = self._keep(loop, client)
        with self._lock:
            for dead in [other for other in self._open if other.is_closed()]:
                del self._open[dead]
            self._open[loop] = client
        await keeper.__anext__()  # does not wait: it runs to its yield
        return client

    async def aclose(self) -> None:
        """Close what can be closed; what another loop holds is closed by that loop, now or when it ends."""
        import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

        here = asyncio.get_running_loop()
        with self._lock:
            clients = list(self._open.items())
        for loop, client in clients:
            if loop is here:
                await client.finish()
            elif loop.is_running():
                closing = asyncio.run_coroutine_threadsafe(client.finish(), loop)
                await asyncio.wait((asyncio.wrap_future(closing),), timeout=OTHER_LOOP_SECONDS)

    async def _keep(self, loop: asyncio.AbstractEventLoop, client: Client) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            with self._lock:
                if self._open.get(loop) is client:
                    del self._open[loop]
            await client.aclose()

    def _make(self) -> Client:
        limits = self._limits
        if self._http is None and self._tls is None:
            self._tls = httpx.create_ssl_context()  # some 20 ms, so all loops share it
        return Client(
            transport=self._http,
            verify=self._tls or True,
            trust_env=not self._direct,
            cookies=_NoCookies(),
            limits=httpx.Limits(
                max_connections=limits.connections,
                max_keepalive_connections=limits.idle,
                keepalive_expiry=limits.idle_seconds,
            ),
        )

    @property
    def timeouts(self) -> dict[str, Any]:
        """The request extensions that leave all but connecting to the caller's deadline."""
        return {"timeout": {"connect": self._limits.connect_seconds, "read": None, "write": None, "pool": None}}


class Client(httpx.AsyncClient):
    """An event loop's client, the generator that closes it, and the calls that it must end before."""

    keeper: AsyncGenerator[None, None] | None = None
    is_finished: bool = False

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._watched: set[asyncio.Timeout] = set()

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
        self.is_finished = True
        for scope in self._watched:
            if not scope.expired():
                scope.reschedule(0.0)
        keeper, self.keeper = self.keeper, None
        if keeper is not None:
            await keeper.aclose()


class _NoCookies(CookieJar):
    """Keeps nothing: one call's cookies are none of the next one's business."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        pass
