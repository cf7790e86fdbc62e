"""Connectors: an account of a service, and what it is reached with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Select, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from plugbay.errors import NotFoundError
from plugbay.server.database import Database
from plugbay.server.store.rows import new_id, now, record
from plugbay.server.store.secrets import Secrets
from plugbay.server.store.slice import Slice, after, clipped, cut, ordered
from plugbay.server.tables import connectors, organizations, workspaces

__all__ = ["ConnectorRecord", "ConnectorStatus", "Connectors"]

ConnectorStatus = Literal["active", "needs_reauth"]

_SETTINGS = frozenset({"name", "replication_config", "entities"})


@dataclass(frozen=True, slots=True)
class ConnectorRecord:
    """A connector, without its credentials.

    Attributes:
        id: A UUID.
        organization_id: Whose it is.
        workspace_id: Where it is.
        workspace_name: The name of where it is.
        workspace_status: `"active"`, or `"inactive"` while it is switched off.
        policy: Its organization's.
        connector_type: For example `"zendesk-support"`.
        name: For people.
        subdomain: The account's.
        replication_config: As it was given.
        entities: The entities that are wanted; None for all.
        auth_kind: `"oauth"`, `"token"` or `"client_credentials"`.
        status: Whether the service still takes its credentials.
        status_reason: Why it does not, for a person.
        checked_at: When it was checked last, in seconds since the epoch.
        check_status: How that ended.
        version: Raised whenever a person changes its settings or credentials, not when a token is renewed.
        created_at: Seconds since the epoch.
        updated_at: Seconds since the epoch.
    """

    id: str
    organization_id: str
    workspace_id: str
    workspace_name: str
    workspace_status: str
    policy: dict[str, Any]
    connector_type: str
    name: str
    subdomain: str
    replication_config: dict[str, Any]
    entities: list[str] | None
    auth_kind: str
    status: ConnectorStatus
    status_reason: str | None
    checked_at: float | None
    check_status: str | None
    version: int
    created_at: float
    updated_at: float


class Connectors:
    """The connectors of a database.

    Args:
        database: The database.
        secrets: Where their credentials are.
    """

    def __init__(self, database: Database, secrets: Secrets) -> None:
        self._database = database
        self._secrets = secrets

    async def create(
        self,
        organization_id: str,
        workspace_id: str,
        *,
        connector_type: str,
        name: str,
        subdomain: str,
        replication_config: Mapping[str, Any],
        auth_kind: str,
        secret: Mapping[str, Any],
        check_status: str | None = None,
        connection: AsyncConnection | None = None,
    ) -> ConnectorRecord:
        """A new connector with its credentials, both or neither.

        Args:
            organization_id: Whose.
            workspace_id: Where it will be.
            connector_type: For example `"zendesk-support"`.
            name: For people.
            subdomain: The account's.
            replication_config: Kept as it is.
            auth_kind: `"oauth"`, `"token"` or `"client_credentials"`.
            secret: The credentials.
            check_status: How the check of the credentials ended, if there was one now.
            connection: A transaction to do it in.

        Raises:
            NotFoundError: The organization has no such workspace.
        """
        at, identifier = now(), new_id()
        row: dict[str, Any] = {
            "id": identifier,
            "organization_id": organization_id,
            "workspace_id": workspace_id,
            "connector_type": connector_type,
            "name": name,
            "subdomain": subdomain,
            "replication_config": dict(replication_config),
            "auth_kind": auth_kind,
            "status": "active",
            **_checked(check_status),
            "version": 1,
            "created_at": at,
            "updated_at": at,
        }
        try:
            async with self._database.begin(connection) as own:
                await own.execute(insert(connectors).values(**row))
                await self._secrets.put(organization_id, f"connector/{identifier}", secret, connection=own)
                return await self._one(own, organization_id, identifier)
        except IntegrityError:
            raise NotFoundError("There is no such workspace.") from None

    async def get(self, organization_id: str, connector_id: str) -> ConnectorRecord | None:
        """The connector; None if the organization has none of that id."""
        row = await self._database.first(_GET, {"organization": organization_id, "connector": connector_id})
        return None if row is None else record(ConnectorRecord, row)

    async def list(
        self,
        organization_id: str,
        *,
        workspace_id: str | None = None,
        connector_type: str | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> Slice[ConnectorRecord]:
        """An organization's connectors, the oldest first.

        Args:
            organization_id: Whose.
            workspace_id: Only those in this workspace.
            connector_type: Only those of this type.
            limit: Most to give.
            cursor: `Slice.next` of the part before.

        Raises:
            InvalidParameterError: The cursor is none of this list, or the limit is below 1.
        """
        limit = clipped(limit)
        query = _select().where(connectors.c.organization_id == organization_id)
        if workspace_id is not None:
            query = query.where(connectors.c.workspace_id == workspace_id)
        if connector_type is not None:
            query = query.where(connectors.c.connector_type == connector_type)
        query = query.where(*after(connectors, connectors.c.created_at, cursor, newest_first=False))
        query = ordered(query, connectors, connectors.c.created_at, newest_first=False).limit(limit + 1)
        rows, following = cut(await self._database.all(query), limit, connectors.c.created_at)
        return Slice([record(ConnectorRecord, row) for row in rows], following)

    async def update(
        self, organization_id: str, connector_id: str, *, connection: AsyncConnection | None = None, **fields: Any
    ) -> ConnectorRecord:
        """Changes settings, and raises the version.

        Args:
            organization_id: Whose.
            connector_id: Which.
            connection: A transaction to do it in.
            fields: Of `name`, `replication_config` and `entities`.

        Raises:
            NotFoundError: The organization has no such connector.
        """
        if unknown := fields.keys() - _SETTINGS:
            raise TypeError(f"A connector has no setting {sorted(unknown)}.")
        async with self._database.begin(connection) as own:
            return await self._change(own, organization_id, connector_id, **fields, version=connectors.c.version + 1)

    async def replace_secret(
        self,
        organization_id: str,
        connector_id: str,
        secret: Mapping[str, Any],
        *,
        auth_kind: str,
        check_status: str | None = None,
        connection: AsyncConnection | None = None,
    ) -> ConnectorRecord:
        """Gives a connector other credentials: it is active again, and its version is raised.

        Args:
            organization_id: Whose.
            connector_id: Which.
            secret: The credentials.
            auth_kind: Their kind.
            check_status: How the check of them ended, if there was one now.
            connection: A transaction to do it in.

        Raises:
            NotFoundError: The organization has no such connector.
        """
        values: dict[str, Any] = {"auth_kind": auth_kind, "status": "active", "status_reason": None}
        values |= {"version": connectors.c.version + 1, **_checked(check_status)}
        async with self._database.begin(connection) as own:
            changed = await self._change(own, organization_id, connector_id, **values)
            await self._secrets.put(organization_id, f"connector/{connector_id}", secret, connection=own)
            return changed

    async def set_status(
        self,
        organization_id: str,
        connector_id: str,
        status: ConnectorStatus,
        reason: str | None = None,
        *,
        version: int | None = None,
    ) -> bool:
        """Notes whether the service still takes the credentials.

        Args:
            organization_id: Whose.
            connector_id: Which.
            status: What is known now.
            reason: Why, for a person.
            version: The version that it is known of: what a call with older credentials met says nothing of newer ones.

        Returns:
            Whether there is such a connector, in that version.
        """
        values = {"status": status, "status_reason": reason, "updated_at": now()}
        change = update(connectors).where(*_is(organization_id, connector_id)).values(**values)
        if version is not None:
            change = change.where(connectors.c.version == version)
        return bool(await self._database.change(change))

    async def note_check(self, organization_id: str, connector_id: str, status: str) -> ConnectorRecord:
        """Notes how a check ended, now.

        Args:
            organization_id: Whose.
            connector_id: Which.
            status: `"succeeded"`, `"failed"` or `"inconclusive"`.

        Raises:
            NotFoundError: The organization has no such connector.
        """
        async with self._database.begin() as connection:
            return await self._change(connection, organization_id, connector_id, **_checked(status))

    async def delete(
        self, organization_id: str, connector_id: str, *, connection: AsyncConnection | None = None
    ) -> bool:
        """Removes a connector and its credentials; returns whether it was there.

        Args:
            organization_id: Whose.
            connector_id: Which.
            connection: A transaction to do it in.
        """
        async with self._database.begin(connection) as own:
            ended = await own.execute(delete(connectors).where(*_is(organization_id, connector_id)))
            return bool(ended.rowcount)

    async def _change(
        self, connection: AsyncConnection, organization_id: str, connector_id: str, **values: Any
    ) -> ConnectorRecord:
        change = update(connectors).where(*_is(organization_id, connector_id)).values(**values, updated_at=now())
        if not (await connection.execute(change)).rowcount:
            raise NotFoundError("There is no such connector.")
        return await self._one(connection, organization_id, connector_id)

    async def _one(self, connection: AsyncConnection, organization_id: str, connector_id: str) -> ConnectorRecord:
        query = _select().where(*_is(organization_id, connector_id))
        return record(ConnectorRecord, (await connection.execute(query)).one())


def _checked(status: str | None) -> dict[str, Any]:
    return {} if status is None else {"check_status": status, "checked_at": now()}


def _select() -> Select[Any]:
    columns = [_ELSEWHERE[name] if name in _ELSEWHERE else connectors.c[name] for name in _FIELDS]
    named = [column.label(name) for name, column in zip(_FIELDS, columns, strict=True)]
    within = select(*named).join(workspaces, workspaces.c.id == connectors.c.workspace_id)
    return within.join(organizations, organizations.c.id == connectors.c.organization_id)


_FIELDS = tuple(ConnectorRecord.__dataclass_fields__)

_ELSEWHERE = {
    "workspace_name": workspaces.c.name,
    "workspace_status": workspaces.c.status,
    "policy": organizations.c.policy,
}
"""What a call needs to know beside the connector's own row."""


def _is(organization_id: Any, connector_id: Any) -> tuple[Any, ...]:
    return connectors.c.organization_id == organization_id, connectors.c.id == connector_id


_GET = _select().where(*_is(bindparam("organization"), bindparam("connector")))
"""Made once, since every call of a connector asks it."""
