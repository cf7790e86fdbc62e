"""Runs an operation: from bound arguments to data.

`LocalExecutor` sends it to the service itself, `plugbay.hosted.HostedExecutor` to one that holds
the credentials. The seam is the protocol `Executor`: who sends and with whose credentials is no
concern of the connector.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, Protocol, TypeAlias

from plugbay.download import Streamed
from plugbay.errors import ConfigurationError, DeadlineExceededError, PlugbayError, ResponseIntegrityError
from plugbay.idempotency import IdempotencyKeys
from plugbay.inbound import Included, incomplete, read_record, read_records, uncertain
from plugbay.operation import FileSource, Operation, Pager, Slice
from plugbay.outbound import build_request
from plugbay.outcome import Outcome, is_unknown
from plugbay.result import Meta
from plugbay.sink import Described, Sink, Tell
from plugbay.trace import current_trace
from plugbay.transport import Deadline, Request, Transport
from plugbay.transport.call import SAME_KEY
from plugbay.walk import Walk
from plugbay.window import DEFAULT_WINDOW, window

__all__ = ["DEFAULT_LIMIT", "BaseExecutor", "Executor", "LocalExecutor", "Probe", "walked"]

DEFAULT_LIMIT = 100
"""Records of a list that nobody set a limit for."""


class Probe(NamedTuple):
    """How a service is asked who the credentials belong to.

    Attributes:
        request: What to ask.
        read: What the answer says; raises if the service does not know the caller.
    """

    request: Request
    read: Callable[[Any], Mapping[str, Any]]


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

    async def identify(self, probe: Probe) -> Mapping[str, Any]:
        """Who the credentials belong to; every failure is a `PlugbayError`.

        Args:
            probe: How the service itself is asked.
        """
        ...

    async def aclose(self) -> None:
        """Lets go of all connections; harmless when called twice."""
        ...


class BaseExecutor(ABC):
    """What executors do alike: they tell lists, files and records apart, and know repeated writes again."""

    def __init__(self) -> None:
        self._keys = IdempotencyKeys()

    async def run(self, operation: Operation, arguments: Mapping[str, Any], *, patient: bool = False) -> Outcome:
        """Sends the operation with bound arguments; every failure is a `PlugbayError`."""
        deadline = await self._begin(patient=patient)
        if operation.pager is not None:
            return await self._list(operation, operation.pager, arguments, deadline)
        if operation.file is not None:
            return await self._download(operation, operation.file, arguments, deadline)
        key = self._keys.key_for(operation, arguments) if self._knows_keys else None
        try:
            outcome = await self._one(operation, arguments, key, deadline)
        except BaseException as error:
            if isinstance(error, PlugbayError):
                _advise(operation, arguments, key, error)
            self._keys.done(operation, arguments, key, error)
            raise
        self._keys.done(operation, arguments, key, None)
        return outcome

    @property
    def _knows_keys(self) -> bool:
        """Whether idempotency keys get to the service."""
        return True

    @abstractmethod
    async def _begin(self, *, patient: bool) -> Deadline:
        """Does what comes before all else; the deadline of the whole call."""

    @abstractmethod
    async def _one(
        self, operation: Operation, arguments: Mapping[str, Any], key: str | None, deadline: Deadline
    ) -> Outcome:
        """One record, under an idempotency key if the operation has one."""

    @abstractmethod
    async def _list(
        self, operation: Operation, pager: Pager, arguments: Mapping[str, Any], deadline: Deadline
    ) -> Outcome:
        """Some records of a list."""

    @abstractmethod
    async def _download(
        self, operation: Operation, source: FileSource, arguments: Mapping[str, Any], deadline: Deadline
    ) -> Outcome:
        """A window of a file."""


ReadPage: TypeAlias = Callable[[str | None, int], Awaitable[tuple[Any, Slice]]]
"""Reads the page at a state of so many records: the answer, for what came beside them, and what is in it."""


async def walked(operation: Operation, arguments: Mapping[str, Any], read: ReadPage, *, largest: int) -> Outcome:
    """The records of a list that a call asks for, read over as many pages as it takes.

    Args:
        operation: The list.
        arguments: With `limit` and `cursor`.
        read: Reads a page.
        largest: The most records of a page.
    """
    walk, trace = Walk(operation, filters_of(arguments), arguments.get("cursor")), current_trace()
    limit = arguments.get("limit")
    wanted = min(largest, DEFAULT_LIMIT) if limit is None else limit
    part = Slice([], None)
    while len(walk.records) < wanted:
        try:
            payload, part = await read(walk.state, min(wanted - len(walk.records) + walk.skip, largest))
        except DeadlineExceededError as error:
            error.hint = "Ask for fewer records at a time and go on with the cursor." if trace.pages else error.hint
            raise
        walk.included.add(payload)
        trace.pages += 1
        trace.tell("page", number=trace.pages, records=len(part.records), total=part.total)
        if not walk.take(part, wanted) or (limit is None and walk.records):
            break
    return walk.outcome(part)


def filters_of(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that choose a list, without those that choose a part of it."""
    return {name: value for name, value in arguments.items() if name not in {"limit", "cursor"}}


class LocalExecutor(BaseExecutor):
    """Sends operations straight to the service.

    Args:
        transport: The way to the service.
    """

    def __init__(self, transport: Transport) -> None:
        super().__init__()
        self._transport = transport

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
        described = Described(
            f"{self._transport.base_url} {operation.fingerprint(arguments, 16)}",
            size,
            _known(record, "file_name"),
            _known(record, "content_type"),
        )
        came = await self._transport.stream(
            address,
            sink,
            allowed_hosts=operation.file.allows,
            max_bytes=max_bytes,
            size=size,
            held=await sink.open(described),
            timeout=timeout,
            tell=tell,
        )
        return Streamed(
            file_name=described.file_name or came.file_name,
            content_type=described.content_type or came.content_type,
            size=came.size,
            sha256=came.sha256,
        )

    async def aclose(self) -> None:
        """Lets go of all connections; harmless when called twice."""
        await self._transport.aclose()

    async def identify(self, probe: Probe) -> Mapping[str, Any]:
        """Who the credentials belong to; every failure is a `PlugbayError`."""
        return probe.read(await self.fetch(probe.request))

    async def fetch(self, request: Request, *, deadline: Deadline | None = None) -> Any:
        """The JSON of one answer of the service; every failure is a `PlugbayError`.

        Args:
            request: What to ask for.
            deadline: When the call that it is part of must be done.
        """
        response = await self._transport.send(request, deadline=deadline)
        return None if response.status == 204 else response.json()  # noqa: PLR2004 - No Content

    async def _begin(self, *, patient: bool) -> Deadline:
        return self._transport.deadline(patient=patient)

    async def _one(
        self, operation: Operation, arguments: Mapping[str, Any], key: str | None, deadline: Deadline
    ) -> Outcome:
        payload = await self.fetch(build_request(operation, arguments, key=key), deadline=deadline)
        record = read_record(operation, payload)
        included = Included(operation.record)
        # Without a key the whole answer is the record, and nothing came beside it.
        if operation.record is not None or operation.read is not None:
            included.add(payload)
        return Outcome(record, Meta(included=included.data or None))

    async def _list(
        self, operation: Operation, pager: Pager, arguments: Mapping[str, Any], deadline: Deadline
    ) -> Outcome:
        filters, yields = filters_of(arguments), deadline.is_patient or operation.long_work

        async def read(state: str | None, size: int) -> tuple[Any, Slice]:
            request = _page_request(operation, pager, filters, state, size, yields=yields)
            payload = await self.fetch(request, deadline=deadline)
            return payload, pager.read(payload, read_records(operation, payload), state)

        return await walked(operation, arguments, read, largest=pager.largest)

    async def _download(
        self, operation: Operation, source: FileSource, arguments: Mapping[str, Any], deadline: Deadline
    ) -> Outcome:
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


def _advise(operation: Operation, arguments: Mapping[str, Any], key: str | None, error: PlugbayError) -> None:
    """Adds to the error of a call what to do if it may have been done all the same."""
    # What failed in a step before, such as the token's, says nothing of the write.
    if isinstance(error, ResponseIntegrityError) and "step" not in (error.details or {}):
        uncertain(operation, error)
    if not is_unknown(error):
        return
    if key is not None and error.retryable:
        return
    if key is None:
        advice = _advice(operation, arguments)
    else:
        # Its answer came and cannot be used; the key brings the same record again.
        error.retryable, advice = True, SAME_KEY
    if advice not in (error.hint or ""):
        error.hint = f"{error.hint} {advice}"


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
