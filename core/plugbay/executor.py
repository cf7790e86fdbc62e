"""Runs an operation: from bound arguments to data.

`LocalExecutor` sends it to the service itself. The seam is the protocol
`Executor`: who sends and with whose credentials is no concern of the connector.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from plugbay.errors import InvalidParameterError, ResponseIntegrityError, clip
from plugbay.json_safe import dumps, to_json
from plugbay.operation import Operation, Pager, Slice
from plugbay.result import Meta
from plugbay.transport import Request, Transport

__all__ = ["Executor", "LocalExecutor", "Outcome"]

DEFAULT_WINDOW = 32_768
"""Bytes of a file given at once when the caller does not say."""

_FORBIDDEN_SEGMENTS = {"", ".", ".."}
_PAGING_KEYS = {
    "meta", "links", "next_page", "previous_page", "count", "page", "page_count", "per_page", "sort_by", "sort_order",
    "end_of_stream", "end_time", "after_url", "before_url", "after_cursor", "before_cursor",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What running an operation gave.

    Attributes:
        data: A record, or the records of a list.
        meta: What is known beside it.
        resume_at: For a list: from a number of its records to the cursor that continues behind them.
    """

    data: Any
    meta: Meta
    resume_at: Callable[[int], str] | None = None


class Executor(Protocol):
    """Who sends an operation."""

    async def run(self, operation: Operation, arguments: Mapping[str, Any]) -> Outcome:
        """Sends the operation with bound arguments; every failure is a `PlugbayError`."""
        ...

    async def fetch(self, request: Request) -> Any:
        """The JSON of one answer of the service; every failure is a `PlugbayError`."""
        ...

    async def aclose(self) -> None:
        """Lets go of all connections; harmless when called twice."""
        ...


class LocalExecutor:
    """Sends operations straight to the service.

    Args:
        transport: The way to the service.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def run(self, operation: Operation, arguments: Mapping[str, Any]) -> Outcome:
        """Sends the operation with bound arguments; every failure is a `PlugbayError`."""
        if operation.pager is not None:
            return await self._list(operation, operation.pager, arguments)
        if operation.file is not None:
            return await self._download(operation, arguments)
        payload = await self.fetch(build_request(operation, arguments))
        return _record(operation, payload)

    async def aclose(self) -> None:
        """Lets go of all connections; harmless when called twice."""
        await self._transport.aclose()

    async def fetch(self, request: Request) -> Any:
        """The JSON of one answer of the service; every failure is a `PlugbayError`."""
        response = await self._transport.send(request)
        return None if response.status == 204 else response.json()  # noqa: PLR2004 - No Content

    async def _list(self, operation: Operation, pager: Pager, arguments: Mapping[str, Any]) -> Outcome:
        filters = {name: value for name, value in arguments.items() if name not in {"limit", "cursor"}}
        walk = _Walk(operation, filters, arguments.get("cursor"))
        limit = arguments.get("limit")
        wanted = pager.largest if limit is None else limit
        part = Slice([], None)
        while len(walk.records) < wanted:
            size = min(wanted - len(walk.records) + walk.skip, pager.largest)
            payload = await self.fetch(_page_request(operation, pager, filters, walk.state, size))
            found = _records(operation, payload)
            _include(walk.included, payload, operation.record)
            part = pager.read(payload, found, walk.state)
            if not walk.take(part, wanted):
                break
        return walk.outcome(part)

    async def _download(self, operation: Operation, arguments: Mapping[str, Any]) -> Outcome:
        source = operation.file
        if source is None:
            raise ResponseIntegrityError(f"{operation.name} is not a download.")
        record = _record(operation, await self.fetch(build_request(operation, arguments))).data
        address = record.get(source.url)
        if not isinstance(address, str):
            raise _incomplete(operation, f"`{source.url}`, the address of the file,", record)
        offset = arguments.get("offset") or 0
        part = await self._transport.download(
            address, allowed_hosts=source.allows, offset=offset, max_bytes=arguments.get("max_bytes") or DEFAULT_WINDOW
        )
        return _window(record, part.data, offset, part.total)


class _Walk:
    """How far the reading of a list has come."""

    def __init__(self, operation: Operation, filters: Mapping[str, Any], cursor: str | None) -> None:
        self._operation = operation
        self._mark = _digest(operation, filters)
        self.state, self.skip = _position(operation, cursor, self._mark)
        self.records: list[Any] = []
        self.included: dict[str, Any] = {}
        self.more = False
        self._seen = {self.state}
        self._pages: list[_Place] = []

    def take(self, part: Slice, wanted: int) -> bool:
        """Adds the part's records up to `wanted` in all; whether there is another page to fetch."""
        here = _Place(len(self.records) - self.skip, self.state, part)
        self._pages.append(here)
        taken = part.records[self.skip : self.skip + wanted - len(self.records)]
        used = self.skip + len(taken)
        self.records += taken
        if used < len(part.records):
            (self.state, self.skip), self.more = here.at(used), True
            return False
        self.skip = max(0, self.skip - len(part.records))
        if part.next is not None and part.next in self._seen:
            raise ResponseIntegrityError(f"{self._operation.name}: the service gave the same page twice.")
        self._seen.add(part.next)
        self.state, self.more = part.next, part.next is not None
        return self.more

    def outcome(self, last: Slice) -> Outcome:
        """The list as read, with where it goes on."""
        cursor = None
        if self.more:
            cursor = self._cursor(self.state, self.skip)
        elif last.resumable is not None:
            cursor = self._cursor(last.resumable, 0)
        meta = Meta.model_construct(
            has_more=self.more or last.ceiling is not None,
            cursor=cursor,
            count=len(self.records),
            total=last.total,
            included=self.included or None,
            note=last.ceiling,
        )
        return Outcome(self.records, meta, self._resume_at)

    def _resume_at(self, count: int) -> str:
        place = max((place for place in self._pages if place.start <= count), key=lambda place: place.start)
        return self._cursor(*place.at(count - place.start))

    def _cursor(self, state: str | None, skip: int) -> str:
        return f"{self._mark}{f'+{skip}' if skip else ''}.{state or ''}"


@dataclass(frozen=True, slots=True)
class _Place:
    """A page of a list: the index of its first record, its state, and what it held."""

    start: int
    state: str | None
    part: Slice

    def at(self, count: int) -> tuple[str | None, int]:
        """The state from which the record `count` of the page is reached, and the records to pass over there."""
        return (self.part.at(count), 0) if self.part.at is not None else (self.state, count)


def _window(record: Mapping[str, Any], data: bytes, offset: int, total: int | None) -> Outcome:
    """A part of a file as JSON: text if it is text, base64 otherwise."""
    text, used = _text(data)
    content: dict[str, Any] = {
        "file_name": record.get("file_name"),
        "content_type": record.get("content_type"),
        "size": total if total is not None else record.get("size"),
        "offset": offset,
        "length": used,
        "encoding": "base64" if text is None else "utf-8",
        "content": base64.b64encode(data).decode() if text is None else text,
    }
    size = content["size"]
    more = isinstance(size, int) and used > 0 and offset + used < size
    note = f"Continue with offset={offset + used}." if more else None
    return Outcome(content, Meta.model_construct(has_more=more, note=note))


def _text(data: bytes) -> tuple[str | None, int]:
    """`data` as text with the number of bytes that text takes, or (None, all) if it is not text.

    A window may end inside a letter; its first bytes are then left for the next window.
    """
    if b"\0" in data:
        return None, len(data)
    for cut in range(4):
        try:
            return data[: len(data) - cut].decode(), len(data) - cut
        except UnicodeDecodeError as error:
            if error.end < len(data) - cut or len(data) <= cut:
                break
    return None, len(data)


def build_request(operation: Operation, arguments: Mapping[str, Any]) -> Request:
    """The request that carries an operation.

    Raises:
        InvalidParameterError: A path argument would leave its place in the path.
    """
    parameters = operation.arguments.parameters
    path = operation.path
    query: list[tuple[str, str]] = list(operation.fixed)
    body: dict[str, Any] = {}
    for name, value in arguments.items():
        parameter = parameters[name]
        if parameter.location == "path":
            path = path.replace("{" + name + "}", _segment(operation, name, value))
        elif parameter.location == "query":
            if operation.file is None or name not in {"offset", "max_bytes"}:
                query.append((parameter.wire, _query_text(value)))
        else:
            body[parameter.wire] = value
    headers: dict[str, str] = {}
    repeatable = operation.effect.value == "read"
    if operation.idempotency_header:
        headers[operation.idempotency_header] = uuid.uuid4().hex
        repeatable = True
    return Request(
        operation.method, path, tuple(query), _nested(operation.body, body), headers=headers, repeatable=repeatable
    )


def _page_request(
    operation: Operation, pager: Pager, filters: Mapping[str, Any], state: str | None, size: int
) -> Request:
    replaced = pager.replaces() if state is not None else ()
    kept = {name: value for name, value in filters.items() if name not in replaced}
    request = build_request(operation, kept)
    return Request(request.method, request.path, request.query + pager.query(state, size), repeatable=True)


def _segment(operation: Operation, name: str, value: Any) -> str:
    text = str(value)
    if text in _FORBIDDEN_SEGMENTS or any(char in "/\\?#%" or ord(char) < 0x20 for char in text):  # noqa: PLR2004 - controls
        raise InvalidParameterError(
            f"{operation.name}: `{name}` cannot be part of a path.", details={"fields": {name: ["not an id"]}}
        )
    return quote(text, safe="")


def _query_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(_query_text(item) for item in value)
    return str(value)


def _nested(keys: str | None, body: dict[str, Any]) -> Any:
    if keys is None:
        return None
    nested: Any = body
    for key in reversed(keys.split(".")):
        nested = {key: nested}
    return nested


def _record(operation: Operation, payload: Any) -> Outcome:
    if operation.kind == "delete":
        return Outcome({"deleted": True}, Meta.model_construct())
    if not isinstance(payload, Mapping):
        raise _incomplete(operation, "an object", payload)
    if operation.read is not None:
        return Outcome(operation.read(payload), Meta.model_construct())
    record = payload.get(operation.record) if operation.record else payload
    if not isinstance(record, Mapping):
        raise _incomplete(operation, f"`{operation.record}`", payload)
    included: dict[str, Any] = {}
    _include(included, payload, operation.record)
    return Outcome(record, Meta.model_construct(included=included or None))


def _records(operation: Operation, payload: Any) -> list[Any]:
    records = payload.get(operation.record) if isinstance(payload, Mapping) else None
    if not isinstance(records, list) or not all(isinstance(record, Mapping) for record in records):
        raise _incomplete(operation, f"`{operation.record}`, a list of records,", payload)
    return records


def _include(included: dict[str, Any], payload: Mapping[str, Any], record: str | None) -> None:
    """Adds what came beside the records: sideloaded users, an audit."""
    for key, value in payload.items():
        if key == record or key in _PAGING_KEYS:
            continue
        if isinstance(value, list) and isinstance(included.get(key), list):
            included[key] += [item for item in value if item not in included[key]]
        elif value is not None:
            included[key] = value


def _incomplete(operation: Operation, missing: str, payload: Any) -> ResponseIntegrityError:
    return ResponseIntegrityError(
        f"{operation.name}: the answer has not {missing} that was promised.",
        hint="The call may or may not have had its effect." if operation.effect.value != "read" else None,
        details={"received": clip(dumps(to_json(payload)), 500)},
    )


def _digest(operation: Operation, filters: Mapping[str, Any]) -> str:
    """Binds a cursor to its list, so that one cannot continue another."""
    text = dumps([operation.name, to_json(dict(sorted(filters.items())))])
    return hashlib.blake2b(text.encode(), digest_size=3).hexdigest()


def _position(operation: Operation, cursor: str | None, mark: str) -> tuple[str | None, int]:
    """The paging state that a cursor stands for, and the records to pass over from there."""
    if not cursor:
        return None, 0
    head, _, state = cursor.partition(".")
    found, _, skip = head.partition("+")
    if found != mark or not (skip.isascii() and skip.isdigit() or (not skip and state)):
        raise InvalidParameterError(
            f"{operation.name}: `cursor` does not belong to this list.",
            hint="Pass meta.cursor of the last answer unchanged, with the same other arguments as before.",
            details={"fields": {"cursor": ["not of this list"]}},
        )
    return state or None, int(skip or 0)
