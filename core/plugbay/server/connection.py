"""Connections that cannot be held by a client that sends nothing, or a head without end."""

from __future__ import annotations

import asyncio
import re
import socket
from functools import partial
from typing import Any

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

__all__ = ["ABORT", "MAX_HEAD", "UNREAD_SECONDS", "Connection", "connection"]

MAX_HEAD = 32_768
"""Bytes of a request's line and headers."""

MAX_FRAMING = 8
"""Bytes beside the body, for each byte of it, of a body in chunks: one of a single byte has five of its own."""

UNREAD_SECONDS = 60.0
"""Seconds in which a client must read something of what was sent, or acknowledge that it is there."""

ABORT = "plugbay.abort"
"""Where a request's scope has what ends its connection, with all that its client has not read yet."""

_HOST = re.compile(rb"(?:\[[0-9A-Za-z.:]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)(?::[0-9]*)?")
"""What the field may be (RFC 3986, section 3.2.2)."""

_REFUSAL = b"HTTP/1.1 %d %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Connection(HttpToolsProtocol):
    """A connection whose client has a time for each request's head, and a limit of its size.

    A head that is late is answered with 408 and one that is too large with 431 (RFC 6585, section 5); a connection
    on which nothing was begun is closed without a word. A request that does not name one host is answered with 400 (RFC
    9112, section 3.2): what is before us may have taken another one for it.

    Trailers are left out. Of them and of what else is around a body's chunks (RFC 9112, section 7.1) there may be about
    as much as of a head: nobody else counts it.

    Args:
        config: Uvicorn's.
        server_state: Uvicorn's.
        app_state: Uvicorn's.
        head_seconds: The time for a head, from the connection's start or the head's first byte.
        most: Connections that the process has at once. For one more the longest of those is closed on which no request
            is being answered, so that nobody keeps others out by connections that he does not use.
        waiting: Those connections, the longest first.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        head_seconds: float,
        most: int,
        waiting: dict[Connection, None],
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._head_seconds = head_seconds
        self._most = most
        self._waiting = waiting
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_size = 0
        self._fields = 0
        self._hosts: list[bytes] = []
        self._in_head = True
        self._behind_head = 0
        self._in_body = 0
        self._is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody has connected."""
        super().connection_made(transport)
        _end_if_unread(transport)
        self._waiting[self] = None
        if len(self.connections) > self._most:
            self._make_room()
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over."""
        self._waiting.pop(self, None)
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._in_head:
            if self._head_timer is None:
                self._start_timer()
            self._head_size += len(data)
        else:
            self._behind_head += len(data)
        super().data_received(data)
        # A body may have come with its head: only what belongs to a head without an end is too much.
        if self._in_head and self._head_size > MAX_HEAD:
            self._refuse(431, b"Request Header Fields Too Large")
        if not self._in_head and self._behind_head > MAX_HEAD + (1 + MAX_FRAMING) * self._in_body:
            self._refuse(400, b"Bad Request")

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_head = True
        scope: Any = self.scope  # which may have more than its type says
        scope[ABORT] = self.transport.abort

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header has come, or a trailer, which would take the place of a header of that name."""
        if not self._in_head:
            return
        self._fields += len(name) + len(value)
        if name.lower() == b"host":
            self._hosts.append(value)
        super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """A piece of the body has come."""
        self._in_body += len(body)
        if not self._is_refused:
            super().on_body(body)

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._stop_timer()
        self._waiting.pop(self, None)
        self._in_head = False
        # A head that came whole, with what is behind it, is known by its fields alone.
        is_too_large, names_a_host = self._fields > MAX_HEAD, self._names_a_host()
        self._head_size = self._behind_head = self._in_body = self._fields = 0
        self._hosts = []
        if is_too_large:
            self._refuse(431, b"Request Header Fields Too Large")
        elif not names_a_host:
            self._refuse(400, b"Bad Request")
        if not self._is_refused:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The whole request is here; what comes next is the next head."""
        if not self._is_refused:
            super().on_message_complete()
        self._in_head = True

    def on_response_complete(self) -> None:
        """An answer is complete; if another request has come behind it, that is answered now."""
        super().on_response_complete()
        if not self.transport.is_closing() and not self._is_answering():
            self._waiting[self] = None

    def _make_room(self) -> None:
        # What an answer still has to send would be lost; only where that is so of all others the longest goes anyhow.
        others = (each for each in self._waiting if each is not self)
        read = (each for each in others if not each.transport.get_write_buffer_size())
        longest = next(read, None) or next(iter(self._waiting))
        del self._waiting[longest]
        longest.transport.abort()

    def _start_timer(self) -> None:
        self._head_timer = self.loop.call_later(self._head_seconds, self._late)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _late(self) -> None:
        self._head_timer = None
        if self._is_answering():
            return  # bytes that came while a request is answered; the time of an idle connection is still to come
        if self._head_size:
            self._refuse(408, b"Request Timeout")
        elif not self.transport.is_closing():
            self.transport.close()

    def _is_answering(self) -> bool:
        cycle: Any = self.cycle  # None before the first request, whatever its type says
        return cycle is not None and not cycle.response_complete

    def _names_a_host(self) -> bool:
        if not self._hosts:
            parser: Any = self.parser  # None after the connection's end, whatever its type says
            return bool(parser.get_http_version() == "1.0")
        return len(self._hosts) == 1 and _HOST.fullmatch(self._hosts[0]) is not None

    def _refuse(self, status: int, phrase: bytes) -> None:
        """Ends the connection; whatever of it is there already, or still comes, is of no request."""
        self._is_refused = True
        self._stop_timer()
        if self.transport.is_closing():
            return
        # While an earlier request is being answered, other bytes would be taken for its answer.
        if not self._is_answering():
            self.transport.write(_REFUSAL % (status, phrase))
        self.transport.close()


def _end_if_unread(transport: asyncio.Transport) -> None:
    """Lets the system end the connection, with all that waits to be read, if nothing is read for long (RFC 5482)."""
    wire = transport.get_extra_info("socket")
    if wire is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(UNREAD_SECONDS * 1000))


def connection(*, head_seconds: float, most: int) -> Any:
    """What makes the connections of a server, for uvicorn's `http`.

    Args:
        head_seconds: The time for a request's head.
        most: Connections that the process has at once.
    """
    waiting: dict[Connection, None] = {}
    return partial(Connection, head_seconds=head_seconds, most=most, waiting=waiting)
