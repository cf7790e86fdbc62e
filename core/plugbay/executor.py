"""Runs an operation: from bound arguments to data.

`LocalExecutor` sends it to the service itself. The seam is the protocol
`Executor`: who sends and with whose credentials is no concern of the connector.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from plugbay.download import Streamed
from plugbay.errors import ConfigurationError, DeadlineExceededError, PlugbayError, ResponseIntegrityError
from plugbay.idempotency import IdempotencyKeys
from plugbay.inbound import Included, incomplete, read_record, read_records, uncertain
from plugbay.operation import FileSource, Operation, Pager, Slice
from plugbay.outbound import build_request
from plugbay.outcome import Outcome, is_unknown
from plugbay.result import Meta
from plugbay.sink import Sink, Tell
from plugbay.trace import current_trace
from plugbay.transport import Deadline, Request, Transport
from plugbay.transport.call import SAME_KEY
from plugbay.walk import Walk
from plugbay.window import DEFAULT_WINDOW, window

__all__ = ["DEFAULT_LIMIT", "Executor", "LocalExecutor"]

DEFAULT_LIMIT = 100
"""Records of a list that nobody set a limit for."""


class Executor(Protocol):
    """Who sends an operation."""

    async def run(self, operation: Operation, arguments: Mapping[str, Any], *, patient: bool = False) -> Outcome:
        """Sends the operation with bound arguments; every failure is a `PlugbayError`.

        Args:
            operation: The operation.
            arguments: Its arguments by name.
            patient: Whether nobody sits before it, so that waiting as long as the service asks is better than failing.
        """
        ...

    async def stream(
        self,
        operation: Operation,
        arguments: Mapping[str, Any],
        sink: Sink,
        *,
        max_bytes: int,
        timeout: float | None,  # noqa: ASYNC109 - it leaves out the time that the sink takes
        tell: Tell | None,
    ) -> Streamed:
        """Brings the whole file of a download to a sink; every failure but the sink's own is a `PlugbayError`.

        Args:
            operation: The download.
            arguments: Its arguments by name.
            sink: Where the bytes go.
            max_bytes: The most the file may have.
            timeout: The most all of it may take, in seconds; None for as long as it comes.
            tell: Is told how far it is.
        """
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
        self._keys = IdempotencyKeys()

    async def run(self, operation: Operation, arguments: Mapping[str, Any], *, patient: bool = False) -> Outcome:
        """Sends the operation with bound arguments; every failure is a `PlugbayError`."""
        if operation.pager is not None:
            return await self._list(operation, operation.pager, arguments, patient=patient)
        if operation.file is not None:
            return await self._download(operation, operation.file, arguments)
        key = self._keys.key_for(operation, arguments)
        try:
            outcome = await self._one(operation, arguments, key)
        except BaseException as error:
            self._keys.done(operation, arguments, key, error)
            raise
        self._keys.done(operation, arguments, key, None)
        return outcome

    async def stream(
        self,
        operation: Operation,
        arguments: Mapping[str, Any],
        sink: Sink,
        *,
        max_bytes: int,
        timeout: float | None,  # noqa: ASYNC109 - it leaves out the time that the sink takes
        tell: Tell | None,
    ) -> Streamed:
        """Brings the whole file of a download to a sink; every failure but the sink's own is a `PlugbayError`."""
        if operation.file is None:
            raise ConfigurationError(f"{operation.name} has no file.")
        record, address = await self._located(operation, operation.file, arguments, self._transport.deadline())
        size = record.get("size")
        size = size if type(size) is int and size >= 0 else None
        identity = f"{self._transport.base_url} {operation.fingerprint(arguments, 16)}"
        came = await self._transport.stream(
            address,
            sink,
            allowed_hosts=operation.file.allows,
            max_bytes=max_bytes,
            size=size,
            held=await sink.open(identity, size),
            timeout=timeout,
            tell=tell,
        )
        return Streamed(
            file_name=_known(record, "file_name") or came.file_name,
            content_type=_known(record, "content_type") or came.content_type,
            size=came.size,
            sha256=came.sha256,
        )

    async def aclose(self) -> None:
        """Lets go of all connections; harmless when called twice."""
        await self._transport.aclose()

    async def fetch(self, request: Request, *, deadline: Deadline | None = None) -> Any:
        """The JSON of one answer of the service; every failure is a `PlugbayError`.

        Args:
            request: What to ask for.
            deadline: When the call that it is part of must be done.
        """
        response = await self._transport.send(request, deadline=deadline)
        return None if response.status == 204 else response.json()  # noqa: PLR2004 - No Content

    async def _one(self, operation: Operation, arguments: Mapping[str, Any], key: str | None) -> Outcome:
        try:
            payload = await self.fetch(build_request(operation, arguments, key=key))
            record = read_record(operation, payload)
        except PlugbayError as error:
            if isinstance(error, ResponseIntegrityError) and (error.details or {}).get("step") != "token":
                uncertain(operation, error)
            if is_unknown(error) and key is None:
                error.hint = f"{error.hint} {_advice(operation, arguments)}"
            elif is_unknown(error) and not error.retryable:
                # Its answer came and cannot be used; the key brings the same record again.
                error.retryable, error.hint = True, f"{error.hint} {SAME_KEY}"
            raise
        included = Included(operation.record)
        # Without a key the whole answer is the record, and nothing came beside it.
        if operation.record is not None or operation.read is not None:
            included.add(payload)
        return Outcome(record, Meta(included=included.data or None))

    async def _list(
        self, operation: Operation, pager: Pager, arguments: Mapping[str, Any], *, patient: bool
    ) -> Outcome:
        deadline, trace = self._transport.deadline(patient=patient), current_trace()
        yields = patient or operation.long_work
        filters = {name: value for name, value in arguments.items() if name not in {"limit", "cursor"}}
        walk = Walk(operation, filters, arguments.get("cursor"))
        limit = arguments.get("limit")
        wanted = min(pager.largest, DEFAULT_LIMIT) if limit is None else limit
        part = Slice([], None)
        while len(walk.records) < wanted:
            size = min(wanted - len(walk.records) + walk.skip, pager.largest)
            request = _page_request(operation, pager, filters, walk.state, size, yields=yields)
            try:
                payload = await self.fetch(request, deadline=deadline)
            except DeadlineExceededError as error:
                error.hint = "Ask for fewer records at a time and go on with the cursor." if trace.pages else error.hint
                raise
            found = read_records(operation, payload)
            walk.included.add(payload)
            part = pager.read(payload, found, walk.state)
            trace.pages += 1
            trace.tell("page", number=trace.pages, records=len(found), total=part.total)
            if not walk.take(part, wanted) or (limit is None and walk.records):
                break
        return walk.outcome(part)

    async def _download(self, operation: Operation, source: FileSource, arguments: Mapping[str, Any]) -> Outcome:
        deadline = self._transport.deadline()
        record, address = await self._located(operation, source, arguments, deadline)
        offset = arguments.get("offset") or 0
        part = await self._transport.download(
            address,
            allowed_hosts=source.allows,
            offset=offset,
            max_bytes=arguments.get("max_bytes") or DEFAULT_WINDOW,
            deadline=deadline,
        )
        return window(record, part.data, offset, part.total)

    async def _located(
        self, operation: Operation, source: FileSource, arguments: Mapping[str, Any], deadline: Deadline
    ) -> tuple[Mapping[str, Any], str]:
        """The record that describes a file, and where the file is."""
        record = read_record(operation, await self.fetch(build_request(operation, arguments), deadline=deadline))
        address = record.get(source.url)
        if not isinstance(address, str):
            raise incomplete(operation, f"`{source.url}`, the address of the file,", record)
        return record, address


def _known(record: Mapping[str, Any], name: str) -> str | None:
    text = record.get(name)
    return text if isinstance(text, str) else None


def _advice(operation: Operation, arguments: Mapping[str, Any]) -> str:
    """The read that shows whether a write was done."""
    name = operation.seen_by if "." in operation.seen_by else f"{operation.entity}.{operation.seen_by}"
    in_path = [part for part, known in operation.arguments.parameters.items() if known.location == "path"]
    given = ", ".join(f"{part}={arguments[part]!r}" for part in in_path)
    return f"Look with {name}({given}) before repeating it."


def _page_request(
    operation: Operation, pager: Pager, filters: Mapping[str, Any], state: str | None, size: int, *, yields: bool
) -> Request:
    replaced = pager.replaces() if state is not None else ()
    kept = {name: value for name, value in filters.items() if name not in replaced}
    request = build_request(operation, kept)
    place = pager.query(state, size)
    # A service's own link to the next page repeats the filters.
    named = {name for name, _ in place}
    query = tuple((name, value) for name, value in request.query if name not in named)
    return replace(request, query=query + place, yields=yields)
