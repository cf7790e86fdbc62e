"""How many requests run, how many may, and how a process that ends lets go of its clients."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plugbay.server.failures import answer_for, unavailable
from plugbay.server.guessing import origin_of
from plugbay.server.shares import STRANGER, hold, let_go, make_room, part_of
from plugbay.server.state import Drain

__all__ = ["Draining"]

_CLOSE = (b"connection", b"close")

_PROBES = frozenset({"/health", "/ready"})
"""Answered even then: a process that is busy is not dead, and whoever watches it would end it."""


class Draining:
    """Counts requests, and once the end has begun closes connections after their answers.

    Of too many requests one that waits for its client is given up, or else the new one refused.

    A client whose connection is closed asks the next process. So a request on a connection that was kept is still
    answered, and the connection ends with the answer.

    Args:
        app: What answers.
        drain: Where the count is kept.
        most: Requests that may run at once.
    """

    def __init__(self, app: ASGIApp, drain: Drain, most: int) -> None:
        self._app = app
        self._drain = drain
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def closing(message: Message) -> None:
            if message["type"] == "http.response.start" and self._drain.begun:
                message["headers"] = [*message.get("headers", ()), _CLOSE]
            await send(message)

        self._drain.running += 1
        try:
            if scope["path"] not in _PROBES and not self._may_run(scope):
                await answer_for(unavailable("The server has too many requests at the moment."), "")(
                    scope, receive, closing
                )
            else:
                await self._app(scope, receive, closing)
        finally:
            self._drain.running -= 1
            let_go(self._drain, scope)

    def _may_run(self, scope: Scope) -> bool:
        client = scope.get("client")
        holder = STRANGER + (origin_of(client[0]) if client else "")
        if self._drain.running > self._most and not make_room(self._drain):
            return False
        limits = {holder: part_of(self._most)}
        if hold(self._drain, scope, limits):
            return True
        return make_room(self._drain, holder) and hold(self._drain, scope, limits)
