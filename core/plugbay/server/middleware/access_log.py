"""One line of the log for each request: what was asked for and how it ended, never with what words."""

from __future__ import annotations

import logging
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["AccessLog", "method_of", "route_of"]

logger = logging.getLogger("plugbay.access")

BROKEN_OFF = 499
"""What is noted for a request to which no answer was begun."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})


class AccessLog:
    """Notes each request by the template of its path, so that no id and no stranger's text is in the log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not logger.isEnabledFor(logging.INFO):
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        status = BROKEN_OFF

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            logger.info("request", extra=_facts(scope, status, perf_counter() - began))


def method_of(scope: Scope) -> str:
    """The method, if it is one that is known: clients may send any word."""
    return scope["method"] if scope["method"] in _METHODS else "_OTHER"


def route_of(scope: Scope) -> str | None:
    """The template of the path that was asked for, as `/api/v1/workspaces/{id}`; None if it leads nowhere."""
    found = scope.get("plugbay.route") or getattr(scope.get("route"), "path", None)
    return found if isinstance(found, str) else None


def _facts(scope: Scope, status: int, seconds: float) -> dict[str, object]:
    return {
        "request_id": scope.get("plugbay.request_id"),
        "method": method_of(scope),
        "route": route_of(scope) or "unmatched",
        "status": status,
        "ms": round(seconds * 1000, 1),
        "client_id": scope.get("plugbay.client"),
    }
