"""Clients: programs that sign in with an id and a secret."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hmac import compare_digest

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from plugbay.errors import ConflictError, NotFoundError
from plugbay.server.database import Database
from plugbay.server.store.rows import digest, insert_or, new_id, now, record
from plugbay.server.tables import bearers, clients, memberships

__all__ = ["Client", "Clients"]

_COLUMNS = (clients.c.id, clients.c.name, clients.c.organization_id, clients.c.created_at, clients.c.revoked_at)


@dataclass(frozen=True, slots=True)
class Client:
    """A client.

    Attributes:
        id: A UUID.
        name: For people.
        organization_id: The organization it acts for if it names none, and that may revoke it.
        created_at: Seconds since the epoch.
        revoked_at: Since when it is good for nothing; None if it is good.
    """

    id: str
    name: str
    organization_id: str
    created_at: float
    revoked_at: float | None


class Clients:
    """The clients of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self, organization_id: str, name: str, *, connection: AsyncConnection | None = None
    ) -> tuple[Client, str]:
        """A new client and its secret, of which only a digest is kept.

        Args:
            organization_id: Whose.
            name: For people.
            connection: A transaction to do it in, which is of no use after an error.

        Raises:
            NotFoundError: There is no such organization.
        """
        secret = secrets.token_urlsafe(32)
        made = Client(id=new_id(), name=name, organization_id=organization_id, created_at=now(), revoked_at=None)
        row = {"id": made.id, "organization_id": organization_id, "name": name, "created_at": made.created_at}
        member = {"client_id": made.id, "organization_id": organization_id, "created_at": made.created_at}
        try:
            async with self._database.begin(connection) as own:
                await own.execute(insert(clients).values(**row, secret_hash=digest(secret)))
                await own.execute(insert(memberships).values(**member))
        except IntegrityError:
            raise NotFoundError("There is no such organization.") from None
        return made, secret

    async def authenticate(self, client_id: str, secret: str) -> Client | None:
        """The client, if the secret is its own and it was not revoked."""
        query = select(*_COLUMNS, clients.c.secret_hash).where(clients.c.id == client_id)
        row = await self._database.first(query)
        # Compared in any case, so that the time tells nothing of which ids there are.
        kept = digest("") if row is None else row.secret_hash
        if not compare_digest(kept, digest(secret)) or row is None or row.revoked_at is not None:
            return None
        return Client(row.id, row.name, row.organization_id, row.created_at, row.revoked_at)

    async def home_of(self, client_id: str) -> str | None:
        """The id of the organization that a client belongs to, even if it was revoked; None if there is no such client."""
        row = await self._database.first(select(clients.c.organization_id).where(clients.c.id == client_id))
        return None if row is None else str(row.organization_id)

    async def join(self, client_id: str, organization_id: str, *, connection: AsyncConnection | None = None) -> None:
        """Lets a client reach one more organization; harmless when it does.

        Args:
            client_id: Which.
            organization_id: The organization.
            connection: A transaction to do it in.

        Raises:
            NotFoundError: There is no such client or organization.
            ConflictError: The client was revoked.
        """
        is_revoked = select(clients.c.id).where(clients.c.id == client_id, clients.c.revoked_at.is_not(None))
        member = {"client_id": client_id, "organization_id": organization_id, "created_at": now()}
        try:
            async with self._database.begin(connection) as own:
                if (await own.execute(is_revoked)).first() is not None:
                    raise ConflictError("The client was revoked.", hint="Make another.")
                add = insert_or(own, memberships).values(**member).on_conflict_do_nothing()
                await own.execute(add)
        except IntegrityError:
            raise NotFoundError("There is no such client or organization.") from None

    async def organizations_of(self, client_id: str) -> list[str]:
        """The ids of the organizations that a client reaches, its default first; none if it was revoked."""
        query = (
            select(memberships.c.organization_id)
            .join(clients, clients.c.id == memberships.c.client_id)
            .where(memberships.c.client_id == client_id, clients.c.revoked_at.is_(None))
            .order_by(
                (memberships.c.organization_id != clients.c.organization_id),
                memberships.c.created_at,
                memberships.c.organization_id,
            )
        )
        return [row.organization_id for row in await self._database.all(query)]

    async def list(self, organization_id: str) -> list[Client]:
        """The clients that reach an organization, revoked ones too, the oldest first."""
        query = (
            select(*_COLUMNS)
            .join(memberships, memberships.c.client_id == clients.c.id)
            .where(memberships.c.organization_id == organization_id)
            .order_by(clients.c.created_at, clients.c.id)
        )
        return [record(Client, row) for row in await self._database.all(query)]

    async def revoke(self, organization_id: str, client_id: str, *, connection: AsyncConnection | None = None) -> bool:
        """Ends a client and its tokens; if it belongs to another organization, only its access to this one.

        Args:
            organization_id: Whose.
            client_id: Which.
            connection: A transaction to do it in.

        Returns:
            Whether there was anything to end.
        """
        async with self._database.begin(connection) as own:
            home = (clients.c.id == client_id, clients.c.organization_id == organization_id)
            ended = await own.execute(
                update(clients).where(*home, clients.c.revoked_at.is_(None)).values(revoked_at=now())
            )
            if ended.rowcount:
                await own.execute(delete(bearers).where(bearers.c.client_id == client_id))
                return True
            if (await own.execute(select(clients.c.id).where(*home))).first() is not None:
                return False
            mine = (memberships.c.client_id == client_id, memberships.c.organization_id == organization_id)
            left = await own.execute(delete(memberships).where(*mine))
            return bool(left.rowcount)
