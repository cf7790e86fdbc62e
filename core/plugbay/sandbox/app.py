"""The two applications of a sandbox: the Zendesk host, and the host that serves the bytes of attachments."""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable
from email.utils import format_datetime
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp

from plugbay.sandbox import attachments, pipeline, routes
from plugbay.sandbox.account import Account
from plugbay.sandbox.auth import Caller
from plugbay.sandbox.exchange import Call, Reply
from plugbay.sandbox.limits import ATTACHMENT_CONTENT
from plugbay.sandbox.recording import RecordedRequest, Recorder

Around = Callable[[ASGIApp], ASGIApp]
_GZIP_FROM = 1024
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def zendesk(account: Account, requests: list[RecordedRequest], around: Around) -> ASGIApp:
    """The Zendesk host.

    Args:
        account: The data.
        requests: Where to note what arrives.
        around: Wraps the application that answers; what it does to an answer is recorded too.
    """
    table = routes.router()

    async def respond(request: Request) -> Response:
        call = await _call(account, request)
        if call.path.startswith("/attachments/token/"):
            return _response(call, _attachment(account, call))
        return _response(call, pipeline.answer(account, table, call))

    return Recorder(around(_application(respond)), requests, "main")


def content(account: Account, requests: list[RecordedRequest], around: Around) -> ASGIApp:
    """The host that serves the bytes of attachments; arguments as for `zendesk`."""

    async def respond(request: Request) -> Response:
        call = await _call(account, request)
        return _response(call, attachments.content(account, call.path, dict(call.query), call.headers))

    return Recorder(around(_application(respond)), requests, "files")


def _application(respond: Callable[[Request], Awaitable[Response]]) -> ASGIApp:
    return Starlette(routes=[StarletteRoute("/{path:path}", respond, methods=_METHODS)])


async def _call(account: Account, request: Request) -> Call:
    return Call(
        account=account,
        method=request.method,
        path=request.scope["path"],
        query=parse_qsl(request.url.query, keep_blank_values=True),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.body(),
        caller=Caller(),
    )


def _attachment(account: Account, call: Call) -> Reply:
    """The redirect to an attachment's bytes, with its rate-limit bucket."""
    verdict = account.limits.spend([(ATTACHMENT_CONTENT, "")])
    token = call.path.split("/")[3]
    reply = attachments.redirect(account, token, call.headers.get("authorization"))
    if verdict.retry_after is not None:
        reply = Reply(429, "Too Many Requests", {"retry-after": str(verdict.retry_after)})
    reply.headers |= verdict.headers | {"x-request-id": account.request_id()}
    return reply


def _response(call: Call, reply: Reply) -> Response:
    body = reply.encode()
    reply.headers["date"] = format_datetime(call.account.clock.now().replace(microsecond=0), usegmt=True)
    if _may_be_packed(call, reply, len(body)):
        body = gzip.compress(body, 1, mtime=0)
        reply.headers["content-encoding"] = "gzip"
    return Response(body, reply.status, reply.headers)


def _may_be_packed(call: Call, reply: Reply, size: int) -> bool:
    is_json = reply.headers.get("content-type", "").startswith("application/json")
    return size >= _GZIP_FROM and is_json and "gzip" in call.headers.get("accept-encoding", "")
