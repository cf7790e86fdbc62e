"""The time that a whole request may take."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plugbay.server.failures import ApiError

__all__ = ["Deadlines"]

_EVENTS = b"text/event-stream"


class Deadlines:
    """Ends a request that takes too long: with 504, or by breaking off if its answer had begun.

    A download, or a stream of events, may take any time once it has begun; its reader may not: each piece
    must be taken within the time.

    Args:
        app: What answers.
        seconds: For the whole request, or for a piece.
    """

    def __init__(self, app: ASGIApp, *, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        clock = asyncio.timeout(self._seconds)
        is_stream = False

        async def timed(message: Message) -> None:
            nonlocal is_stream
            if message["type"] == "http.response.start":
                is_stream = scope.get("plugbay.streams", False) or _has_events(message)
            if not is_stream:
                await send(message)
                return
            clock.reschedule(loop.time() + self._seconds)
            await send(message)
            clock.reschedule(None)

        try:
            async with clock:
                await self._app(scope, receive, timed)
        except TimeoutError:
            if not clock.expired():
                raise
            text = f"The request took longer than {self._seconds:g} seconds."
            raise ApiError(504, text, error_code="request_too_long") from None


def _has_events(message: Message) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(_EVENTS) for name, value in message["headers"])
