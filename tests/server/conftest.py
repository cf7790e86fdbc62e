"""What tests of the server share: a database of either kind, and everything that is kept in it."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest

from plugbay.server.database import Database
from plugbay.server.keys import StaticKeys
from plugbay.server.store import (
    Audit,
    Bearers,
    Clients,
    Connectors,
    Flows,
    Leases,
    OAuthApps,
    Organization,
    Organizations,
    Rates,
    Secrets,
    Workspaces,
)
from plugbay.server.vault import Vault

TRIES = 6


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything that is kept in a database, and an organization to begin with."""

    database: Database
    vault: Vault
    organizations: Organizations
    clients: Clients
    bearers: Bearers
    workspaces: Workspaces
    connectors: Connectors
    secrets: Secrets
    leases: Leases
    flows: Flows
    oauth_apps: OAuthApps
    audit: Audit
    rates: Rates
    organization: Organization
    other: Organization


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request, tmp_path) -> AsyncIterator[str]:
    """The URL of an empty database that nobody else uses."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'plugbay.db'}"
        return
    server = os.environ.get("PLUGBAY_TEST_POSTGRES")
    if not server:
        pytest.skip("PLUGBAY_TEST_POSTGRES names no PostgreSQL server")
    name = f"plugbay_{uuid.uuid4().hex}"
    await _administer(server, f'CREATE DATABASE "{name}"')
    try:
        yield f"{server.rpartition('/')[0]}/{name}"
    finally:
        await _drop(server, name)


async def _drop(server: str, name: str) -> None:
    """Drops a database, for whose sessions PostgreSQL waits five seconds after it told them to end."""
    for left in reversed(range(TRIES)):
        try:
            await _administer(server, f'DROP DATABASE "{name}" WITH (FORCE)')
        except asyncpg.ObjectInUseError:
            if not left:
                raise
        else:
            return


async def _administer(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
async def database(database_url) -> AsyncIterator[Database]:
    """A database with its tables."""
    database = Database(database_url)
    await database.migrate()
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
def vault() -> Vault:
    """A vault with a key that nobody else has."""
    return Vault(StaticKeys({"first": os.urandom(32)}))


@pytest.fixture
async def stores(database, vault) -> Stores:
    """Everything that is kept in the database."""
    secrets = Secrets(database, vault)
    organizations = Organizations(database)
    return Stores(
        database=database,
        vault=vault,
        organizations=organizations,
        clients=Clients(database),
        bearers=Bearers(database),
        workspaces=Workspaces(database),
        connectors=Connectors(database, secrets),
        secrets=secrets,
        leases=Leases(database),
        flows=Flows(database, secrets),
        oauth_apps=OAuthApps(database, secrets),
        audit=Audit(database),
        rates=Rates(database),
        organization=await organizations.create("Acme"),
        other=await organizations.create("Other"),
    )
