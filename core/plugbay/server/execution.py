"""One call of a connector, for whoever asks: found, allowed, noted, run, and noted again.

The API, the web page and MCP all come this way, so what is forbidden is forbidden everywhere and what is done is in
the audit log, whoever did it. A write is noted before it is sent.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plugbay.context import under_key
from plugbay.errors import AuthenticationError, PlugbayError, UnknownOperationError
from plugbay.finishing import outlast
from plugbay.json_safe import to_json
from plugbay.operation import Effect, Operation
from plugbay.outcome import is_unknown
from plugbay.plain_text import one_line
from plugbay.server.caller import Caller, is_id
from plugbay.server.catalog import by_type
from plugbay.server.failures import ApiError, invalid
from plugbay.server.params import our_params
from plugbay.server.store import AuditEntry

if TYPE_CHECKING:
    from plugbay.connectors.zendesk.connector import ZendeskConnector
    from plugbay.result import Result
    from plugbay.server.catalog import Definition
    from plugbay.server.meant import Meant
    from plugbay.server.state import Server
    from plugbay.server.store import ConnectorRecord, ConnectorStatus

__all__ = [
    "LONGEST_INTENT",
    "Executed",
    "Wish",
    "check_active",
    "check_running",
    "definition_of_record",
    "find_connector",
    "no_connector",
    "note_status",
    "noted",
    "run_action",
]

logger = logging.getLogger("plugbay.server")

LONGEST_INTENT = 512
"""Characters of what a caller says a call is for."""

LONGEST_KEY = 255
"""Characters of an idempotency key, as at Zendesk."""

_LONGEST_SHOWN = 100
"""Characters of what was given for an id that are told back."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be called.

    Attributes:
        entity: As `tickets`.
        action: As `list`.
        params: Arguments by name; the vendor's names for them are taken too.
        select_fields: Keep only these fields of each record.
        exclude_fields: Leave these fields out.
        skip_truncation: Whether to leave long texts whole.
        intent: What it is for, in the caller's words, for the audit log.
        key: The caller's idempotency key.
        request_id: Of the request that brings the wish.
    """

    entity: str
    action: str
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])
    select_fields: Sequence[str] | None = None
    exclude_fields: Sequence[str] | None = None
    skip_truncation: bool = True
    intent: str | None = None
    key: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Executed:
    """What came of a wish.

    Attributes:
        result: As the engine gives it.
        operation: What was called.
        seconds: How long it took.
        connector_id: The connector that was called.
    """

    result: Result
    operation: Operation
    seconds: float
    connector_id: str


async def find_connector(
    server: Server, caller: Caller, connector_id: str, meant: Meant | None = None
) -> ConnectorRecord:
    """A connector that the caller may see.

    Args:
        server: The server.
        caller: Who asks.
        connector_id: Its id, in upper or lower case (RFC 9562 section 4).
        meant: What it is meant to be, if the caller says so.

    Raises:
        ApiError: 404, there is none, or it is not what is meant.
    """
    known_as = connector_id.lower()
    record = await server.connectors.get(caller.organization_id, known_as) if is_id(known_as) else None
    if record is None or not caller.sees(record.workspace_id):
        raise no_connector(connector_id)
    if meant is not None:
        meant.check(record)
    return record


def no_connector(connector_id: str) -> ApiError:
    """The error of a connector that is not there, or not the caller's."""
    return ApiError(
        404,
        f"There is no connector {one_line(connector_id)[:_LONGEST_SHOWN]}.",
        error_code="connector_not_found",
        hint="It may have been deleted, or belong to another workspace or organization.",
    )


def definition_of_record(record: ConnectorRecord) -> Definition:
    """The kind of a connector.

    Raises:
        ApiError: 404, it is one that the server no longer has.
    """
    definition = by_type(record.connector_type)
    if definition is None:
        raise no_connector(record.id)
    return definition


async def run_action(
    server: Server, caller: Caller, connector_id: str, wish: Wish, meant: Meant | None = None
) -> Executed:
    """Runs one action of a connector.

    Args:
        server: The server.
        caller: Who asks.
        connector_id: The connector.
        wish: What is to be called.
        meant: What the connector is meant to be, if the caller says so.

    Raises:
        ApiError: 404, the caller has no such connector; 422, the intent or the key cannot be kept.
        PlugbayError: Any failure of the call itself.
    """
    record = await find_connector(server, caller, connector_id, meant)
    started = time.monotonic()
    async with noted(server, caller, record, wish) as (operation, connector):
        with under_key(_own_key(caller, record, wish.key)):
            result = await connector.execute(
                wish.entity,
                wish.action,
                our_params(operation, wish.params),
                select_fields=wish.select_fields,
                exclude_fields=wish.exclude_fields,
                skip_truncation=wish.skip_truncation,
            )
    return Executed(result, operation, time.monotonic() - started, record.id)


@asynccontextmanager
async def noted(
    server: Server, caller: Caller, record: ConnectorRecord, wish: Wish
) -> AsyncGenerator[tuple[Operation, ZendeskConnector]]:
    """The operation and the live connector of a wish, for a block whose outcome goes into the audit log.

    Args:
        server: The server.
        caller: Who asks.
        record: The connector, which the caller may see.
        wish: What is to be called.

    Raises:
        ApiError: 422, the intent or the key cannot be kept.
        UnknownOperationError: There is no such entity or action.
    """
    _check(wish)
    definition = definition_of_record(record)
    check_running(record)
    note = _Note(server, caller, record, wish)
    try:
        operation = definition.connector.find(wish.entity, wish.action)
    except UnknownOperationError as error:
        await note.end(error)
        raise
    await note.begin(operation)
    try:
        async with server.engines.use(record) as connector:
            yield operation, connector
    except BaseException as error:
        await _to_its_end(note.end(error))
        raise
    await _to_its_end(note.end(None))


def check_running(record: ConnectorRecord) -> None:
    """Lets a connector run.

    Raises:
        ApiError: 403, its workspace is switched off.
    """
    check_active(record.workspace_status)


def check_active(workspace_status: str) -> None:
    """Lets a workspace be used.

    Raises:
        ApiError: 403, it is switched off.
    """
    if workspace_status != "active":
        raise ApiError(
            403,
            "The workspace is switched off.",
            error_code="workspace_inactive",
            hint="An application's token switches it on: PUT /api/v1/workspaces/{id} with the status active.",
        )


async def note_status(
    server: Server, record: ConnectorRecord, status: ConnectorStatus, reason: str | None = None
) -> None:
    """Notes what a call told of a connector's credentials, unless it has others by now."""
    await server.connectors.set_status(record.organization_id, record.id, status, reason, version=record.version)


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Work that is done although the request it is for may be broken off."""
    task = asyncio.ensure_future(work)
    await outlast(task)
    task.result()


class _Note:
    """What the audit log is told of one call.

    Args:
        server: The server.
        caller: Who asks.
        record: The connector.
        wish: What is to be called.
    """

    def __init__(self, server: Server, caller: Caller, record: ConnectorRecord, wish: Wish) -> None:
        self._server = server
        self._record = record
        self._started = time.monotonic()
        self._entry_id: str | None = None
        self._effect: str | None = None
        self._entry = AuditEntry(
            organization_id=record.organization_id,
            workspace_id=record.workspace_id,
            connector_id=record.id,
            client_id=caller.client_id,
            via=caller.via,
            event="execute",
            entity=one_line(wish.entity)[:100],
            action=one_line(wish.action)[:100],
            intent=None if wish.intent is None else one_line(wish.intent),
            request_id=wish.request_id,
            outcome="started",
            content={"params": to_json(dict(wish.params))} if server.settings.audit_content else None,
        )

    async def begin(self, operation: Operation) -> None:
        """Notes a write before it is sent."""
        self._effect = operation.effect.value
        self._entry = self._entry.changed(effect=self._effect)
        if operation.effect is not Effect.READ:
            self._entry_id = await self._server.audit.record(self._entry)

    async def end(self, error: BaseException | None) -> None:
        """Notes how the call ended, and what that tells of the connector."""
        outcome, fate = _outcome(error), self._fate(error)
        duration = round((time.monotonic() - self._started) * 1000)
        if self._entry_id is None:
            await self._server.audit.record(self._entry.changed(outcome=outcome, fate=fate, duration_ms=duration))
            await self._tell_of_the_grant(error)
            return
        try:
            await self._server.audit.finish(self._entry_id, outcome=outcome, fate=fate, duration_ms=duration)
            await self._tell_of_the_grant(error)
        except PlugbayError as failure:
            # What became of the write is what its caller must learn; that it was begun is noted already.
            logger.warning("the end of a write could not be noted", extra={"error": failure.code})

    def _fate(self, error: BaseException | None) -> str | None:
        """What the outcome does not say of a write: that it may have been done, or that it was not meant to be."""
        if error is not None:
            return "unknown" if self._is_doubtful(error) else None
        return "dry_run" if self._entry_id is not None and self._record.policy.get("dry_run") else None

    def _is_doubtful(self, error: BaseException) -> bool:
        is_cut_off = self._entry_id is not None and not isinstance(error, PlugbayError)
        return is_cut_off or is_unknown(error)

    async def _tell_of_the_grant(self, error: BaseException | None) -> None:
        if isinstance(error, AuthenticationError):
            await note_status(self._server, self._record, "needs_reauth", error.message)
        elif error is None and self._record.status != "active":
            await note_status(self._server, self._record, "active")


def _outcome(error: BaseException | None) -> str:
    if error is None:
        return "ok"
    if isinstance(error, PlugbayError):
        return error.code
    return "failed" if isinstance(error, Exception) else "cancelled"


def _check(wish: Wish) -> None:
    if wish.intent is not None and len(wish.intent) > LONGEST_INTENT:
        raise invalid("intent", f"intent has at most {LONGEST_INTENT} characters.")
    key = wish.key
    if key is not None and not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise invalid("Idempotency-Key", f"Idempotency-Key is 1 to {LONGEST_KEY} printable ASCII characters.")


def _own_key(caller: Caller, record: ConnectorRecord, key: str | None) -> str | None:
    """The key as Zendesk is told it: two who choose the same do not mean the same call.

    A client's tokens may be in the hands of several people, each with a workspace, and workspaces may share an account.
    """
    if key is None:
        return None
    return hashlib.sha256(f"{caller.client_id}\n{record.workspace_id}\n{key}".encode()).hexdigest()[:40]
