"""From settings to a running server, and its end."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from plugbay.errors import ConfigurationError
from plugbay.server.database import Database
from plugbay.server.engines import Engines
from plugbay.server.settings import Settings
from plugbay.server.sql_engine import parse_url
from plugbay.server.state import Server
from plugbay.server.store import (
    Audit,
    Bearers,
    Clients,
    Connectors,
    Flows,
    Leases,
    OAuthApps,
    Organizations,
    Rates,
    Secrets,
    Workspaces,
    open_vault,
)
from plugbay.server.vault import Vault

__all__ = ["Access", "close_server", "first_access", "open_server", "opened"]

FIRST_ORGANIZATION = "default"
FIRST_CLIENT = "default"
PATIENCE = 30.0
"""Seconds to wait for another process that sets up the same database."""

_MAKES = "`plugbay serve` and `plugbay admin organization create` make a new one."


@dataclass(frozen=True, slots=True)
class Access:
    """How the first client gets in.

    Attributes:
        organization_id: The organization that was there first.
        client_id: Its first client; None if all were revoked.
        client_secret: Only from whoever made it, once.
    """

    organization_id: str
    client_id: str | None
    client_secret: SecretStr | None = None


async def open_server(settings: Settings, *, create: bool = True, upgrade: bool = True) -> Server:
    """Connects the database, brings its tables up to date, and looks whether the keys are right.

    A database without an organization gets one, with a client; `first_access` makes them and tells them.

    Args:
        settings: The operator's.
        create: Whether to make a database, or its tables, where there are none.
        upgrade: Whether to bring the tables of an older version up to date, with which its processes may then no
            longer be able to work.

    Raises:
        ConfigurationError: A setting, a key or the database's version does not fit.
        ServiceError: The database cannot be reached.
    """
    if not create:
        _check_file(settings.database_url)
    database = Database(settings.database_url)
    try:
        await _set_up(database, create=create, upgrade=upgrade)
        vault = await open_vault(database, keys=settings.keys, key_file=settings.key_file)
    except BaseException:
        await database.close()
        raise
    return _assembled(settings, database, vault)


def _check_file(url: str) -> None:
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database and not Path(parsed.database).exists():
        raise ConfigurationError(
            f"There is no database {parsed.database}.", hint=f"Name it by --db or PLUGBAY_DATABASE_URL; {_MAKES}"
        )


async def _set_up(database: Database, *, create: bool, upgrade: bool) -> None:
    age = "none" if create and upgrade else await database.age()
    if age == "none" and not create:
        raise ConfigurationError(f"There are no tables of plugbay in {database.path or 'the database'}.", hint=_MAKES)
    if age == "older" and not upgrade:
        raise ConfigurationError(
            "The tables of the database are those of an older version of plugbay.",
            hint="Use the command of the version that the servers have. `plugbay admin database upgrade`, like the "
            "start of a newer server, brings the tables up to date; what older servers do then is in docs/hosting.md.",
        )
    await database.migrate()


async def close_server(server: Server) -> None:
    """Closes the connectors and the database."""
    try:
        await server.engines.close()
    finally:
        await server.database.close()


@asynccontextmanager
async def opened(settings: Settings, *, create: bool = True, upgrade: bool = True) -> AsyncGenerator[Server]:
    """An open server for the block; takes and raises what `open_server` does."""
    server = await open_server(settings, create=create, upgrade=upgrade)
    try:
        yield server
    finally:
        await close_server(server)


async def first_access(server: Server) -> Access:
    """How the first client gets in; of several processes that start at once, one makes it and knows the secret."""
    known = await _known_access(server)
    if known is not None:
        return known
    async with server.leases.hold("first start", wait=PATIENCE):
        known = await _known_access(server)
        if known is not None:
            return known
        # Both or none, for whoever looks meanwhile and for a process that is killed in between.
        async with server.database.begin() as connection:
            organization = await server.organizations.create(FIRST_ORGANIZATION, connection=connection)
            client, secret = await server.clients.create(organization.id, FIRST_CLIENT, connection=connection)
        return Access(organization.id, client.id, SecretStr(secret))


async def _known_access(server: Server) -> Access | None:
    organizations = await server.organizations.list()
    if not organizations:
        return None
    clients = await server.clients.list(organizations[0].id)
    valid = [client for client in clients if client.revoked_at is None]
    return Access(organizations[0].id, valid[0].id if valid else None)


def _assembled(settings: Settings, database: Database, vault: Vault) -> Server:
    secrets = Secrets(database, vault)
    leases = Leases(database)
    oauth_apps = OAuthApps(database, secrets)
    return Server(
        settings=settings,
        database=database,
        vault=vault,
        organizations=Organizations(database),
        clients=Clients(database),
        bearers=Bearers(database),
        workspaces=Workspaces(database),
        connectors=Connectors(database, secrets),
        secrets=secrets,
        leases=leases,
        flows=Flows(database, secrets),
        oauth_apps=oauth_apps,
        audit=Audit(database),
        rates=Rates(database),
        engines=Engines(secrets, leases, oauth_apps, settings),
    )
