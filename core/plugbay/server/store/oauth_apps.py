"""OAuth apps: an organization's own registration with a service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Row, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from plugbay.errors import NotFoundError
from plugbay.server.database import Database
from plugbay.server.store.rows import insert_or, new_id, now
from plugbay.server.store.secrets import Secrets
from plugbay.server.tables import oauth_apps

__all__ = ["OAuthApp", "OAuthApps"]


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """An OAuth app.

    Attributes:
        id: A UUID.
        organization_id: Whose it is.
        connector_type: What it is for.
        client_id: As the service knows it.
        client_secret: As the service knows it.
        created_at: Seconds since the epoch.
        updated_at: Seconds since the epoch.
    """

    id: str
    organization_id: str
    connector_type: str
    client_id: str
    client_secret: SecretStr
    created_at: float
    updated_at: float


class OAuthApps:
    """The OAuth apps of a database.

    Args:
        database: The database.
        secrets: Where their secrets are.
    """

    def __init__(self, database: Database, secrets: Secrets) -> None:
        self._database = database
        self._secrets = secrets

    async def put(
        self,
        organization_id: str,
        connector_type: str,
        client_id: str,
        client_secret: SecretStr | str,
        *,
        connection: AsyncConnection | None = None,
    ) -> OAuthApp:
        """Sets the organization's app for a connector type; the id stays when there was one.

        Args:
            organization_id: Whose.
            connector_type: For which connectors.
            client_id: The app's.
            client_secret: The app's.
            connection: A transaction to do it in.

        Raises:
            NotFoundError: There is no such organization.
        """
        secret = client_secret if isinstance(client_secret, SecretStr) else SecretStr(client_secret)
        at = now()
        key = {"organization_id": organization_id, "connector_type": connector_type}
        row = {**key, "id": new_id(), "client_id": client_id, "created_at": at, "updated_at": at}
        try:
            async with self._database.begin(connection) as own:
                change = insert_or(own, oauth_apps).values(**row)
                change = change.on_conflict_do_update(
                    index_elements=list(key), set_={"client_id": client_id, "updated_at": at}
                )
                made = (await own.execute(change.returning(oauth_apps))).one()
                value = {"client_id": client_id, "client_secret": secret}
                await self._secrets.put(organization_id, f"oauth_app/{made.id}", value, connection=own)
        except IntegrityError:
            raise NotFoundError("There is no such organization.") from None
        return _built(made, secret)

    async def find(self, organization_id: str, connector_type: str) -> OAuthApp | None:
        """The organization's app for a connector type; None if it has none.

        Raises:
            SealError: Its secret does not open.
        """
        row = await self._database.first(select(oauth_apps).where(*_is(organization_id, connector_type)))
        secret = None if row is None else await self._secrets.get(organization_id, f"oauth_app/{row.id}")
        if row is None or secret is None:
            return None
        # The pair was sealed together, and is read together whatever was put between the two reads.
        return _built(row, SecretStr(secret.value["client_secret"]), secret.value["client_id"])

    async def delete(
        self, organization_id: str, connector_type: str, *, connection: AsyncConnection | None = None
    ) -> bool:
        """Removes the app and its secret, in a transaction if one is given; returns whether it was there."""
        async with self._database.begin(connection) as own:
            ended = await own.execute(delete(oauth_apps).where(*_is(organization_id, connector_type)))
            return bool(ended.rowcount)


def _built(row: Row[Any], secret: SecretStr, client_id: str | None = None) -> OAuthApp:
    return OAuthApp(
        id=row.id,
        organization_id=row.organization_id,
        connector_type=row.connector_type,
        client_id=client_id or row.client_id,
        client_secret=secret,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _is(organization_id: str, connector_type: str) -> tuple[Any, ...]:
    return oauth_apps.c.organization_id == organization_id, oauth_apps.c.connector_type == connector_type
