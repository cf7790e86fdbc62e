"""The steps from one version of the tables to the next, run from the installed package.

The tables say which versions of the code can work with them (`works_since`), so that processes of the version before
go on while those of a new one are started, one after the other. A step that takes something away therefore comes a
release after the code that no longer needs it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, delete, insert, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from plugbay.errors import ConfigurationError, ServiceError
from plugbay.server.tables import works_since

__all__ = ["Age", "age", "upgrade"]

Age = Literal["none", "older", "fitting", "newer"]
"""How tables fit this version; those of a newer one fit if they say so."""

LOCK = 0x706C7567
"""Number of the advisory lock that processes which migrate a PostgreSQL database take turns by."""


async def upgrade(connection: AsyncConnection, dialect: str) -> None:
    """Runs the steps that are missing, all in one transaction.

    Args:
        connection: One on which no transaction was begun.
        dialect: `"sqlite"` or `"postgresql"`.

    Raises:
        ConfigurationError: The tables are those of a newer version, which this one cannot work with, or of another
            program.
        ServiceError: The steps would leave rows that point to nothing.
    """
    if dialect == "sqlite":
        await _upgrade_sqlite(connection)
        return
    async with connection.begin():
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        await connection.run_sync(_run)


async def _upgrade_sqlite(connection: AsyncConnection) -> None:
    # A step that builds a table anew drops the old one, which must not take its referrers along.
    await connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
    try:
        await connection.exec_driver_sql("BEGIN IMMEDIATE")
        await connection.run_sync(_run)
        if (await connection.exec_driver_sql("PRAGMA foreign_key_check")).first() is not None:
            raise ServiceError("The migration of the database would leave rows that point to nothing.")
        await connection.commit()
    finally:
        await connection.rollback()
        await connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        await connection.rollback()


def age(connection: Connection) -> Age:
    """How the tables fit this version.

    Raises:
        ConfigurationError: They are those of another program, which makes its tables in the same way.
    """
    found = MigrationContext.configure(connection).get_current_revision()
    newest = _newest().revision
    if found is None:
        return "none"
    if found == newest:
        return "fitting"
    if found in {step.revision for step in _steps().walk_revisions()}:
        return "older"
    if not inspect(connection).has_table(works_since.name):
        raise ConfigurationError(
            "The database has the tables of another program.", hint="Give plugbay a database, or a schema, of its own."
        )
    oldest = connection.execute(select(works_since.c.revision)).scalar()
    return "fitting" if oldest is not None and oldest <= newest else "newer"


def _run(connection: Connection) -> None:
    found = age(connection)
    if found == "fitting":
        return
    if found == "newer":
        raise ConfigurationError(
            "The database was set up by a newer version of plugbay.", hint="Install that version, or a newer one."
        )
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.execute(delete(works_since))
    connection.execute(insert(works_since).values(revision=_newest().module.WORKS_SINCE))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


@cache
def _steps() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _newest() -> Script:
    return _steps().get_revisions("head")[0]
