"""Many connections at once, without the cost of one large pool.

The HTTP library's pool looks through all its connections for each request, several times, and asks each idle one's
socket whether it is still there: with fifty calls at once that is most of the work. Here a few connections
each have a pool of their own, a lane, and a request goes to the first lane that has room.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import anyio
import httpx

__all__ = ["LANE", "Lanes"]

LANE = 5
"""Connections of one lane."""


class Lanes(httpx.AsyncBaseTransport):
    """Sends through as many small pools as it takes; of one event loop.

    Args:
        make: Makes a pool.
        idle_seconds: How long a lane that nobody needs is kept.
    """

    def __init__(self, make: Callable[[], httpx.AsyncBaseTransport], *, idle_seconds: float) -> None:
        self._make = make
        self._idle_seconds = idle_seconds
        self._lanes: list[_Lane] = []
        self._closing: set[asyncio.Future[None]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends a request; its lane is free again when the answer is closed."""
        lane = self._free()
        lane.busy += 1
        try:
            response = await self._carefully(lane.pool, request)
        except BaseException:
            self._leave(lane)
            raise
        response.stream = _Stream(response.stream, self._in_background, lambda: self._leave(lane))
        return response

    async def _carefully(self, pool: httpx.AsyncBaseTransport, request: httpx.Request) -> httpx.Response:
        """The pool's answer, the caller's cancelling of which is told to the pool in the way that it understands.

        The pool shields its cleaning up from anyio's cancelling alone: cut off by asyncio's, it leaves connections
        open, or in the belief that they are in use.
        """
        scope = anyio.CancelScope()

        async def send() -> httpx.Response | None:
            with scope:
                return await pool.handle_async_request(request)
            return None

        sending = asyncio.ensure_future(send())
        try:
            response = await asyncio.shield(sending)
        except asyncio.CancelledError:
            scope.cancel()
            # Nobody asks any more how it ends.
            sending.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
            self._in_background(_ended(sending))
            raise
        if response is None:
            raise asyncio.CancelledError
        return response

    def _in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Future[None]:
        """Does what must be done, whoever is cancelled meanwhile; closing waits for it."""
        doing = asyncio.ensure_future(work)
        self._closing.add(doing)
        doing.add_done_callback(self._closing.discard)
        return doing

    async def aclose(self) -> None:
        """Closes all connections."""
        lanes, self._lanes = self._lanes, []
        for lane in lanes:
            await lane.pool.aclose()
        if self._closing:
            await asyncio.wait(self._closing)

    def _free(self) -> _Lane:
        for lane in self._lanes:
            if lane.busy < LANE:
                return lane
        self._lanes.append(_Lane(self._make()))
        return self._lanes[-1]

    def _leave(self, lane: _Lane) -> None:
        lane.busy -= 1
        lane.left_at = time.monotonic()
        last = self._lanes[-1] if len(self._lanes) > 1 else None
        if last is not None and not last.busy and lane.left_at - last.left_at > self._idle_seconds:
            self._in_background(self._lanes.pop().pool.aclose())


class _Lane:
    """A pool, how many requests it has, and when one left it last."""

    __slots__ = ("busy", "left_at", "pool")

    def __init__(self, pool: httpx.AsyncBaseTransport) -> None:
        self.pool = pool
        self.busy = 0
        self.left_at = 0.0


class _Stream(httpx.AsyncByteStream):
    """An answer's body, at whose end the lane has room again."""

    def __init__(
        self,
        body: object,
        in_background: Callable[[Coroutine[Any, Any, None]], asyncio.Future[None]],
        leave: Callable[[], None],
    ) -> None:
        if not isinstance(body, httpx.AsyncByteStream):
            raise TypeError("The pool gave an answer that cannot be read asynchronously.")
        self._body = body
        self._in_background = in_background
        self._leave: Callable[[], None] | None = leave

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._body.__aiter__()

    async def aclose(self) -> None:
        leave, self._leave = self._leave, None
        if leave is not None:
            await asyncio.shield(self._in_background(self._closed(leave)))

    async def _closed(self, leave: Callable[[], None]) -> None:
        try:
            await self._body.aclose()
        finally:
            leave()


async def _ended(sending: asyncio.Future[httpx.Response | None]) -> None:
    """Waits until a request that was given up is over, and closes the answer that it may have got all the same."""
    await asyncio.wait((sending,))
    if not sending.cancelled() and sending.exception() is None and (response := sending.result()) is not None:
        await response.aclose()
