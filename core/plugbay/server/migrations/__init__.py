"""The steps from one version of the tables to the next, run from the installed package."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from plugbay.errors import ConfigurationError, ServiceError

__all__ = ["upgrade"]

LOCK = 0x706C7567
"""Number of the advisory lock that processes which migrate a PostgreSQL database take turns by."""


async def upgrade(connection: AsyncConnection, dialect: str) -> None:
    """Runs the steps that are missing, all in one transaction.

    Args:
        connection: One on which no transaction was begun.
        dialect: `"sqlite"` or `"postgresql"`.

    Raises:
        ConfigurationError: The tables are those of a newer version.
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


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _run(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigurationError(
            "The database was set up by a newer version of plugbay.", hint="Install that version, or a newer one."
        ) from error
