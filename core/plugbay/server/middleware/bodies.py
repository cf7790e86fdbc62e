"""Limits of size and time on the bodies of requests, whatever they say of their own size."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plugbay.server.failures import ApiError, answer_for, too_large

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
        limit: Bytes of a body.
        seconds: From the first time that the body is asked for to its end.
    """

    def __init__(self, app: ASGIApp, *, limit: int, seconds: float) -> None:
        self._app = app
        self._limit = limit
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(scope, receive, send, self._limit, self._seconds)
        if body.declared > self._limit:
            body.is_refused = True
            await answer_for(too_large(self._limit), "")(scope, receive, body.send)
        else:
            await self._app(scope, body.receive, body.send)


class _Body:
    """The body of one request, and the answer that may have to be sent before its end."""

    __slots__ = (
        "_deadline", "_is_chunked", "_limit", "_receive", "_seconds", "_send", "_size", "declared", "is_complete",
        "is_refused",
    )  # fmt: skip

    def __init__(self, scope: Scope, receive: Receive, send: Send, limit: int, seconds: float) -> None:
        self._receive = receive
        self._send = send
        self._limit = limit
        self._seconds = seconds
        self._deadline: float | None = None
        self._size = 0
        self.declared, self._is_chunked = _framing(scope)
        self.is_complete = False
        self.is_refused = False

    async def receive(self) -> Message:
        if self.is_complete:
            return await self._receive()
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            self.is_refused = True
            raise _too_slow(self._seconds) from None
        self._size += len(message.get("body", b""))
        if self._size > self._limit:
            self.is_refused = True
            raise too_large(self._limit)
        self.is_complete = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        ends_early = self.is_refused or (self._is_chunked and not self.is_complete)
        if message["type"] == "http.response.start" and ends_early:
            message["headers"] = [*message.get("headers", ()), _CLOSE]
        elif self.is_refused and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._discard()
            message = {"type": "http.response.body"}
        await self._send(message)

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
