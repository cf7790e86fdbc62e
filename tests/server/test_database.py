"""SQLite and PostgreSQL behind the same methods: what is committed stays, and writers take turns."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from plugbay.errors import ConfigurationError, InvalidParameterError, ServiceError
from plugbay.server.database import Database
from plugbay.server.sql_engine import READERS

ADD = text("INSERT INTO leases (name, holder, fence, expires_at) VALUES (:name, 'h', 1, 0)")
COUNT = text("SELECT count(*) FROM leases")


async def _add(database, name):
    async with database.begin() as connection:
        await connection.execute(ADD, {"name": name})


async def _count(database):
    return (await database.first(COUNT))[0]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "mysql://u:secret@h/d",
        "sqlite://host/path",
        "sqlite:///a?mode=secret",
        "://secret",
        "postgresql+psycopg://u:secret@h/d",
    ],
)
def test_another_url_is_refused_without_being_quoted(url):
    """A URL of another form is a ConfigurationError that says which forms there are."""
    with pytest.raises(ConfigurationError, match=r"^PLUGBAY_DATABASE_URL ") as caught:
        Database(url)
    assert "secret" not in str(caught.value)
    assert None is caught.value.__cause__


def test_a_password_is_not_shown():
    """Neither the user's password nor the options of a URL are in the repr."""
    database = Database("postgresql://user:secret@host/name?password=secret")
    assert "Database('postgresql+asyncpg://user:***@host/name')" == repr(database)


async def test_a_block_commits_or_rolls_back(database):
    """What a block wrote is there after it, and is not if the block raised."""
    await _add(database, "kept")
    with suppress(ZeroDivisionError):
        async with database.begin() as connection:
            await connection.execute(ADD, {"name": "undone"})
            raise ZeroDivisionError
    assert 1 == await _count(database)


async def test_many_writers_at_once_all_succeed(database):
    """Fifty transactions that read first and write then, begun at once, lose nothing."""
    await _add(database, "counter")

    async def raise_by_one():
        async with database.begin() as connection:
            lock = " FOR UPDATE" if database.dialect == "postgresql" else ""
            fence = (await connection.execute(text(f"SELECT fence FROM leases{lock}"))).scalar()
            await connection.execute(text("UPDATE leases SET fence = :fence"), {"fence": fence + 1})

    await asyncio.gather(*(raise_by_one() for _ in range(50)))
    assert 51 == (await database.first(text("SELECT fence FROM leases")))[0]


async def test_readers_do_not_wait_for_the_writer(database):
    """While a transaction is open others read what was committed before it."""
    async with database.begin() as connection:
        await connection.execute(ADD, {"name": "open"})
        reads = asyncio.gather(*(asyncio.create_task(_count(database)) for _ in range(20)))
        assert [0] * 20 == await reads
    assert 1 == await _count(database)


async def test_a_cancelled_writer_leaves_nothing_and_frees_the_way(database):
    """A writer that is cancelled within its transaction wrote nothing, and the next one writes."""
    inside = asyncio.Event()

    async def write():
        async with database.begin() as connection:
            await connection.execute(ADD, {"name": "cancelled"})
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await _add(database, "next")
    assert ["next"] == [row.name for row in await database.all(text("SELECT name FROM leases"))]


@pytest.mark.parametrize("steps", range(12))
async def test_a_writer_may_be_cancelled_anywhere(database, steps):
    """Cancelled after any number of steps of the event loop, a writer has written all or nothing, and others go on."""

    async def write():
        async with database.begin() as connection:
            await connection.execute(ADD, {"name": "one"})
            await connection.execute(ADD, {"name": "two"})

    task = asyncio.create_task(write())
    for _ in range(steps):
        await asyncio.wait((task,), timeout=0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await _add(database, "three")
    assert await _count(database) in (1, 3)


async def test_a_database_in_memory_outlives_a_cancelled_writer():
    """The tables of a database in memory are there after a writer was cancelled amid a statement."""
    database = Database("sqlite://")
    await database.migrate()
    task = asyncio.create_task(_add(database, "one"))
    for _ in range(3):
        await asyncio.wait((task,), timeout=0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.gather(
        *(_add(database, f"more {number}") for number in range(10)), *(_count(database) for _ in range(10))
    )
    assert await _count(database) in (10, 11)
    await database.close()


async def test_databases_in_memory_are_not_shared():
    """Two databases in memory know nothing of each other."""
    one, two = Database("sqlite://"), Database("sqlite://")
    await one.migrate()
    await two.migrate()
    await _add(one, "x")
    assert (1, 0) == (await _count(one), await _count(two))
    await one.close()
    await two.close()


async def test_a_transaction_within_a_transaction_is_refused_on_sqlite(tmp_path):
    """A task that asks for a transaction while it has one would wait for itself, and is told so."""
    for url in (f"sqlite:///{tmp_path / 'db'}", "sqlite://"):
        database = Database(url)
        async with database.begin():
            with pytest.raises(RuntimeError, match="hand on its connection"):
                await _add(database, "x")
        await database.close()


async def test_a_clash_is_left_to_who_knows_its_meaning(database):
    """An IntegrityError leaves the block as it is, without the values in its words."""
    await _add(database, "twice")
    with pytest.raises(IntegrityError) as caught:
        await _add(database, "twice")
    assert "[SQL parameters hidden due to hide_parameters=True]" in str(caught.value)


@pytest.mark.parametrize("value", ["nul \0", "half of a pair \ud800"], ids=["nul", "surrogate"])
async def test_text_that_cannot_be_stored_is_refused_or_kept(database, value):
    """Text that a database cannot hold is an InvalidParameterError; what it can hold comes back unchanged."""
    refused = ""
    try:
        await _add(database, value)
    except InvalidParameterError as error:
        refused = str(error)
    expected = ([], "A value has characters or a size that cannot be stored.") if refused else ([value], "")
    assert expected == ([row.name for row in await database.all(text("SELECT name FROM leases"))], refused)


async def test_text_that_is_too_long_is_refused_on_postgresql(database):
    """A value beyond a column's length is an InvalidParameterError where the database looks."""
    if database.dialect == "sqlite":
        pytest.skip("SQLite does not look at lengths")
    with pytest.raises(InvalidParameterError):
        await _add(database, "x" * 129)


async def test_a_server_that_is_not_there_is_a_service_error():
    """Without a server each method says that the database cannot be reached, and not how it would be."""
    database = Database("postgresql://user:secret@127.0.0.1:1/name")
    for attempt in (lambda: database.first(text("SELECT 1")), database.migrate, lambda: _add(database, "x")):
        with pytest.raises(ServiceError, match=r"^The database cannot be reached: \w+\.$") as caught:
            await attempt()
        assert True is caught.value.retryable
    await database.close()


async def test_a_wrong_password_is_a_service_error(database):
    """A password that the server does not take is told without quoting it."""
    if database.dialect == "sqlite":
        pytest.skip("SQLite has no passwords")
    wrong = Database(database.url.set(password="wrong-secret").render_as_string(hide_password=False))
    with pytest.raises(ServiceError, match=r"^The database (failed|cannot be reached): InvalidPasswordError, 28P01\.$"):
        await wrong.first(text("SELECT 1"))
    await wrong.close()


async def test_connections_that_the_server_closed_are_replaced(database):
    """After the server ended all connections the next read and the next write succeed."""
    if database.dialect == "sqlite":
        pytest.skip("SQLite has no server")
    await asyncio.gather(*(_count(database) for _ in range(5)))
    other = Database(database.url.render_as_string(hide_password=False))
    await other.all(
        text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    )
    await other.close()
    assert 0 == await _count(database)
    await _add(database, "x")
    assert 1 == await _count(database)


async def test_a_query_that_was_cut_off_is_asked_again_and_a_write_is_not(database):
    """A connection that breaks under a query costs nothing; under a write it is an error, as it may have been done."""
    if database.dialect == "sqlite":
        pytest.skip("SQLite has no connection to break")
    async with _cutting_proxy(database.url) as (url, marks, cuts):
        through = Database(url)
        marks.append(b"cut this query")
        assert "cut this query" == (await through.first(text("SELECT 'cut this query'")))[0]
        marks.append(b"cut this write")
        with pytest.raises(ServiceError):
            async with through.begin() as connection:
                await connection.execute(text("INSERT INTO leases VALUES ('cut this write', 'h', 1, 0)"))
        assert ([b"cut this query", b"cut this write"], 0) == (cuts, await _count(through))
        await through.close()


@asynccontextmanager
async def _cutting_proxy(url):
    """A way to the server that breaks once at each mark that passes."""
    marks, cuts, serving = [], [], set()

    async def copy(reader, writer, other):
        while data := await reader.read(65536):
            if found := [mark for mark in marks if mark in data]:
                marks.remove(found[0])
                cuts.append(found[0])
                break
            other.write(data)
            await other.drain()
        writer.close()
        other.close()

    async def serve(reader, writer):
        serving.add(asyncio.current_task())
        there_reader, there_writer = await asyncio.open_connection(url.host, url.port)
        await asyncio.gather(
            copy(reader, writer, there_writer), copy(there_reader, there_writer, writer), return_exceptions=True
        )

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield url.set(port=port).render_as_string(hide_password=False), marks, cuts
        # Each ends with its connection; what is left open would be told of in another test.
        await asyncio.gather(*serving)


async def test_the_file_is_for_its_owner_alone(tmp_path):
    """The file of a new SQLite database, and what SQLite puts beside it, cannot be read by others."""
    before = os.umask(0)
    try:
        database = Database(f"sqlite:///{tmp_path / 'plugbay.db'}")
        await database.migrate()
        await _add(database, "x")
        found = {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    await database.close()
    assert dict.fromkeys(("plugbay.db", "plugbay.db-wal", "plugbay.db-shm"), "0o600") == found


def test_a_file_in_no_directory_is_refused(tmp_path):
    """A file that cannot be made is a ConfigurationError that names it."""
    with pytest.raises(ConfigurationError, match=r"plugbay.db cannot be made: No such file or directory\.$"):
        Database(f"sqlite:///{tmp_path / 'missing' / 'plugbay.db'}")


async def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path):
    """The error names the file: it is probably not the one that was meant."""
    path = tmp_path / "letter.db"
    path.write_text("Dear customer, " * 100)
    opened = Database(f"sqlite:///{path}")
    try:
        for first in (opened.migrate, opened.age):
            with pytest.raises(ConfigurationError, match=r"letter\.db is no SQLite database\.$"):
                await first()
    finally:
        await opened.close()


async def test_a_failure_is_named_as_the_database_names_it(database):
    """What SQLite or PostgreSQL call a failure is in the error: it is a constant, and quotes nothing."""
    code = {"sqlite": "SQLITE_ERROR", "postgresql": "42P01"}[database.dialect]
    with pytest.raises(ServiceError, match=rf"^The database failed: [A-Za-z]+, {code}\.$"):
        await database.first(text("SELECT 'hunter2' FROM nowhere"))


async def test_a_full_disk_is_said_to_be_full(tmp_path):
    """Who operates the server reads in the error what is to be done."""
    database = Database(f"sqlite:///{tmp_path / 'db'}")
    await database.migrate()

    async def fill():
        async with database.begin() as connection:
            await connection.execute(text("PRAGMA max_page_count = 1"))  # it can be no less than there are
            await connection.execute(text("CREATE TABLE big AS SELECT zeroblob(1000000)"))

    with pytest.raises(ServiceError, match=r"^The disk of the database is full\.$"):
        await fill()
    await database.close()


async def test_whether_it_can_be_written_is_known_from_the_last_write(tmp_path):
    """After a write that failed another is tried until one is done; before that none is."""
    database = Database(f"sqlite:///{tmp_path / 'db'}")
    await database.migrate()
    told = [await database.can_write()]
    for is_locked in (True, False):
        async with AsyncExitStack() as stack:
            for _ in range(1 + READERS):
                connection = await stack.enter_async_context(database.read())
                await connection.execute(text(f"PRAGMA query_only = {is_locked}"))
        if is_locked:
            told.append(await database.can_write())
            with pytest.raises(ServiceError, match="SQLITE_READONLY"):
                await _add(database, "x")
        told.append(await database.can_write())
    await database.close()
    assert [True, True, False, True] == told


async def test_commits_of_sqlite_are_on_the_disk(tmp_path):
    """Each connection syncs each commit, overwrites what is deleted, and heeds foreign keys."""
    database = Database(f"sqlite:///{tmp_path / 'db'}")
    asked = {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1, "busy_timeout": 10_000}
    for engine in (database.begin, database.read):
        async with engine() as connection:
            told = {name: (await connection.execute(text(f"PRAGMA {name}"))).scalar() for name in asked}
        assert asked == told
    await database.close()


async def test_what_was_committed_survives_a_killed_process(tmp_path):
    """A row that a process was told of as committed is there after the process was killed."""
    path = tmp_path / "db"
    database = Database(f"sqlite:///{path}")
    await database.migrate()
    program = (
        "import asyncio, os, signal, sys; from sqlalchemy import text; from plugbay.server.database import Database\n"
        "async def main():\n"
        "    database = Database(sys.argv[1])\n"
        "    async with database.begin() as connection:\n"
        "        await connection.execute(text(\"INSERT INTO leases VALUES ('kept', 'h', 1, 0)\"))\n"
        "    async with database.begin() as connection:\n"
        "        await connection.execute(text(\"INSERT INTO leases VALUES ('undone', 'h', 1, 0)\"))\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())"
    )
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program, f"sqlite:///{path}"], timeout=60, check=False
    )
    assert (-9, ["kept"]) == (
        done.returncode,
        [row.name for row in await database.all(text("SELECT name FROM leases"))],
    )
    await database.close()


def test_many_that_open_a_new_file_at_once_all_succeed(tmp_path):
    """Six that open a new file at the same moment, ten times over, all write to it."""
    barrier = threading.Barrier(6)

    async def write(path, number):
        database = Database(f"sqlite:///{path}")
        barrier.wait(60)
        async with database.begin() as connection:
            await connection.execute(text("CREATE TABLE IF NOT EXISTS leases (name, holder, fence, expires_at)"))
            await connection.execute(ADD, {"name": str(number)})
        await database.close()

    def start(number):
        for turn in range(10):
            asyncio.run(write(tmp_path / str(turn), number))

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(start, range(6)))
    for turn in range(10):
        with closing(sqlite3.connect(tmp_path / str(turn))) as connection:
            assert (6,) == connection.execute("SELECT count(*) FROM leases").fetchone()


def test_processes_share_one_file(tmp_path):
    """Four processes that open a new file at once and write fifty rows each lose none."""
    program = (
        "import asyncio, sys; from sqlalchemy import text; from plugbay.server.database import Database\n"
        "async def main():\n"
        "    database = Database(sys.argv[1])\n"
        "    sys.stdin.read(1)\n"
        "    await database.migrate()\n"
        "    for number in range(50):\n"
        "        async with database.begin() as connection:\n"
        "            name = f'{sys.argv[2]} {number}'\n"
        "            add = text(\"INSERT INTO leases VALUES (:name, 'h', 1, 0)\")\n"
        "            await connection.execute(add, {'name': name})\n"
        "    await database.close()\n"
        "asyncio.run(main())"
    )
    path = tmp_path / "db"
    started = [
        subprocess.Popen([sys.executable, "-c", program, f"sqlite:///{path}", str(number)], stdin=subprocess.PIPE)
        for number in range(4)
    ]
    for process in started:
        process.stdin.write(b"x")
        process.stdin.flush()
    for process in started:
        process.communicate(timeout=120)
    with closing(sqlite3.connect(path)) as connection:
        assert ([0] * 4, 200) == (
            [process.returncode for process in started],
            connection.execute("SELECT count(*) FROM leases").fetchone()[0],
        )


async def test_a_change_is_a_transaction_of_its_own(database):
    """A single statement that writes says how many rows it concerned, and others see it at once."""
    add = text("INSERT INTO leases VALUES (:name, 'h', 1, 0)")
    assert [1, 1] == [await database.change(add.bindparams(name=name)) for name in ("a", "b")]
    assert 2 == await database.change(text("UPDATE leases SET fence = 2"))
    assert 0 == await database.change(text("DELETE FROM leases WHERE name = 'c'"))
    assert [(2,), (2,)] == [tuple(row) for row in await database.all(text("SELECT fence FROM leases"))]
