"""Carries a failure out on one request."""

from __future__ import annotations

import asyncio
import gzip
import math
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plugbay.sandbox import connection, shapes
from plugbay.sandbox.connection import Connection
from plugbay.sandbox.exchange import Reply
from plugbay.sandbox.failure import BODILESS, Failure

_LINE = 1024
_JSON = "application/json; charset=utf-8"
_Headers = list[tuple[bytes, bytes]]


async def carry_out(failure: Failure, inner: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Let one request fail.

    Args:
        failure: How.
        inner: The application that would have answered.
        scope: Of the request; it came by a `Connection`.
        receive: Gives the request's body.
        send: Where the answer goes, as far as there is one.
    """
    line, after = connection.of(scope), failure.when == "after"
    if not after and not await _wait(failure, line):
        return
    outlet = _Outlet(failure, line, send)
    if not failure.ends and not failure.replaces:
        await inner(scope, receive, outlet)
        return
    if after:
        await inner(scope, receive, _unheard)
    if not failure.ends:
        await _answer(failure, line, outlet)
    elif not after or await _wait(failure, line):
        await _end(failure, line)


async def _wait(failure: Failure, line: Connection) -> bool:
    return await line.pause(failure.delay) if failure.delay else not line.lost.is_set()


async def _unheard(_message: Message) -> None:
    """Where the application's answer goes when it is lost."""


async def _end(failure: Failure, line: Connection) -> None:
    if failure.reset:
        await line.reset()
    elif failure.close:
        await line.close()
    else:
        await line.gone()


async def _answer(failure: Failure, line: Connection, send: Send) -> None:
    """Give an answer of the failure's own."""
    if failure.bomb is None:
        reply = _reply(failure)
        body = reply.encode()
        if reply.status not in BODILESS:
            reply.headers["content-length"] = str(len(body))
        await send(_start(reply.status, reply.headers))
        await send(_piece(body, more=False))
        return
    await send(_start(failure.status or HTTPStatus.OK, {"content-type": _JSON, "content-encoding": "gzip"}))
    for piece in shapes.bomb(failure.bomb):
        await send(_piece(piece, more=True))
        await asyncio.sleep(0)  # other connections have their turn
        if line.lost.is_set():
            return
    await send(_piece(b"", more=False))


def _reply(failure: Failure) -> Reply:
    if failure.redirect is not None:
        return Reply(failure.status or HTTPStatus.FOUND, b"", {"location": failure.redirect})
    status = failure.status or HTTPStatus.OK
    if failure.deep is not None:
        return Reply(status, shapes.nested(failure.deep), {"content-type": _JSON})
    if isinstance(failure.body, bytes):
        return Reply(status, failure.body, {"content-type": _JSON})
    return shapes.default(status) if failure.body is None else Reply(status, failure.body)


class _Outlet:
    """What an answer passes through on its way out, and where it is changed."""

    def __init__(self, failure: Failure, line: Connection, send: Send) -> None:
        self._failure = failure
        self._line = line
        self._send = send
        self._left = math.inf if failure.truncate is None else failure.truncate
        self._started: Message = {}
        self._whole = b""
        self._over = False
        self._dripping = False

    async def __call__(self, message: Message) -> None:
        if self._over:
            return
        if self._failure.shape is not None:
            await self._collect(message)
        elif message["type"] == "http.response.start":
            await self._begin(message)
        else:
            await self._go_on(message.get("body", b""), more=message.get("more_body", False))

    async def _collect(self, message: Message) -> None:
        """Hold the answer back until all of it is there to be given another shape."""
        if message["type"] == "http.response.start":
            self._started, self._whole = message, b""
            return
        self._whole += message.get("body", b"")
        if message.get("more_body"):
            return
        start, body = _reshaped(self._failure, self._started, self._whole)
        await self._begin(start)
        await self._go_on(body, more=False)

    async def _begin(self, message: Message) -> None:
        failure = self._failure
        self._over = failure.when == "after" and not await _wait(failure, self._line)
        if self._over:
            return
        if failure.header_bytes == math.inf:
            self._over = True
            await _endless(message["status"], self._line)
            return
        await self._send({**message, "headers": _headers(failure, list(message["headers"]))})

    async def _go_on(self, body: bytes, *, more: bool) -> None:
        if self._over:
            return
        allowed = body if len(body) <= self._left else body[: int(self._left)]
        self._left -= len(allowed)
        await self._give(allowed)
        if self._failure.truncate is not None and (not more or self._left <= 0):
            self._over = True
            await self._line.close()
        elif not more and not self._over:
            await self._send(_piece(b"", more=False))

    async def _give(self, body: bytes) -> None:
        if not self._failure.drip:
            await self._send(_piece(body, more=True))
            return
        for place in range(len(body)):
            if self._dripping and not await self._line.pause(self._failure.drip):
                self._over = True
                return
            self._dripping = True
            await self._send(_piece(body[place : place + 1], more=True))


def _reshaped(failure: Failure, start: Message, body: bytes) -> tuple[Message, bytes]:
    shape = failure.shape or ""
    kept = {name.lower(): value for name, value in start["headers"]}
    plain = gzip.decompress(body) if kept.get(b"content-encoding") == b"gzip" else body
    changed = shapes.reshaped(shape, plain)
    for name in (b"content-encoding", b"etag"):
        kept.pop(name, None)
    if shape == "html" and changed != plain:
        kept[b"content-type"] = b"text/html"
    kept[b"content-length"] = str(len(changed)).encode()
    return {**start, "headers": list(kept.items())}, changed


def _start(status: int, headers: dict[str, str]) -> Message:
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http.response.start", "status": int(status), "headers": raw}


def _piece(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


def _headers(failure: Failure, headers: _Headers) -> _Headers:
    """The answer's headers with the failure's in their place, and as many more as it asks for."""
    given = {name.lower().encode("latin-1"): value.encode("latin-1") for name, value in (failure.headers or {}).items()}
    gone = {*given, *((b"content-length",) if failure.chunked else ())}
    kept = [(name, value) for name, value in headers if name.lower() not in gone]
    padding = [_padding(number) for number in range(math.ceil(failure.header_bytes / _LINE))]
    return [*kept, *given.items(), *padding]


def _padding(number: int) -> tuple[bytes, bytes]:
    name = b"x-padding-%d" % number
    return name, b"x" * (_LINE - len(name) - len(b": \r\n"))


async def _endless(status: int, line: Connection) -> None:
    """Send headers until the other side has had enough."""
    there, number = await line.write(b"HTTP/1.1 %d Endless\r\n" % status), 0
    while there:
        there = await line.write(b"%s: %s\r\n" % _padding(number))
        number += 1
