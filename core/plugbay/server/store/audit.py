"""The audit trail: who did what, with which outcome. What was done is known even if the process dies of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sqlalchemy import ColumnElement, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import TypedDict, Unpack

from plugbay.server.database import Database
from plugbay.server.logs import request_id_of_now
from plugbay.server.store.group import GroupCommit
from plugbay.server.store.rows import new_id, now, record
from plugbay.server.store.slice import Slice, after, clipped, cut, ordered
from plugbay.server.tables import audit

__all__ = ["Audit", "AuditEntry", "AuditFilters", "Via"]

Via = Literal["api", "mcp", "web", "cli"]

PAGE = 500
"""Entries that an export reads at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Something that was done.

    Attributes:
        id: A UUID.
        at: Seconds since the epoch.
        organization_id: Whose data it concerns.
        workspace_id: Where.
        connector_id: With which connector.
        client_id: By which client; None for the operator.
        via: By which way.
        event: `"execute"`, `"connector.created"`, `"token.issued"` and the like.
        subject: What it concerns beside these: the id of a client or a grant, a kind of connector.
        entity: Of what, for `"execute"`.
        action: Which action, for `"execute"`.
        effect: Whether it reads, writes or destroys.
        outcome: `"started"`, `"ok"`, or an error's code.
        fate: What is known of a write that failed.
        intent: Why, in the caller's words.
        request_id: The request's; if not given, of the one that is being answered, if any.
        duration_ms: How long it took, in milliseconds.
        content: What was sent, if that is to be kept; of a setting, what it is from then on.
    """

    id: str = field(default_factory=new_id)
    at: float = field(default_factory=now)
    organization_id: str
    workspace_id: str | None = None
    connector_id: str | None = None
    client_id: str | None = None
    via: Via = "api"
    event: str
    subject: str | None = None
    entity: str | None = None
    action: str | None = None
    effect: str | None = None
    outcome: str = "ok"
    fate: str | None = None
    intent: str | None = None
    request_id: str | None = field(default_factory=request_id_of_now.get)
    duration_ms: float | None = None
    content: dict[str, Any] | None = field(default=None, repr=False)

    def changed(self, **values: Any) -> AuditEntry:
        """The entry with other values."""
        return replace(self, **values)


class AuditFilters(TypedDict, total=False):
    """Which entries are meant: those that fit all of it; None is as good as nothing.

    Attributes:
        connector_id: Of this connector; likewise the others.
        workspace_id: See above.
        client_id: See above.
        event: See above.
        subject: See above.
        entity: See above.
        action: See above.
        outcome: See above.
        since: From then on, in seconds since the epoch.
        until: Before then.
    """

    connector_id: str | None
    workspace_id: str | None
    client_id: str | None
    event: str | None
    subject: str | None
    entity: str | None
    action: str | None
    outcome: str | None
    since: float | None
    until: float | None


_FIELDS = tuple(AuditEntry.__dataclass_fields__)

_FINISH = (
    update(audit)
    .where(audit.c.id == bindparam("entry_id"), audit.c.outcome == "started")
    .values(
        outcome=bindparam("new_outcome"),
        fate=bindparam("new_fate"),
        duration_ms=bindparam("new_duration"),
    )
)


class Audit:
    """The audit trail of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._group: GroupCommit[_Part] = GroupCommit(database, _write)

    async def record(self, entry: AuditEntry, *, connection: AsyncConnection | None = None) -> str:
        """Notes an entry; it is durable when this returns, or when the transaction ends. Returns its id.

        Without a transaction, a caller that is cancelled goes at once; the entry is noted all the same.

        Args:
            entry: The entry.
            connection: The transaction of what it tells of, which is then done and noted, or neither.

        Raises:
            ServiceError: The database cannot be reached.
        """
        part = _Part(entry={name: getattr(entry, name) for name in _FIELDS})
        if connection is None:
            await self._group.submit(part)
        else:
            await _write(connection, [part])
        return entry.id

    async def finish(
        self,
        entry_id: str,
        *,
        outcome: str,
        fate: str | None = None,
        duration_ms: float | None = None,
    ) -> None:
        """Notes how an entry with the outcome `"started"` ended; any other stays as it is.

        Args:
            entry_id: The entry's.
            outcome: `"ok"`, or an error's code.
            fate: What is known of a write that failed.
            duration_ms: How long it took, in milliseconds.

        Raises:
            ServiceError: The database cannot be reached.
        """
        end = {"new_outcome": outcome, "new_fate": fate, "new_duration": duration_ms}
        await self._group.submit(_Part(end={"entry_id": entry_id, **end}))

    async def query(
        self, organization_id: str, *, limit: int = 100, cursor: str | None = None, **filters: Unpack[AuditFilters]
    ) -> Slice[AuditEntry]:
        """An organization's entries, the newest first.

        Args:
            organization_id: Whose.
            limit: Most to give.
            cursor: `Slice.next` of the part before.
            filters: Which of them.

        Raises:
            InvalidParameterError: The cursor is none of this list, or the limit is below 1.
        """
        limit = clipped(limit)
        query = select(audit).where(*_where(organization_id, filters))
        query = query.where(*after(audit, audit.c.at, cursor, newest_first=True))
        query = ordered(query, audit, audit.c.at, newest_first=True).limit(limit + 1)
        rows, following = cut(await self._database.all(query), limit, audit.c.at)
        return Slice([record(AuditEntry, row) for row in rows], following)

    async def export(self, organization_id: str, **filters: Unpack[AuditFilters]) -> AsyncGenerator[AuditEntry]:
        """An organization's entries, the oldest first; no connection is held between them.

        Args:
            organization_id: Whose.
            filters: Which of them.
        """
        where = _where(organization_id, filters)
        cursor: str | None = None
        while True:
            query = select(audit).where(*where, *after(audit, audit.c.at, cursor, newest_first=False))
            query = ordered(query, audit, audit.c.at, newest_first=False).limit(PAGE + 1)
            rows, cursor = cut(await self._database.all(query), PAGE, audit.c.at)
            for row in rows:
                yield record(AuditEntry, row)
            if cursor is None:
                return

    async def purge(self, before: float) -> int:
        """Forgets entries from before then (seconds since the epoch); returns how many."""
        async with self._database.begin() as connection:
            return (await connection.execute(delete(audit).where(audit.c.at < before))).rowcount


@dataclass(frozen=True, slots=True)
class _Part:
    """An entry, or the end of one."""

    entry: dict[str, Any] | None = None
    end: dict[str, Any] | None = None


async def _write(connection: AsyncConnection, parts: Sequence[_Part]) -> None:
    # Whoever ends an entry waited until it was there, so it is not in the same group.
    if entries := [part.entry for part in parts if part.entry is not None]:
        await connection.execute(insert(audit), entries)
    if ends := [part.end for part in parts if part.end is not None]:
        await connection.execute(_FINISH, ends)


def _where(organization_id: str, filters: AuditFilters) -> list[ColumnElement[bool]]:
    given = {name: value for name, value in filters.items() if value is not None}
    since, until = given.pop("since", None), given.pop("until", None)
    found: list[ColumnElement[bool]] = [audit.c[name] == value for name, value in given.items()]
    found += [] if since is None else [audit.c.at >= since]
    found += [] if until is None else [audit.c.at < until]
    return [audit.c.organization_id == organization_id, *found]
