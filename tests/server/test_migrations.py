"""The steps of the migration make the tables that the code means, once."""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from tests.server.older import to_revision

from plugbay.errors import ConfigurationError
from plugbay.server.database import Database
from plugbay.server.keys import StaticKeys
from plugbay.server.store import Connectors, Secrets
from plugbay.server.tables import metadata
from plugbay.server.vault import Vault

# Its tables are in the same metadata, once it was imported.
import_module("plugbay.server.mcp.tables")


def _difference(connection):
    options = {"compare_type": True, "compare_server_default": True}
    return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


async def test_the_steps_make_the_tables_that_the_code_means(database):
    """After all steps nothing is left to change, by alembic's own comparison."""
    async with database.read() as connection:
        assert [] == await connection.run_sync(_difference)
        found = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
    assert {*metadata.tables, "alembic_version"} == found


async def test_connectors_stay_when_they_lose_columns(database_url):
    """A connector of the tables before revision 0003 is there after it, with its settings."""
    database = Database(database_url)
    async with database.begin() as connection:
        await connection.run_sync(to_revision, "0002")
        await connection.execute(text("INSERT INTO organizations VALUES ('o', 'Acme', '{}', '[]', 0)"))
        await connection.execute(text("INSERT INTO workspaces VALUES ('w', 'o', 'default', 'active', false, 0, 0)"))
        await connection.execute(
            text(
                "INSERT INTO connectors VALUES ('c', 'o', 'w', 'zendesk-support', 'Support', 'acme', '{}', "
                """'{"subdomain": "acme"}', NULL, 'oauth', NULL, 'active', NULL, NULL, NULL, 1, 0, 0)"""
            )
        )
    await database.migrate()
    found = await Connectors(database, Secrets(database, Vault(StaticKeys.random()))).get("o", "c")
    assert ("Support", "acme", "oauth", "default") == (
        found.name,
        found.subdomain,
        found.auth_kind,
        found.workspace_name,
    )
    await database.close()


async def test_a_second_run_changes_nothing(database):
    """Tables that are up to date are left alone, with what is in them."""
    async with database.begin() as connection:
        await connection.execute(text("INSERT INTO leases VALUES ('x', 'h', 1, 0)"))
    await database.migrate()
    assert 1 == (await database.first(text("SELECT count(*) FROM leases")))[0]


@pytest.mark.parametrize("since", ["0004", None])
async def test_tables_of_a_newer_version_are_refused(database, since):
    """Tables of a revision that this version does not know, and that do not say it fits, are a ConfigurationError, and stay."""
    await _become_newer(database, since)
    with pytest.raises(ConfigurationError, match=r"^The database was set up by a newer version of plugbay\."):
        await database.migrate()
    assert "0004" == (await database.first(text("SELECT version_num FROM alembic_version")))[0]


async def test_tables_of_another_program_are_refused(database_url):
    """A database that another program made by the same means is a ConfigurationError that says so, and stays as it is."""
    database = Database(database_url)
    async with database.begin() as connection:
        await connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        await connection.execute(text("INSERT INTO alembic_version VALUES ('5f3a')"))
    for act in (database.age, database.migrate):
        with pytest.raises(ConfigurationError, match=r"^The database has the tables of another program\."):
            await act()
    async with database.read() as connection:
        assert ["alembic_version"] == await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    await database.close()


async def test_tables_of_a_newer_version_that_fit(database):
    """Tables of a newer version that say that this one can work with them are left as they are, and used."""
    await _become_newer(database, "0003")
    await database.migrate()
    assert "0004" == (await database.first(text("SELECT version_num FROM alembic_version")))[0]
    assert "0003" == (await database.first(text("SELECT revision FROM works_since")))[0]


async def _become_newer(database, since):
    async with database.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '0004'"))
        await connection.execute(text("DELETE FROM works_since"))
        if since is not None:
            await connection.execute(text("INSERT INTO works_since VALUES (:since)"), {"since": since})


async def test_foreign_keys_are_heeded_after_a_migration(database_url):
    """The connection that migrated refuses a row that points to nothing, as any other does."""
    database = Database(database_url)
    await database.migrate()
    for _ in range(6):
        with pytest.raises(Exception, match=r"(?i)foreign key"):
            async with database.begin() as connection:
                await connection.execute(text("INSERT INTO memberships VALUES ('a', 'b', 0)"))
    await database.close()


async def test_processes_that_migrate_at_once_do_it_once(database_url):
    """Of several processes that start on an empty database at once each finds its tables, and none fails."""
    program = (
        "import asyncio, sys; from plugbay.server.database import Database\n"
        "async def main():\n"
        "    database = Database(sys.argv[1])\n"
        "    sys.stdin.read(1)\n"
        "    await database.migrate()\n"
        "    await database.close()\n"
        "asyncio.run(main())"
    )
    started = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", program, database_url, stdin=asyncio.subprocess.PIPE)
        for _ in range(3)
    ]
    await asyncio.gather(*(process.communicate(b"x") for process in started))
    assert [0, 0, 0] == [process.returncode for process in started]
    database = Database(database_url)
    async with database.read() as connection:
        assert [] == await connection.run_sync(_difference)
    await database.close()
