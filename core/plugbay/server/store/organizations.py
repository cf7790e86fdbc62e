"""Organizations: whose everything else is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from plugbay.errors import NotFoundError
from plugbay.server.database import Database
from plugbay.server.store.rows import new_id, now, record
from plugbay.server.tables import organizations

__all__ = ["Organization", "Organizations"]


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization.

    Attributes:
        id: A UUID.
        name: For people.
        policy: What its connectors may do; empty restricts nothing.
        redirect_urls: Where a browser may be sent after consent.
        created_at: Seconds since the epoch.
    """

    id: str
    name: str
    policy: dict[str, Any]
    redirect_urls: list[str]
    created_at: float


class Organizations:
    """The organizations of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, name: str, *, connection: AsyncConnection | None = None) -> Organization:
        """A new organization, without policy and redirect URLs.

        Args:
            name: For people.
            connection: A transaction to do it in.
        """
        made = Organization(id=new_id(), name=name, policy={}, redirect_urls=[], created_at=now())
        async with self._database.begin(connection) as own:
            await own.execute(insert(organizations).values(**asdict(made)))
        return made

    async def get(self, organization_id: str) -> Organization | None:
        """The organization; None if there is none of that id."""
        row = await self._database.first(select(organizations).where(organizations.c.id == organization_id))
        return None if row is None else record(Organization, row)

    async def list(self) -> list[Organization]:
        """All of them, the oldest first."""
        query = select(organizations).order_by(organizations.c.created_at, organizations.c.id)
        return [record(Organization, row) for row in await self._database.all(query)]

    async def set_policy(
        self, organization_id: str, policy: Mapping[str, Any], *, connection: AsyncConnection | None = None
    ) -> Organization:
        """Replaces the policy.

        Args:
            organization_id: Whose.
            policy: The new one.
            connection: A transaction to do it in.

        Raises:
            NotFoundError: There is no such organization.
        """
        return await self._set(organization_id, connection, policy=dict(policy))

    async def set_redirect_urls(
        self, organization_id: str, urls: Sequence[str], *, connection: AsyncConnection | None = None
    ) -> Organization:
        """Replaces the redirect URLs.

        Args:
            organization_id: Whose.
            urls: The new ones.
            connection: A transaction to do it in.

        Raises:
            NotFoundError: There is no such organization.
        """
        return await self._set(organization_id, connection, redirect_urls=[*urls])

    async def _set(self, organization_id: str, connection: AsyncConnection | None, **values: Any) -> Organization:
        change = update(organizations).where(organizations.c.id == organization_id).values(**values)
        async with self._database.begin(connection) as own:
            row = (await own.execute(change.returning(organizations))).first()
        if row is None:
            raise NotFoundError("There is no such organization.")
        return record(Organization, row)
