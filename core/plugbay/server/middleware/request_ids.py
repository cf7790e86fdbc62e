"""Every request has an id, which its answer and all its lines in the log carry."""

from __future__ import annotations

import re
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plugbay.server.logs import request_id_of_now

__all__ = ["RequestIds"]

HEADER = b"x-request-id"

_is_valid = re.compile(rb"[A-Za-z0-9._-]{8,64}\Z").match


class RequestIds:
    """Takes the id that a client or a proxy gives, if it is plain and short, and else makes one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == HEADER), b"")
        request_id = given if _is_valid(given) else uuid4().hex.encode()
        scope["plugbay.request_id"] = request_id.decode()
        token = request_id_of_now.set(scope["plugbay.request_id"])

        async def with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (HEADER, request_id)]
            await send(message)

        try:
            await self._app(scope, receive, with_id)
        finally:
            request_id_of_now.reset(token)
