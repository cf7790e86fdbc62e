"""The database: SQLite in one file, or PostgreSQL, behind the same few methods.

SQLite has one writer at a time, so a process's writers queue here, in order, and meet those of other processes at
BEGIN IMMEDIATE. What is committed is on the disk: a new refresh token that a power failure took away would lock
its owner out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Executable, Row, exc, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from plugbay.errors import ConfigurationError, InvalidParameterError, ServiceError
from plugbay.server.migrations import Age, age, upgrade
from plugbay.server.sql_engine import is_memory, open_engine, parse_url

__all__ = ["Database"]

BUSY_SECONDS = 10.0
"""How long a statement waits for a writer of another process."""

_TOUCH = text("UPDATE alembic_version SET version_num = version_num")
"""A write that changes nothing."""

_FULL = frozenset({"SQLITE_FULL", "53100"})
"""What SQLite and PostgreSQL (appendix A of its manual) call a full disk."""


class Database:
    """One database; use it from one event loop. Nothing is opened before the first statement.

    Args:
        url: `sqlite:///path`, `sqlite://` (in memory), or `postgresql://user:password@host/name`.

    Raises:
        ConfigurationError: The URL is none of these.
    """

    def __init__(self, url: str) -> None:
        self.url = parse_url(url)
        self.dialect = self.url.get_backend_name()
        """`"sqlite"` or `"postgresql"`."""
        self._engine: AsyncEngine = open_engine(self.url, busy_seconds=BUSY_SECONDS)
        self._writer = self._engine.execution_options(plugbay_write=True)
        self._reader = (
            self._engine.execution_options(isolation_level="AUTOCOMMIT")
            if self.dialect == "postgresql"
            else self._engine
        )
        self.is_memory = is_memory(self.url)
        self._writing = _Turn() if self.dialect == "sqlite" else None
        # In memory a reader is in the way of the writer too.
        self._reading = self._writing if self.is_memory else None
        self._has_failed_to_write = False

    def __repr__(self) -> str:
        # The query may name a password too.
        return f"Database({self.url.set(query={}).render_as_string(hide_password=True)!r})"

    @property
    def path(self) -> Path | None:
        """The file of an SQLite database; None if it is in memory, or no SQLite."""
        is_file = self.dialect == "sqlite" and self.url.database
        return Path(self.url.database) if is_file and self.url.database else None

    @asynccontextmanager
    async def begin(self, within: AsyncConnection | None = None) -> AsyncGenerator[AsyncConnection]:
        """A transaction for writing, committed at the end of the block and rolled back if that raises.

        Keep it short, wait for nothing but the database in it, and open no other in it.

        Args:
            within: A transaction that the block is a part of; whoever began it ends it, and after an error it is of
                no use.

        Raises:
            ServiceError: The database cannot be reached, or did not answer in time.
            InvalidParameterError: A value is none that the database can hold.
        """
        if within is not None:
            yield within
            return
        with self._remembered():
            async with _turn(self._writing), _connected(self._writer) as connection:
                with named_errors():
                    async with connection.begin():
                        yield connection

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """A connection for reading; each statement sees what is committed when it begins.

        Raises:
            ServiceError: The database cannot be reached, or did not answer in time.
            InvalidParameterError: A value is none that the database can hold.
        """
        async with _turn(self._reading), _connected(self._reader) as connection:
            with named_errors():
                yield connection

    async def first(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Row[Any] | None:
        """The first row of a query; asked once more if the server had closed the connection.

        Args:
            statement: The query.
            values: Of its parameters, where it was made once for all calls.

        Raises:
            ServiceError: The database cannot be reached, or did not answer in time.
        """
        rows = await self.all(statement, values)
        return rows[0] if rows else None

    async def all(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        """All rows of a query; asked once more if the server had closed the connection.

        Args:
            statement: The query.
            values: Of its parameters, where it was made once for all calls.

        Raises:
            ServiceError: The database cannot be reached, or did not answer in time.
        """
        try:
            return await self._all(statement, values)
        except ServiceError as error:
            cause = error.__cause__
            # Only a query: a statement that writes may have been done.
            if not (isinstance(cause, exc.DBAPIError) and cause.connection_invalidated):
                raise
        return await self._all(statement, values)

    async def _all(self, statement: Executable, values: Mapping[str, Any] | None) -> Sequence[Row[Any]]:
        async with self.read() as connection:
            return (await connection.execute(statement, values)).all()

    async def change(self, statement: Executable) -> int:
        """Runs one statement that writes, as a transaction of its own, on the shortest way there is.

        Returns:
            How many rows it concerned. They are durable when it returns.

        Raises:
            ServiceError: The database cannot be reached, or did not answer in time; it may have been done.
        """
        # A single statement needs no BEGIN and no COMMIT where each is a round trip.
        own = self.read() if self.dialect == "postgresql" else self.begin()
        with self._remembered():
            async with own as connection:
                return (await connection.execute(statement)).rowcount

    async def can_write(self) -> bool:
        """Whether the last transaction was committed; after one that failed, whether another is.

        A disk that is full, or a server that follows another, is still read as if nothing were wrong.
        """
        if not self._has_failed_to_write:
            return True
        try:
            await self.change(_TOUCH)
        except ServiceError:
            return False
        return True

    @contextmanager
    def _remembered(self) -> Generator[None]:
        """Remembers whether the block, which writes, could."""
        try:
            yield
        except ServiceError:
            self._has_failed_to_write = True
            raise
        self._has_failed_to_write = False

    async def age(self) -> Age:
        """How the tables fit this version.

        Raises:
            ConfigurationError: The file is no database, or the tables are those of another program.
            ServiceError: The database cannot be reached.
        """
        with self._named_file():
            async with self.read() as connection:
                return await connection.run_sync(age)

    async def migrate(self) -> None:
        """Brings the tables to what this version needs; of several processes at once, one does it.

        Raises:
            ConfigurationError: The tables are those of a newer version or another program, or the file is no database.
            ServiceError: The database cannot be reached.
        """
        with self._named_file():
            async with _turn(self._writing), _connected(self._engine) as connection:
                with named_errors():
                    await upgrade(connection, self.dialect)

    @contextmanager
    def _named_file(self) -> Generator[None]:
        """Names the file, where it is the wrong one."""
        try:
            yield
        except ServiceError as error:
            if isinstance(error.__cause__, exc.DBAPIError) and _code(error.__cause__) == "SQLITE_NOTADB":
                raise ConfigurationError(f"{self.path} is no SQLite database.") from error
            raise

    async def close(self) -> None:
        """Closes the connections. A database in memory is gone then."""
        await self._engine.dispose()


class _Turn:
    """A lock that says so when its holder asks for it again, instead of waiting for ever."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._holder: asyncio.Task[Any] | None = None

    @asynccontextmanager
    async def taken(self) -> AsyncGenerator[None]:
        task = asyncio.current_task()
        if task is not None and task is self._holder:
            raise RuntimeError("The database is used within a transaction of the same task: hand on its connection.")
        async with self._lock:
            self._holder = task
            try:
                yield
            finally:
                self._holder = None


@asynccontextmanager
async def _turn(turn: _Turn | None) -> AsyncGenerator[None]:
    if turn is None:
        yield
        return
    async with turn.taken():
        yield


@asynccontextmanager
async def _connected(engine: AsyncEngine) -> AsyncGenerator[AsyncConnection]:
    async with AsyncExitStack() as stack:
        try:
            with named_errors():
                connection = await stack.enter_async_context(engine.connect())
        except (OSError, TimeoutError) as error:
            raise ServiceError(f"The database cannot be reached: {type(error).__name__}.") from error
        yield connection


@contextmanager
def named_errors() -> Generator[None]:
    """Gives a failure of the database its name; an IntegrityError is left to who knows what it means."""
    try:
        yield
    except exc.IntegrityError:
        raise
    except exc.TimeoutError as error:
        raise ServiceError("The database has no connection free.", retry_after=1.0) from error
    except (UnicodeEncodeError, OverflowError) as error:
        raise _unfit() from error
    except exc.DBAPIError as error:
        raise (_unfit() if _is_unfit(error) else _failed(error)) from error


def _is_unfit(error: exc.DBAPIError) -> bool:
    """Whether it is a value's fault: the driver could not send it, or the server has no room for it."""
    cause = error.driver_exception
    # Class 22 is "data exception" (ISO 9075-2, and appendix A of PostgreSQL's manual).
    return isinstance(cause, ValueError | OverflowError) or str(getattr(cause, "sqlstate", "")).startswith("22")


def _unfit() -> InvalidParameterError:
    return InvalidParameterError("A value has characters or a size that cannot be stored.")


def _failed(error: exc.DBAPIError) -> ServiceError:
    # By its kind and code alone, as the driver's words may quote what was sent.
    code = _code(error)
    if code in _FULL:
        return ServiceError("The disk of the database is full.")
    kind = type(error.driver_exception).__name__
    return ServiceError(f"The database failed: {kind}{f', {code}' if code else ''}.")


def _code(error: exc.DBAPIError) -> str | None:
    cause = error.driver_exception
    return getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
