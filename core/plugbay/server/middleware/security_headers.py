"""The headers that tell browsers and caches what they may not do."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["SecurityHeaders"]

ALWAYS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"content-security-policy": b"frame-ancestors 'none'",
    b"x-frame-options": b"DENY",
}
"""What is set unless the answer says something of its own, as pages do."""

HTTPS_ONLY = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
"""Two years, RFC 6797; only meaningful, and only sent, where clients come by https."""


class SecurityHeaders:
    """Adds the headers to every answer.

    Args:
        app: What answers.
        is_https: Whether clients reach the server by https.
    """

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self._app = app
        self._always = {**ALWAYS, **({HTTPS_ONLY[0]: HTTPS_ONLY[1]} if is_https else {})}
        self._of_api = {**self._always, b"cache-control": b"no-store"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = self._of_api if scope["path"].startswith("/api/") else self._always

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                known = {name.lower() for name, _ in given}
                message["headers"] = [*given, *((name, value) for name, value in wanted.items() if name not in known)]
            await send(message)

        await self._app(scope, receive, guarded)
