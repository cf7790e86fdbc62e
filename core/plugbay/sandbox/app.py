"""The two applications of a sandbox: the Zendesk host, and the host that serves the bytes of attachments."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from email.utils import format_datetime
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp

from plugbay.sandbox import attachments, pipeline, routes
from plugbay.sandbox.account import Account
from plugbay.sandbox.auth import Caller
from plugbay.sandbox.exchange import Call, Reply, Stream
from plugbay.sandbox.faults import Chooser
from plugbay.sandbox.limits import ATTACHMENT_CONTENT
from plugbay.sandbox.recording import RecordedRequest, Recorder

_GZIP_FROM = 1024
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def zendesk(account: Account, requests: list[RecordedRequest], choose: Chooser) -> ASGIApp:
    """The Zendesk host.

    Args:
        account: The data.
        requests: Where to note what arrives.
        choose: Says how a request is to fail, if it is.
    """
    table = routes.router()

    async def respond(request: Request) -> Response:
        call = await _call(account, request)
        if call.path.startswith("/attachments/token/"):
            return _response(call, _attachment(account, call))
        return _response(call, pipeline.answer(account, table, call))

    return Recorder(_application(respond), requests, "main", choose)


def content(account: Account, requests: list[RecordedRequest], choose: Chooser) -> ASGIApp:
    """The host that serves the bytes of attachments; arguments as for `zendesk`."""

    async def respond(request: Request) -> Response:
        call = await _call(account, request)
        return _response(call, attachments.content(account, call.path, dict(call.query), call.headers))

    return Recorder(_application(respond), requests, "files", choose)


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
    reply.headers["date"] = format_datetime(call.account.clock.now().replace(microsecond=0), usegmt=True)
    if isinstance(reply.body, Stream):
        reply.headers["content-length"] = str(reply.body.size)
        if call.method == "HEAD":
            return Response(None, reply.status, reply.headers)
        return StreamingResponse(_in_turns(reply.body), reply.status, reply.headers)
    body = reply.encode()
    if _may_be_packed(call, reply, len(body)):
        body = gzip.compress(body, 1, mtime=0)
        reply.headers["content-encoding"] = "gzip"
    return Response(body, reply.status, reply.headers)


async def _in_turns(stream: Stream) -> AsyncIterator[bytes]:
    for chunk in stream.chunks:
        yield chunk
        await asyncio.sleep(0)  # a reader that keeps up would leave other connections no turn


def _may_be_packed(call: Call, reply: Reply, size: int) -> bool:
    is_json = reply.headers.get("content-type", "").startswith("application/json")
    return size >= _GZIP_FROM and is_json and "gzip" in call.headers.get("accept-encoding", "")
