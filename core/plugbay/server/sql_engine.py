"""The engines of SQLAlchemy, set up so that what was committed stays, and nobody waits for ever."""

from __future__ import annotations

import os
import sqlite3
import time
import uuid
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event, exc, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from plugbay.disk import sync_directory
from plugbay.errors import ConfigurationError

__all__ = ["is_memory", "open_engine", "parse_url"]

CONNECTIONS = 10
"""Connections to a PostgreSQL server that are kept; as many again may be opened for a while."""

POOL_SECONDS = 10.0
"""How long to wait for a free connection."""

CONNECT_SECONDS = 10.0
STATEMENT_SECONDS = 30.0

RECYCLE_SECONDS = 1800
"""Age at which a connection is replaced, before a firewall forgets it."""

READERS = 4
"""Connections to an SQLite file: one writes, the others read meanwhile."""

FORMS = "sqlite:///path, sqlite:// (in memory), or postgresql://user:password@host/name"

PAUSES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Seconds between tries to turn the write-ahead log on; a new file needs some of them."""

PRAGMAS = (
    "busy_timeout = {busy}",
    # NORMAL would let a power failure take the last commits.
    "synchronous = FULL",
    "fullfsync = ON",
    "foreign_keys = ON",
    "secure_delete = ON",
    "trusted_schema = OFF",
    "temp_store = MEMORY",
    "journal_size_limit = 67108864",
)


def parse_url(text: str) -> URL:
    """The URL with the driver that is used.

    Raises:
        ConfigurationError: It is none of `FORMS`; the message does not quote it.
    """
    try:
        url = make_url(text)
    except (exc.ArgumentError, ValueError):
        raise ConfigurationError(f"PLUGBAY_DATABASE_URL cannot be read; it has the form {FORMS}.") from None
    if url.drivername in ("sqlite", "sqlite+aiosqlite"):
        return _sqlite_url(url)
    if url.drivername in ("postgresql", "postgres", "postgresql+asyncpg"):
        return _postgresql_url(url)
    raise ConfigurationError(f"PLUGBAY_DATABASE_URL names a database that is not served; it has the form {FORMS}.")


def _sqlite_url(url: URL) -> URL:
    if url.host or url.query:
        raise ConfigurationError(
            "PLUGBAY_DATABASE_URL names a host or options that SQLite has not; a path has three slashes."
        )
    return url.set(drivername="sqlite+aiosqlite", database=None if url.database == ":memory:" else url.database)


def _postgresql_url(url: URL) -> URL:
    query = dict(url.query)
    # libpq's name of what asyncpg calls ssl.
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    return url.set(drivername="postgresql+asyncpg", query=query)


def is_memory(url: URL) -> bool:
    """Whether it is an SQLite database that ends with its process."""
    return url.get_backend_name() == "sqlite" and not url.database


def open_engine(url: URL, *, busy_seconds: float) -> AsyncEngine:
    """An engine; nothing is opened yet, but an SQLite file that is not there is made, for its owner alone.

    Raises:
        ConfigurationError: The file cannot be made.
    """
    return _sqlite(url, busy_seconds) if url.get_backend_name() == "sqlite" else _postgresql(url)


def _postgresql(url: URL) -> AsyncEngine:
    return create_async_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=CONNECTIONS,
        max_overflow=CONNECTIONS,
        pool_timeout=POOL_SECONDS,
        pool_recycle=RECYCLE_SECONDS,
        isolation_level="READ COMMITTED",
        connect_args={
            "timeout": CONNECT_SECONDS,
            "command_timeout": STATEMENT_SECONDS,
            "server_settings": {
                "application_name": "plugbay",
                "lock_timeout": "10s",
                "idle_in_transaction_session_timeout": "60s",
            },
        },
    )


def _sqlite(url: URL, busy_seconds: float) -> AsyncEngine:
    options: dict[str, Any] = {"timeout": busy_seconds}
    anchor: sqlite3.Connection | None = None
    if url.database:
        _make_file(Path(url.database))
    else:
        # Connections of one process share a database of this kind, so a broken one can be replaced.
        name = f"file:/{uuid.uuid4().hex}?vfs=memdb"
        anchor = sqlite3.connect(name, uri=True, check_same_thread=False)
        url = url.set(database=name, query={"uri": "true"})
    engine = create_async_engine(
        url, hide_parameters=True, poolclass=AsyncAdaptedQueuePool, pool_size=1 + READERS, max_overflow=0,
        pool_timeout=POOL_SECONDS, connect_args=options,
    )  # fmt: skip
    _listen(engine, busy_seconds, anchor)
    return engine


def _make_file(path: Path) -> None:
    """Makes the file, if it is not there, before SQLite would make one that others can read."""
    try:
        # Only a new one is opened: to close a file gives up all locks that this process has on it.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    except OSError as error:
        raise ConfigurationError(f"The database {path} cannot be made: {error.strerror}.") from error
    os.close(descriptor)
    sync_directory(path.parent)


def _write_ahead(cursor: Any) -> None:
    """Turns the write-ahead log on, unless it is.

    Of several that do so at once on a new file one succeeds, and SQLite lets the others not wait, but fail.
    """
    for pause in PAUSES:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            time.sleep(pause)
        else:
            return
    cursor.execute("PRAGMA journal_mode = WAL")


def _listen(engine: AsyncEngine, busy_seconds: float, anchor: sqlite3.Connection | None) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        # The driver begins no transactions of its own (SQLAlchemy, "Transactions with SQLite and the sqlite3 driver").
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma.format(busy=round(1000 * busy_seconds))}")
        _write_ahead(cursor)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes then would fail if another wrote meanwhile.
        if connection.get_execution_options().get("plugbay_write"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    if anchor is not None:

        @event.listens_for(engine.sync_engine, "engine_disposed")
        def disposed(_engine: object) -> None:
            anchor.close()
