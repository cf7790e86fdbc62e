"""A file on its way through: taken piece by piece from the engine and given on at the pace of whoever reads it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from plugbay.download import Streamed
from plugbay.errors import InvalidParameterError, UnknownOperationError
from plugbay.finishing import outlast
from plugbay.plain_text import one_line
from plugbay.server.execution import noted
from plugbay.server.failures import ApiError
from plugbay.server.params import our_params
from plugbay.sink import Described, Held, Source

if TYPE_CHECKING:
    from plugbay.server.caller import Caller
    from plugbay.server.execution import Wish
    from plugbay.server.state import Server
    from plugbay.server.store import ConnectorRecord

__all__ = ["Range", "file_response"]

_PARTIAL, _NOT_IN_RANGE = 206, 416
_UNKNOWN_TYPE = "application/octet-stream"
_NO_NAME = "file"


class Range(NamedTuple):
    """What a reader has of a file already.

    Attributes:
        offset: How many bytes.
        validator: What tells the file that they are of, as the reader was told it.
    """

    offset: int
    validator: str


class _BeyondError(InvalidParameterError):
    """The reader has the whole file already.

    Args:
        size: The file's, in bytes.
    """

    def __init__(self, size: int) -> None:
        super().__init__("There is nothing of the file behind the bytes that the range leaves out.")
        self.size = size


async def file_response(
    server: Server, caller: Caller, record: ConnectorRecord, wish: Wish, start: Range | None
) -> Response:
    """The answer that brings a file, once its first bytes are there; what fails before that is raised.

    Args:
        server: The server.
        caller: Who asks.
        record: The connector, which the caller may see.
        wish: The download.
        start: What the reader has of it already.

    Raises:
        ApiError: 416, the reader has all of the file.
        PlugbayError: Any other failure before the first byte.
    """
    relay = _Relay(start)
    task = asyncio.ensure_future(_bring(server, caller, record, wish, relay))
    task.add_done_callback(relay.end)
    try:
        await relay.started.wait()
    except asyncio.CancelledError:
        task.cancel()
        await outlast(task)
        raise
    if task.done() and (relay.described is None or task.exception() is not None):
        try:
            task.result()
        except _BeyondError as error:
            raise _beyond(error) from None
    return _FileResponse(relay, task)


def _beyond(error: _BeyondError) -> ApiError:
    """The answer to a range that is not in the file, which says how long that is (RFC 9110 section 15.5.17)."""
    headers = {"content-range": f"bytes */{error.size}", "accept-ranges": "bytes"}
    return ApiError(_NOT_IN_RANGE, error.message, error_code="not_in_range", field="Range", headers=headers)


async def _bring(server: Server, caller: Caller, record: ConnectorRecord, wish: Wish, relay: _Relay) -> Streamed:
    async with noted(server, caller, record, wish) as (operation, connector):
        if operation.kind != "download":
            raise UnknownOperationError(f"{operation.name} has no file.")
        action: Any = getattr(getattr(connector, operation.entity), operation.action)
        params = operation.arguments.bind(our_params(operation, wish.params))
        # The reader's place is said by Range, not by the window of the action.
        whole = {name: value for name, value in params.items() if name not in {"offset", "max_bytes"}}
        came: Streamed = await action(**whole).into(relay)
        return came


class _Relay:
    """A sink that holds one piece until it is given on.

    Args:
        start: What the reader has already.
    """

    def __init__(self, start: Range | None) -> None:
        self.described: Described | None = None
        self.source: Source | None = None
        self.offset = 0
        self.started = asyncio.Event()
        self._start = start
        self._room = asyncio.Semaphore(1)
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self._has_given = False

    async def open(self, file: Described) -> Held | None:
        self.described = file
        # Without the size the rest could not be said to be the rest.
        if self._start is None or file.size is None:
            return None
        self.offset = self._start.offset
        self.source = Source(self._start.validator, file.size)
        # What the reader has is not here to be hashed, and nobody asks for the hash of the whole.
        return Held(self._start.offset, self.source, hashlib.sha256())

    async def begin(self, source: Source) -> bool:
        if self._has_given:
            return False
        self._check_range(source)
        self.source, self.offset = source, 0
        return True

    def _check_range(self, source: Source) -> None:
        """Zendesk brings a file from its start if it is another than the reader's, or has nothing behind its range.

        Raises:
            _BeyondError: It is the reader's own, and ends where the range begins or before.
        """
        start = self._start
        total = self.described.size if source.total is None and self.described else source.total
        if start is None or not start.offset or total is None:
            return
        if start.validator == source.validator and start.offset >= total:
            raise _BeyondError(total)

    async def take(self, piece: bytes) -> None:
        await self._room.acquire()
        self._has_given = True
        self._pieces.put_nowait(piece)
        self.started.set()

    async def pieces(self) -> AsyncGenerator[bytes]:
        """The pieces as they come; empty ones are none."""
        while piece := await self._pieces.get():
            self._room.release()
            yield piece

    def end(self, _: asyncio.Future[Any]) -> None:
        """Nothing more will come."""
        self._pieces.put_nowait(b"")
        self.started.set()


class _FileResponse(StreamingResponse):
    """Gives the pieces on; if they stop too early so does the answer, and its reader sees that it is cut short.

    Args:
        relay: Where the pieces are.
        task: What brings them.
    """

    def __init__(self, relay: _Relay, task: asyncio.Future[Streamed]) -> None:
        self._task = task
        status = _PARTIAL if relay.offset else 200
        super().__init__(_until_whole(relay, task), status, _headers(relay), media_type=_type(relay))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._task.cancel()
            await outlast(self._task)


async def _until_whole(relay: _Relay, task: asyncio.Future[Streamed]) -> AsyncGenerator[bytes]:
    async for piece in relay.pieces():
        yield piece
    await task  # what it raises ends the connection, as an answer that has begun cannot say more


def _headers(relay: _Relay) -> dict[str, str]:
    described, source = relay.described, relay.source
    name = described.file_name if described else None
    headers = {"content-disposition": _disposition(name or _NO_NAME), "accept-ranges": "bytes"}
    total = source.total if source else described.size if described else None
    if source is not None and source.validator and source.validator.startswith('"'):
        headers["etag"] = source.validator
    if total is not None:
        headers["content-length"] = str(total - relay.offset)
    if relay.offset:
        headers["content-range"] = f"bytes {relay.offset}-{(total or 0) - 1}/{total}"
    return headers


def _disposition(name: str) -> str:
    """The header that names a file (RFC 6266); its name is somebody's text, and stays one."""
    plain = one_line(name).replace("/", "_").replace("\\", "_") or _NO_NAME
    ascii_name = "".join(char if char.isascii() and char.isprintable() and char not in '"%' else "_" for char in plain)
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(plain, safe='')}"


def _type(relay: _Relay) -> str:
    given = relay.described.content_type if relay.described else None
    return given if given and given.isascii() and given.isprintable() else _UNKNOWN_TYPE
