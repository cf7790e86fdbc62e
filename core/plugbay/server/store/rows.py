"""What all repositories do with rows."""

from __future__ import annotations

import hashlib
import time
import uuid
from typing import Any, TypeVar

from sqlalchemy import Double, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

__all__ = ["clock", "digest", "insert_or", "new_id", "now", "record"]

T = TypeVar("T")


def new_id() -> str:
    """A new row's id."""
    return str(uuid.uuid4())


def now() -> float:
    """Seconds since the epoch."""
    return time.time()


def digest(token: str) -> str:
    """What is kept of a token of 256 random bits: nobody finds the token by it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def record(kind: type[T], row: Any) -> T:
    """The record of a row whose columns have its fields' names."""
    return kind(**row._asdict())


def insert_or(connection: AsyncConnection, table: Table) -> Any:
    """An INSERT that can be told what to do on a conflict, in the connection's dialect."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


class clock(GenericFunction[float]):  # noqa: N801 - it is written like a function of SQL
    """Seconds since the epoch by the database's clock, which all processes share."""

    type: Double[float] = Double()
    name = "plugbay_clock"
    inherit_cache = True


@compiles(clock, "postgresql")
def _postgresql_clock(_element: clock, _compiler: Any, **_: Any) -> str:
    # Not now(), which stands still within a transaction.
    return "EXTRACT(EPOCH FROM clock_timestamp())::double precision"


@compiles(clock, "sqlite")
def _sqlite_clock(_element: clock, _compiler: Any, **_: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"
