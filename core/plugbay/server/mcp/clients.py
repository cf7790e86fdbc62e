"""The programs that may ask for a grant: those that registered themselves, and those that a document describes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import Row, delete, func, insert, select, update

from plugbay.errors import clip
from plugbay.plain_text import one_line
from plugbay.server.mcp.grants import GRANT_SECONDS
from plugbay.server.mcp.tables import mcp_clients as clients
from plugbay.server.mcp.tables import mcp_documents as documents
from plugbay.server.store.rows import digest, insert_or, now

if TYPE_CHECKING:
    from plugbay.server.database import Database

__all__ = ["UNUSED_SECONDS", "McpClient", "McpClients", "name_of"]

UNUSED_SECONDS = 86_400.0
"""Seconds for which a registration is kept that nobody grants anything."""

MOST_UNUSED = 5_000
"""Registrations that may wait for a grant at once; the oldest makes room."""

MOST_DOCUMENTS = 5_000

_LONGEST_NAME = 100
_PREFIX = "pb_mcpd_"


@dataclass(frozen=True, slots=True)
class McpClient:
    """A program that asks for a grant. Nobody has checked its name.

    Attributes:
        id: Its id, which is the URL of its document if it has one.
        name: What it calls itself.
        redirect_uris: Where answers to it may be sent.
        created_at: When it registered, in seconds since the epoch; None for one of a document.
    """

    id: str
    name: str
    redirect_uris: tuple[str, ...]
    created_at: float | None = None

    @property
    def host(self) -> str | None:
        """Who stands behind its document; None for a client that registered itself, behind which anybody may stand."""
        return urlsplit(self.id).netloc if self.created_at is None else None


class McpClients:
    """The clients that the server knows.

    Args:
        database: Where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def register(self, name: str, redirect_uris: Sequence[str]) -> McpClient:
        """A new client, for a day unless it is granted something."""
        at = now()
        client = McpClient(_PREFIX + token_urlsafe(16), name, tuple(redirect_uris), at)
        row = {
            "id": client.id,
            "name": client.name,
            "redirect_uris": list(client.redirect_uris),
            "created_at": at,
            "expires_at": at + UNUSED_SECONDS,
        }
        async with self._database.begin() as connection:
            await connection.execute(delete(clients).where(clients.c.expires_at < at))
            await self._make_room(connection)
            await connection.execute(insert(clients).values(**row))
        return client

    async def get(self, client_id: str) -> McpClient | None:
        """A client that has registered itself."""
        wanted = select(clients).where(clients.c.id == client_id, clients.c.expires_at >= now())
        row = await self._database.first(wanted)
        return None if row is None else _client(row)

    async def note_use(self, client_id: str) -> None:
        """Keeps a registered client as long as a grant that is made now may last."""
        at = now()
        change = update(clients).where(clients.c.id == client_id)
        async with self._database.begin() as connection:
            await connection.execute(change.values(used_at=at, expires_at=at + GRANT_SECONDS + UNUSED_SECONDS))

    async def remembered(self, url: str) -> McpClient | None:
        """The client that a document describes, if that was read lately."""
        wanted = select(documents).where(documents.c.url_hash == digest(url), documents.c.expires_at >= now())
        row = await self._database.first(wanted)
        return None if row is None else McpClient(row.url, row.name, tuple(row.redirect_uris))

    async def remember(self, client: McpClient, seconds: float) -> None:
        """Keeps what a document says, in place of what it said before.

        Args:
            client: The client that it describes.
            seconds: For how long.
        """
        at = now()
        row = {
            "name": client.name,
            "redirect_uris": list(client.redirect_uris),
            "expires_at": at + seconds,
        }
        async with self._database.begin() as connection:
            await connection.execute(delete(documents).where(documents.c.expires_at < at))
            kept = (await connection.execute(select(func.count()).select_from(documents))).scalar_one()
            if kept >= MOST_DOCUMENTS:
                return
            new = insert_or(connection, documents).values(url_hash=digest(client.id), url=client.id, **row)
            await connection.execute(new.on_conflict_do_update(index_elements=["url_hash"], set_=row))

    async def _make_room(self, connection: Any) -> None:
        unused = clients.c.used_at.is_(None)
        waiting = (await connection.execute(select(func.count()).select_from(clients).where(unused))).scalar_one()
        if waiting >= MOST_UNUSED:
            oldest = select(clients.c.id).where(unused).order_by(clients.c.created_at).limit(waiting - MOST_UNUSED + 1)
            await connection.execute(delete(clients).where(clients.c.id.in_(oldest.scalar_subquery())))


def name_of(metadata: Mapping[str, Any]) -> str:
    """What a client calls itself, on one line without hidden characters."""
    said = metadata.get("client_name")
    name = clip(one_line(said[: 4 * _LONGEST_NAME]).strip(), _LONGEST_NAME) if isinstance(said, str) else ""
    return name or "A program without a name"


def _client(row: Row[Any]) -> McpClient:
    return McpClient(row.id, row.name, tuple(row.redirect_uris), row.created_at)
