"""Runs operations by a hosted service, which holds the credentials and calls the connector's service itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from plugbay.download import Streamed
from plugbay.errors import AuthenticationError, ConfigurationError, ConnectorNotFoundError, ServiceError
from plugbay.executor import BaseExecutor, Probe, filters_of, walked
from plugbay.hosted.answer import Answer, read_answer, record_of, records_of
from plugbay.hosted.api import CONNECTORS, HostedApi
from plugbay.hosted.dialect import PER_PAGE, PageReader, vendor_params
from plugbay.hosted.errors import rebuilt
from plugbay.hosted.lookup import Lookup, meant
from plugbay.hosted.reading import Reading
from plugbay.json_safe import dumps, is_object
from plugbay.operation import Effect, FileSource, Operation, Pager, Slice
from plugbay.outcome import Outcome
from plugbay.result import Meta
from plugbay.sink import Described, Sink, Tell
from plugbay.trace import current_trace
from plugbay.transport import Bounds, Deadline, Request
from plugbay.types import AirbyteAuthConfig
from plugbay.window import DEFAULT_WINDOW, window, window_meta

__all__ = ["HostedExecutor"]

T = TypeVar("T")

KEY_HEADER = "Idempotency-Key"

_OF_A_CHECK = frozenset({"status", "error"})
"""What a check says of itself, and no identity may say in its place."""


class HostedExecutor(BaseExecutor):
    """Sends operations to a hosted service. Building one opens nothing and sends nothing.

    Args:
        config: The service, the client, and the connector or its workspace.
        slug: The kind of connector.
        definition_id: What the service knows that kind by.
        bounds: What a call may take.

    Raises:
        ConfigurationError: The connector's id or the bounds make no sense.
    """

    def __init__(self, config: AirbyteAuthConfig, slug: str, definition_id: str, bounds: Bounds) -> None:
        super().__init__()
        self._api = HostedApi(config, bounds, meant(config, slug))
        self._lookup = Lookup(self._api, config, slug, definition_id)

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
        deadline = await self._begin(patient=False)
        identity = f"{await self._lookup.id(deadline)} {operation.fingerprint(arguments, 16)}"
        held = await sink.open(Described(identity, None))

        async def bring(connector_id: str) -> Streamed:
            came = await self._api.transport.stream(
                self._file_request(operation, arguments, connector_id),
                sink,
                allowed_hosts=(),
                max_bytes=max_bytes,
                held=held,
                timeout=timeout,
                tell=tell,
            )
            return Streamed(
                file_name=came.file_name, content_type=came.content_type, size=came.size, sha256=came.sha256
            )

        return await self._at(deadline, bring)

    async def identify(self, probe: Probe) -> Mapping[str, Any]:
        """Who the credentials belong to, which the hosted service asks by itself; every failure is a `PlugbayError`."""
        del probe
        deadline = await self._begin(patient=False)

        async def check(connector_id: str) -> Any:
            path = f"{CONNECTORS}/{connector_id}/check"
            request = Request("POST", path, repeatable=True, reads=True, group=f"{connector_id} check")
            return await self._api.fetch(request, deadline)

        return _identity(await self._at(deadline, check))

    async def aclose(self) -> None:
        """Lets go of all connections; harmless when called twice."""
        await self._api.aclose()

    @property
    def _knows_keys(self) -> bool:
        """The vendor's service hands no keys on."""
        return self._api.is_ours

    async def _begin(self, *, patient: bool) -> Deadline:
        """With the token comes how the service is spoken with, which decides all else."""
        deadline = self._api.transport.deadline(patient=patient)
        await self._api.sign_in(deadline)
        return deadline

    async def _one(
        self, operation: Operation, arguments: Mapping[str, Any], key: str | None, deadline: Deadline
    ) -> Outcome:
        params = dict(arguments) if self._api.is_ours else vendor_params(operation, arguments)
        answer = await self._execute(operation, params, deadline, key=key)
        meta = Meta(
            included=answer.said("included", dict) or None,
            note=answer.said("note", str),
            dry_run=answer.is_dry or None,
        )
        return Outcome(record_of(operation, answer), meta)

    async def _list(
        self, operation: Operation, pager: Pager, arguments: Mapping[str, Any], deadline: Deadline
    ) -> Outcome:
        if self._api.is_ours:
            return await self._read(operation, arguments, deadline)
        reader, filters = PageReader(operation), vendor_params(operation, filters_of(arguments))

        async def read(state: str | None, size: int) -> tuple[Any, Slice]:
            place = reader.params(state, size)
            answer = await self._execute(operation, {**filters, **place}, deadline)
            return answer.said("included", dict), reader.read(answer, records_of(operation, answer), place)

        return await walked(operation, arguments, read, largest=min(pager.largest, PER_PAGE))

    async def _read(self, operation: Operation, arguments: Mapping[str, Any], deadline: Deadline) -> Outcome:
        reading, trace = Reading(operation, arguments), current_trace()
        while True:
            answer = await self._execute(operation, reading.params(), deadline)
            records = records_of(operation, answer)
            is_more = reading.take(answer, records)
            trace.pages += 1
            trace.tell("page", number=trace.pages, records=len(records), total=answer.pagination.get("total"))
            if not is_more:
                return reading.outcome(answer)

    async def _download(
        self, operation: Operation, source: FileSource, arguments: Mapping[str, Any], deadline: Deadline
    ) -> Outcome:
        del source
        if self._api.is_ours:
            answer = await self._execute(operation, arguments, deadline)
            content = record_of(operation, answer)
            return Outcome(content, window_meta(content))
        offset = arguments.get("offset") or 0

        async def bring(connector_id: str) -> Outcome:
            part = await self._api.transport.download(
                self._file_request(operation, arguments, connector_id),
                allowed_hosts=(),
                offset=offset,
                max_bytes=arguments.get("max_bytes") or DEFAULT_WINDOW,
                deadline=deadline,
            )
            record = {"file_name": part.file_name, "content_type": part.content_type}
            return window(record, part.data, offset, part.total)

        return await self._at(deadline, bring)

    async def _execute(
        self, operation: Operation, params: Mapping[str, Any], deadline: Deadline, *, key: str | None = None
    ) -> Answer:
        """The answer to an execution; it is sent once more if the connector that was found before is another by now."""

        async def send(connector_id: str) -> Any:
            return await self._api.fetch(_request(operation, params, connector_id, key), deadline)

        return read_answer(operation, await self._at(deadline, send))

    async def _at(self, deadline: Deadline, send: Callable[[str], Awaitable[T]]) -> T:
        """What `send` gives for the connector; what is not there any more is looked up once anew."""
        connector_id = await self._lookup.id(deadline)
        try:
            return await send(connector_id)
        except ConnectorNotFoundError:
            other = await self._lookup.id(deadline, stale=connector_id)
            if other == connector_id:
                raise
        return await send(other)

    def _file_request(self, operation: Operation, arguments: Mapping[str, Any], connector_id: str) -> Request:
        """How the bytes of a file are asked for: in a way that can be gone on with, if there is one."""
        wanted = {name: value for name, value in arguments.items() if name not in {"offset", "max_bytes"}}
        if not self._api.is_ours:
            return self._api.addressed(_request(operation, vendor_params(operation, wanted), connector_id))
        request = Request(
            "GET",
            f"{CONNECTORS}/{connector_id}/download",
            (("entity", operation.entity), ("params", dumps(wanted))),
            repeatable=True,
            group=f"{connector_id} {operation.name}",
        )
        return self._api.addressed(request)


def _request(operation: Operation, params: Mapping[str, Any], connector_id: str, key: str | None = None) -> Request:
    reads = operation.effect is Effect.READ
    body = {"entity": operation.entity, "action": operation.action, "params": params, "skip_truncation": True}
    return Request(
        "POST",
        f"{CONNECTORS}/{connector_id}/execute",
        json=body,
        headers={} if key is None else {KEY_HEADER: key},
        repeatable=reads or key is not None,
        # What the connector's service refuses for a while is no reason to leave other connectors alone.
        group=f"{connector_id} {operation.name}",
        reads=reads,
    )


def _identity(body: Any) -> Mapping[str, Any]:
    """What a check says of who the credentials belong to; raises if it did not succeed."""
    told: Mapping[str, Any] = body if is_object(body) else {}
    if told.get("status") == "succeeded":
        identity = told.get("identity")
        known: Mapping[str, Any] = identity if is_object(identity) else {}
        return {name: value for name, value in known.items() if name not in _OF_A_CHECK}
    if (failure := rebuilt(told.get("error"))) is not None:
        raise failure
    words = told.get("error_message") or told.get("failure_reason")
    said = f": {words}" if isinstance(words, str) else "."
    if told.get("status") == "failed":
        raise AuthenticationError(f"The check of the connector failed{said}", hint="Give its credentials anew.")
    raise ServiceError(f"The check of the connector ended as {str(told.get('status'))[:50]!r}{said}")
