"""Limits of size and time on the bodies of requests, whatever they say of their own size."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plugbay.server.connection import ABORT
from plugbay.server.failures import ApiError, answer_for, too_large, unavailable
from plugbay.server.state import Drain

__all__ = ["Bodies"]

DISCARDED_LIMITS = 8
"""How many times the limit is still read, and thrown away, of a body that was refused.

A connection that is closed with data unread is reset, and the client may lose the answer (RFC 9112, section 9.6).
"""

DISCARDED_SECONDS = 1.0
"""How long that may take."""

_CLOSE = (b"connection", b"close")


class Bodies:
    """Refuses a body that is too large with 413, and one that does not come in time with 408.

    Args:
        app: What answers.
        drain: Where it is kept which requests wait for their clients; one may have to make room for another request.
        limit: Bytes of a body.
        seconds: From the first time that the body is asked for to its end.
    """

    def __init__(self, app: ASGIApp, drain: Drain, *, limit: int, seconds: float) -> None:
        self._app = app
        self._drain = drain
        self._limit = limit
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(self._drain, scope, receive, send, limit=self._limit, seconds=self._seconds)
        if body.declared > self._limit:
            body.is_refused = True
            await answer_for(too_large(self._limit), "")(scope, receive, body.send)
            return
        try:
            await self._app(scope, body.receive, body.send)
        finally:
            self._drain.awaited.pop(body, None)


class _Body:
    """The body of one request, and the answer that may have to be sent before its end."""

    __slots__ = (
        "_deadline", "_drain", "_is_chunked", "_is_given_up", "_is_sending", "_limit", "_receive", "_seconds", "_send",
        "_size", "_waiting", "declared", "is_complete", "is_refused", "scope",
    )  # fmt: skip

    def __init__(self, drain: Drain, scope: Scope, receive: Receive, send: Send, *, limit: int, seconds: float) -> None:
        self.scope = scope
        self._drain = drain
        self._receive = receive
        self._send = send
        self._limit = limit
        self._seconds = seconds
        self._deadline: float | None = None
        self._size = 0
        self.declared, self._is_chunked = _framing(scope)
        self.is_complete = False
        self.is_refused = False
        self._waiting: asyncio.Timeout | None = None
        self._is_given_up = False
        self._is_sending = False

    async def receive(self) -> Message:
        if self.is_complete:
            return await self._receive()
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + self._seconds
            self._drain.awaited[self] = None
        try:
            async with asyncio.timeout_at(self._deadline) as self._waiting:
                message = await self._receive()
        except TimeoutError:
            self.is_refused = True
            raise (_given_up() if self._is_given_up else _too_slow(self._seconds)) from None
        finally:
            self._waiting = None
        self._size += len(message.get("body", b""))
        if self._size > self._limit:
            self.is_refused = True
            raise too_large(self._limit)
        self.is_complete = not message.get("more_body", False)
        if self.is_complete:
            self._drain.awaited.pop(self, None)
        return message

    def give_up(self) -> None:
        """Waits no longer than now."""
        if self._is_sending:
            self.scope[ABORT]()
            return
        self._is_given_up = True
        self._deadline = asyncio.get_running_loop().time()
        if self._waiting is not None:
            self._waiting.reschedule(self._deadline)

    async def send(self, message: Message) -> None:
        ends_early = self.is_refused or (self._is_chunked and not self.is_complete)
        if message["type"] == "http.response.start" and ends_early:
            message["headers"] = [*message.get("headers", ()), _CLOSE]
        elif self.is_refused and not message.get("more_body", False):
            await self._sent({**message, "more_body": True})
            await self._discard()
            message = {"type": "http.response.body"}
        await self._sent(message)

    async def _sent(self, message: Message) -> None:
        self._is_sending = True
        self._drain.awaited[self] = None
        try:
            await self._send(message)
        finally:
            self._drain.awaited.pop(self, None)
            self._is_sending = False

    async def _discard(self) -> None:
        left = DISCARDED_LIMITS * self._limit
        with suppress(TimeoutError):
            async with asyncio.timeout(DISCARDED_SECONDS):
                more = True
                while more and left > 0:
                    message = await self._receive()
                    left -= len(message.get("body", b""))
                    more = message.get("more_body", False)


def _framing(scope: Scope) -> tuple[int, bool]:
    """The bytes that a body says it has, and whether it says so piece by piece."""
    declared, is_chunked = 0, False
    for name, value in scope["headers"]:
        if name == b"content-length":
            declared = int(value)
        elif name == b"transfer-encoding":
            is_chunked = True
    return declared, is_chunked


def _too_slow(seconds: float) -> ApiError:
    return ApiError(408, f"The body did not arrive within {seconds:g} seconds.", error_code="body_too_slow")


def _given_up() -> ApiError:
    return unavailable("The server needed the room for requests whose bodies were there.")
