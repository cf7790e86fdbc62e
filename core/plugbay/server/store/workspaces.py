"""Workspaces: an organization's rooms, each with connectors of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from plugbay.errors import ConflictError, NotFoundError
from plugbay.server.database import Database
from plugbay.server.store.rows import insert_or, new_id, now, record
from plugbay.server.store.slice import Slice, after, clipped, cut, ordered
from plugbay.server.tables import workspaces

__all__ = ["Workspace", "WorkspaceStatus", "Workspaces"]

WorkspaceStatus = Literal["active", "inactive"]


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace.

    Attributes:
        id: A UUID.
        organization_id: Whose it is.
        name: Unique within its organization.
        status: Whether it is in use.
        cache_enabled: Whether its data may be kept for searches.
        created_at: Seconds since the epoch.
        updated_at: Seconds since the epoch.
    """

    id: str
    organization_id: str
    name: str
    status: WorkspaceStatus
    cache_enabled: bool
    created_at: float
    updated_at: float


class Workspaces:
    """The workspaces of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ensure(self, organization_id: str, name: str) -> Workspace:
        """The workspace of that name, made if it is not there.

        Raises:
            NotFoundError: There is no such organization.
        """
        found = await self.by_name(organization_id, name)
        if found is not None:
            return found
        at = now()
        row: dict[str, Any] = {"id": new_id(), "organization_id": organization_id, "name": name, "status": "active"}
        row |= {"cache_enabled": False, "created_at": at, "updated_at": at}
        query = select(workspaces).where(workspaces.c.organization_id == organization_id, workspaces.c.name == name)
        try:
            async with self._database.begin() as connection:
                # Another may have made it since.
                await connection.execute(insert_or(connection, workspaces).values(**row).on_conflict_do_nothing())
                return record(Workspace, (await connection.execute(query)).one())
        except IntegrityError:
            raise NotFoundError("There is no such organization.") from None

    async def get(self, organization_id: str, workspace_id: str) -> Workspace | None:
        """The workspace; None if the organization has none of that id."""
        row = await self._database.first(select(workspaces).where(*_is(organization_id, workspace_id)))
        return None if row is None else record(Workspace, row)

    async def by_name(self, organization_id: str, name: str) -> Workspace | None:
        """The workspace; None if the organization has none of that name."""
        mine = (workspaces.c.organization_id == organization_id, workspaces.c.name == name)
        row = await self._database.first(select(workspaces).where(*mine))
        return None if row is None else record(Workspace, row)

    async def list(
        self,
        organization_id: str,
        *,
        name_contains: str | None = None,
        status: WorkspaceStatus | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> Slice[Workspace]:
        """An organization's workspaces, the oldest first.

        Args:
            organization_id: Whose.
            name_contains: Only those whose name has this in it, in upper or lower case.
            status: Only those of this status.
            limit: Most to give.
            cursor: `Slice.next` of the part before.

        Raises:
            InvalidParameterError: The cursor is none of this list, or the limit is below 1.
        """
        limit = clipped(limit)
        query = select(workspaces).where(workspaces.c.organization_id == organization_id)
        if name_contains:
            query = query.where(workspaces.c.name.icontains(name_contains, autoescape=True))
        if status is not None:
            query = query.where(workspaces.c.status == status)
        query = query.where(*after(workspaces, workspaces.c.created_at, cursor, newest_first=False))
        query = ordered(query, workspaces, workspaces.c.created_at, newest_first=False).limit(limit + 1)
        rows, following = cut(await self._database.all(query), limit, workspaces.c.created_at)
        return Slice([record(Workspace, row) for row in rows], following)

    async def update(
        self,
        organization_id: str,
        workspace_id: str,
        *,
        name: str | None = None,
        status: WorkspaceStatus | None = None,
        cache_enabled: bool | None = None,
        connection: AsyncConnection | None = None,
    ) -> Workspace:
        """Changes what is given, in a transaction if one is given.

        Raises:
            NotFoundError: The organization has no such workspace.
            ConflictError: It has another of that name.
        """
        given: dict[str, Any] = {"name": name, "status": status, "cache_enabled": cache_enabled}
        values = {key: value for key, value in given.items() if value is not None}
        change = update(workspaces).where(*_is(organization_id, workspace_id)).values(**values, updated_at=now())
        try:
            async with self._database.begin(connection) as own:
                row = (await own.execute(change.returning(workspaces))).first()
        except IntegrityError:
            raise ConflictError(
                "The organization has another workspace of that name.", details={"field": "name"}
            ) from None
        if row is None:
            raise NotFoundError("There is no such workspace.")
        return record(Workspace, row)

    async def delete(
        self, organization_id: str, workspace_id: str, *, connection: AsyncConnection | None = None
    ) -> bool:
        """Removes a workspace with its connectors, their secrets and the tokens that are bound to it.

        Args:
            organization_id: Whose.
            workspace_id: Which.
            connection: A transaction to do it in.

        Returns:
            Whether it was there.
        """
        async with self._database.begin(connection) as own:
            ended = await own.execute(delete(workspaces).where(*_is(organization_id, workspace_id)))
            return bool(ended.rowcount)


def _is(organization_id: str, workspace_id: str) -> tuple[Any, ...]:
    return workspaces.c.organization_id == organization_id, workspaces.c.id == workspace_id
