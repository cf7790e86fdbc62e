"""What people have granted to clients: kept, redeemed once by a code, prolonged by refresh tokens, and ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from plugbay.errors import NotFoundError
from plugbay.server.mcp.tables import mcp_codes as codes
from plugbay.server.mcp.tables import mcp_grants as grants
from plugbay.server.store.rows import digest, new_id, now

if TYPE_CHECKING:
    from plugbay.server.database import Database

__all__ = ["CODE_SECONDS", "GRANT_SECONDS", "Grant", "Grants", "Redeemed", "new_grant"]

CODE_SECONDS = 60.0
"""Seconds in which a code must be redeemed."""

GRANT_SECONDS = 30 * 86_400.0
"""Seconds after its last renewal for which a grant is good."""

_PREFIX = "pb_mcpc_"


@dataclass(frozen=True, slots=True)
class Grant:
    """One client's leave to call the tools of one workspace.

    Attributes:
        id: Its id.
        organization_id: Whose workspace it is.
        workspace_id: The workspace.
        client_id: The API client that granted it; None for the operator.
        mcp_client_id: The client that it was granted to.
        mcp_client_name: What that client calls itself.
        resource: What its tokens are for (RFC 8707).
        created_at: When it was granted, in seconds since the epoch.
        used_at: When tokens were issued for it last, if they were.
    """

    id: str
    organization_id: str
    workspace_id: str
    client_id: str | None
    mcp_client_id: str
    mcp_client_name: str
    resource: str
    created_at: float
    used_at: float | None = None


@dataclass(frozen=True, slots=True)
class Redeemed:
    """A code that was given back, for the first time.

    Attributes:
        grant: What it stands for.
        redirect_uri: Where it was sent.
        challenge: What its verifier must fit.
    """

    grant: Grant
    redirect_uri: str
    challenge: str


class Grants:
    """The grants of all organizations.

    Args:
        database: Where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, grant: Grant, *, redirect_uri: str, challenge: str) -> str:
        """Keeps a grant, and gives the code that is to be redeemed for its tokens.

        What nobody needs any more is thrown away on this occasion.

        Args:
            grant: What was granted.
            redirect_uri: Where the code is sent.
            challenge: The challenge of RFC 7636 that came with the request.

        Raises:
            NotFoundError: The workspace, or who granted it, is gone.
        """
        code = _PREFIX + token_urlsafe(32)
        at = now()
        row = {
            "code_hash": digest(code),
            "organization_id": grant.organization_id,
            "grant_id": grant.id,
            "redirect_uri": redirect_uri,
            "challenge": challenge,
            "expires_at": at + CODE_SECONDS,
        }
        try:
            async with self._database.begin() as connection:
                await connection.execute(delete(grants).where(grants.c.expires_at < at))
                await connection.execute(insert(grants).values(**_values(grant), expires_at=at + GRANT_SECONDS))
                await connection.execute(insert(codes).values(**row))
        except IntegrityError:
            raise NotFoundError("There is no such client or workspace.") from None
        return code

    async def redeem(self, code: str) -> Redeemed | None:
        """What a code stands for, the first time that it is given back in time.

        A second time ends the grant, as the first may have been a thief's (RFC 6749 section 4.1.2).
        """
        at = now()
        key = codes.c.code_hash == digest(code)
        async with self._database.begin() as connection:
            taken = await connection.execute(update(codes).where(key, codes.c.used_at.is_(None)).values(used_at=at))
            found = (
                await connection.execute(
                    select(grants, codes.c.redirect_uri, codes.c.challenge, codes.c.expires_at.label("code_expires_at"))
                    .join(grants, grants.c.id == codes.c.grant_id)
                    .where(key)
                )
            ).first()
            if found is None:
                return None
            if not taken.rowcount:
                await connection.execute(_ending(found.organization_id, found.id, at))
                return None
        if found.code_expires_at < at or found.revoked_at is not None:
            return None
        return Redeemed(_grant(found), found.redirect_uri, found.challenge)

    async def renew(self, organization_id: str, grant_id: str, *, old: str | None, new: str) -> bool:
        """Puts a refresh token in the place of the one before; only one of several tries with the same one succeeds.

        Args:
            organization_id: Whose grant it is.
            grant_id: The grant.
            old: The token that is given up; None for the first.
            new: The token that is good from now on.

        Returns:
            Whether the old one was the grant's last and the grant is still good.
        """
        at = now()
        last = grants.c.refresh_hash.is_(None) if old is None else grants.c.refresh_hash == digest(old)
        change = (
            update(grants)
            .where(*_good(organization_id, grant_id, at), last)
            .values(refresh_hash=digest(new), used_at=at, expires_at=at + GRANT_SECONDS)
        )
        async with self._database.begin() as connection:
            return bool((await connection.execute(change)).rowcount)

    async def get(self, organization_id: str, grant_id: str) -> Grant | None:
        """A grant, if it is still good."""
        wanted = select(grants).where(*_good(organization_id, grant_id, now()))
        row = await self._database.first(wanted)
        return None if row is None else _grant(row)

    async def list(self, organization_id: str) -> Sequence[Grant]:
        """The grants of an organization that are good and in use, the newest first."""
        wanted = (
            select(grants)
            .where(
                grants.c.organization_id == organization_id,
                grants.c.revoked_at.is_(None),
                grants.c.refresh_hash.is_not(None),
                grants.c.expires_at >= now(),
            )
            .order_by(grants.c.created_at.desc(), grants.c.id)
        )
        return [_grant(row) for row in await self._database.all(wanted)]

    async def revoke(self, organization_id: str, grant_id: str) -> bool:
        """Ends a grant, and with it all its tokens; whether it was good until now."""
        async with self._database.begin() as connection:
            return bool((await connection.execute(_ending(organization_id, grant_id, now()))).rowcount)


def new_grant(**facts: Any) -> Grant:
    """A grant that begins now."""
    return Grant(id=new_id(), created_at=now(), **facts)


def _good(organization_id: str, grant_id: str, at: float) -> tuple[Any, ...]:
    return (
        grants.c.organization_id == organization_id,
        grants.c.id == grant_id,
        grants.c.revoked_at.is_(None),
        grants.c.expires_at >= at,
    )


def _ending(organization_id: str, grant_id: str, at: float) -> Any:
    return update(grants).where(*_good(organization_id, grant_id, at)).values(revoked_at=at)


_COLUMNS = tuple(grants.c[name] for name in Grant.__dataclass_fields__)


def _values(grant: Grant) -> dict[str, Any]:
    return {column.name: getattr(grant, column.name) for column in _COLUMNS}


def _grant(row: Row[Any]) -> Grant:
    return Grant(**{column.name: getattr(row, column.name) for column in _COLUMNS})
