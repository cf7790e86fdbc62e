"""Bearer tokens: 256 random bits, of which only a digest is kept."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import bindparam, delete, insert, or_, select
from sqlalchemy.exc import IntegrityError

from plugbay.errors import NotFoundError
from plugbay.server.database import Database
from plugbay.server.store.rows import digest, now, record
from plugbay.server.tables import bearers, clients

__all__ = ["PREFIXES", "Bearer", "BearerKind", "Bearers"]

BearerKind = Literal["application", "scoped", "web", "mcp", "mcp_refresh"]

PREFIXES: dict[BearerKind, str] = {
    "application": "pb_app_",
    "scoped": "pb_ws_",
    "web": "pb_web_",
    "mcp": "pb_mcp_",
    "mcp_refresh": "pb_mcpr_",
}
"""What a token begins with, so that people and secret scanners know it."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """What a token stands for.

    Attributes:
        kind: What it is good for.
        client_id: Whose it is; None for the operator's web session.
        organization_id: The organization it acts for.
        workspace_id: The one workspace it is bound to; None if it is bound to none.
        audience: The resource it is for (RFC 8707); None if it is for none in particular.
        detail: What its maker wanted to know again.
        expires_at: Seconds since the epoch.
    """

    kind: BearerKind
    client_id: str | None
    organization_id: str
    workspace_id: str | None
    audience: str | None
    detail: dict[str, Any]
    expires_at: float


_COLUMNS = tuple(bearers.c[name] for name in Bearer.__dataclass_fields__)


class Bearers:
    """The tokens of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def issue(
        self,
        kind: BearerKind,
        *,
        client_id: str | None,
        organization_id: str,
        lifetime: float,
        workspace_id: str | None = None,
        audience: str | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> str:
        """A new token.

        Args:
            kind: What it is good for.
            client_id: Whose it is; None for the operator's web session.
            organization_id: The organization it acts for.
            lifetime: Seconds until it ends.
            workspace_id: The one workspace it is bound to.
            audience: The resource it is for.
            detail: JSON values to know again.

        Raises:
            NotFoundError: There is no such organization, the client does not reach it, or the workspace is not its.
        """
        token = PREFIXES[kind] + secrets.token_urlsafe(32)
        at = now()
        row = {
            "token_hash": digest(token),
            "kind": kind,
            "client_id": client_id,
            "organization_id": organization_id,
            "workspace_id": workspace_id,
            "audience": audience,
            "detail": dict(detail or {}),
            "created_at": at,
            "expires_at": at + lifetime,
        }
        try:
            async with self._database.begin() as connection:
                await connection.execute(insert(bearers).values(**row))
        except IntegrityError:
            raise NotFoundError("There is no such client, organization or workspace.") from None
        return token

    async def find(self, token: str) -> Bearer | None:
        """What the token stands for; None if it is unknown, has ended, or its client was revoked."""
        row = await self._database.first(_FIND, {"hash": digest(token), "at": now()})
        return None if row is None else record(Bearer, row)

    async def revoke(self, token: str) -> bool:
        """Ends a token.

        Returns:
            Whether it was there: of several calls at once for a token, one is told True.
        """
        async with self._database.begin() as connection:
            ended = await connection.execute(delete(bearers).where(bearers.c.token_hash == digest(token)))
            return bool(ended.rowcount)

    async def purge(self, before: float) -> int:
        """Forgets tokens that ended before then (seconds since the epoch); returns how many."""
        async with self._database.begin() as connection:
            return (await connection.execute(delete(bearers).where(bearers.c.expires_at < before))).rowcount


_FIND = (
    select(*_COLUMNS)
    .outerjoin(clients, clients.c.id == bearers.c.client_id)
    .where(bearers.c.token_hash == bindparam("hash"), bearers.c.expires_at > bindparam("at"))
    .where(or_(bearers.c.client_id.is_(None), clients.c.revoked_at.is_(None)))
)
"""Made once, since every request asks it."""
