"""Where exceptions end: each becomes the answer that `plugbay.server.failures` has for it."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plugbay.server.failures import log_failure

__all__ = ["Boundary"]


class Boundary:
    """Answers what was raised. If the answer had begun, the connection is broken off: it must not look complete.

    Args:
        app: What raises.
        answer: The answer to an exception.
    """

    def __init__(self, app: ASGIApp, answer: Callable[[Scope, Exception], Response]) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if scope["type"] != "http":
                raise
            if begun:
                log_failure("an answer broke off", error, scope.get("plugbay.request_id", ""))
                return  # an answer that does not end is what makes the server close the connection
            await self._answer(scope, error)(scope, receive, send)
