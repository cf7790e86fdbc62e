"""Runs an operation: from bound arguments to data.

`LocalExecutor` sends it to the service itself. The seam is the protocol
`Executor`: who sends and with whose credentials is no concern of the connector.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Protocol

from plugbay.errors import DeadlineExceededError, PlugbayError, ResponseIntegrityError
from plugbay.idempotency import IdempotencyKeys
from plugbay.inbound import incomplete, read_record, read_records, sideloaded, uncertain
from plugbay.operation import FileSource, Operation, Pager, Slice
from plugbay.outbound import build_request
from plugbay.outcome import Outcome
from plugbay.result import Meta
from plugbay.transport import Request, Transport
from plugbay.walk import Walk
from plugbay.window import DEFAULT_WINDOW, window

__all__ = ["DEFAULT_LIMIT", "Executor", "LocalExecutor"]

DEFAULT_LIMIT = 100
"""Records of a list that nobody set a limit for."""


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
        self._keys = IdempotencyKeys()

    async def run(self, operation: Operation, arguments: Mapping[str, Any]) -> Outcome:
        """Sends the operation with bound arguments; every failure is a `PlugbayError`."""
        if operation.pager is not None:
            return await self._list(operation, operation.pager, arguments)
        if operation.file is not None:
            return await self._download(operation, operation.file, arguments)
        key = self._keys.key_for(operation, arguments)
        try:
            outcome = await self._one(operation, build_request(operation, arguments, key=key))
        except PlugbayError as error:
            self._keys.done(operation, arguments, key, error)
            raise
        self._keys.done(operation, arguments, key, None)
        return outcome

    async def aclose(self) -> None:
        """Lets go of all connections; harmless when called twice."""
        await self._transport.aclose()

    async def fetch(self, request: Request, *, within: float | None = None) -> Any:
        """The JSON of one answer of the service; every failure is a `PlugbayError`.

        Args:
            request: What to ask for.
            within: The seconds left for it, where it is part of a longer call.
        """
        response = await self._transport.send(request, within=within)
        return None if response.status == 204 else response.json()  # noqa: PLR2004 - No Content

    async def _one(self, operation: Operation, request: Request) -> Outcome:
        try:
            payload = await self.fetch(request)
            record = read_record(operation, payload)
        except ResponseIntegrityError as error:
            uncertain(operation, error)
            raise
        # Without a key the whole answer is the record, and nothing came beside it.
        whole = operation.record is None and operation.read is None
        included = {} if whole else sideloaded(payload, operation.record)
        return Outcome(record, Meta(included=included or None))

    async def _list(self, operation: Operation, pager: Pager, arguments: Mapping[str, Any]) -> Outcome:
        clock = _Clock(self._transport.timeout)
        filters = {name: value for name, value in arguments.items() if name not in {"limit", "cursor"}}
        walk = Walk(operation, filters, arguments.get("cursor"))
        limit = arguments.get("limit")
        wanted = min(pager.largest, DEFAULT_LIMIT) if limit is None else limit
        part = Slice([], None)
        while len(walk.records) < wanted:
            size = min(wanted - len(walk.records) + walk.skip, pager.largest)
            request = _page_request(operation, pager, filters, walk.state, size)
            payload = await self.fetch(request, within=clock.left(operation))
            found = read_records(operation, payload)
            sideloaded(payload, operation.record, walk.included)
            part = pager.read(payload, found, walk.state)
            if not walk.take(part, wanted) or (limit is None and walk.records):
                break
        return walk.outcome(part)

    async def _download(self, operation: Operation, source: FileSource, arguments: Mapping[str, Any]) -> Outcome:
        clock = _Clock(self._transport.timeout)
        record = read_record(operation, await self.fetch(build_request(operation, arguments)))
        address = record.get(source.url)
        if not isinstance(address, str):
            raise incomplete(operation, f"`{source.url}`, the address of the file,", record)
        offset = arguments.get("offset") or 0
        part = await self._transport.download(
            address,
            allowed_hosts=source.allows,
            offset=offset,
            max_bytes=arguments.get("max_bytes") or DEFAULT_WINDOW,
            within=clock.left(operation),
        )
        return window(record, part.data, offset, part.total)


class _Clock:
    """The time of one call that takes several requests."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = time.monotonic() + seconds

    def left(self, operation: Operation) -> float:
        """The seconds left.

        Raises:
            DeadlineExceededError: There are none.
        """
        left = self._until - time.monotonic()
        if left <= 0:
            raise DeadlineExceededError(
                f"{operation.name} did not end within {self._seconds:g} seconds.",
                hint="Ask for fewer records at a time and go on with the cursor.",
                details={"timeout": self._seconds},
            )
        return left


def _page_request(
    operation: Operation, pager: Pager, filters: Mapping[str, Any], state: str | None, size: int
) -> Request:
    replaced = pager.replaces() if state is not None else ()
    kept = {name: value for name, value in filters.items() if name not in replaced}
    request = build_request(operation, kept)
    place = pager.query(state, size)
    # A service's own link to the next page repeats the filters.
    named = {name for name, _ in place}
    query = tuple((name, value) for name, value in request.query if name not in named)
    return Request(request.method, request.path, query + place, repeatable=True)
