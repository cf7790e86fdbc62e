"""Whether a process lives, and whether it should be given requests."""

from __future__ import annotations

from contextlib import AsyncExitStack

from sqlalchemy import text
from tests.server.serving import serving

from plugbay.sandbox import Sandbox
from plugbay.server.sql_engine import READERS

CONNECTORS = "/api/v1/integrations/connectors"


async def test_ready():
    """A server whose database is reached and has its tables lives and is ready; nobody has to sign in to ask."""
    async with serving() as running:
        answers = [await running.http.get(path) for path in ("/health", "/ready")]

    assert [(200, {"status": "ok"})] * 2 == [(answer.status_code, answer.json()) for answer in answers]


async def test_other_tables():
    """A process that cannot work with a newer version's tables lives, and is not ready; one that can goes on."""
    async with serving() as running:
        async with running.server.database.begin() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        fitting = await running.http.get("/ready")
        async with running.server.database.begin() as connection:
            await connection.execute(text("UPDATE works_since SET revision = '9999'"))
        ready, health = await running.http.get("/ready"), await running.http.get("/health")

    assert 200 == fitting.status_code
    assert (503, "2", 200) == (ready.status_code, ready.headers["retry-after"], health.status_code)


async def test_no_database():
    """A process that cannot use its database lives, and is not ready."""
    async with serving() as running:
        async with running.server.database.begin() as connection:
            await connection.execute(text("DROP TABLE alembic_version"))
        ready, health = await running.http.get("/ready"), await running.http.get("/health")

    assert (503, 200) == (ready.status_code, health.status_code)
    assert "alembic" not in ready.text


async def _let_write(database, allowed):
    """Lets all connections of an SQLite database write, or none."""
    async with AsyncExitStack() as stack:
        for _ in range(1 + READERS):
            connection = await stack.enter_async_context(database.read())
            await connection.execute(text(f"PRAGMA query_only = {not allowed}"))


async def test_a_database_that_cannot_be_written():
    """From the first write that fails until one succeeds the process is not ready; calls meanwhile say when to come again."""
    with Sandbox() as sandbox:
        async with serving(sandbox) as running:
            headers = await running.signed_in()
            credentials = {"access_token": sandbox.access_token}
            wish = {"workspace_name": "acme", "connector_type": "Zendesk-Support", "credentials": credentials}
            made = await running.http.post(CONNECTORS, headers=headers, json=wish)
            call = {"entity": "tickets", "action": "get", "params": {"ticket_id": 1}}
            path = f"{CONNECTORS}/{made.json()['id']}/execute"
            await _let_write(running.server.database, allowed=False)
            failed = await running.http.post(path, headers=headers, json=call)
            statuses = [(await running.http.get("/ready")).status_code]
            await _let_write(running.server.database, allowed=True)
            statuses.append((await running.http.get("/ready")).status_code)
            done = await running.http.post(path, headers=headers, json=call)

    assert (503, "2", "unavailable") == (
        failed.status_code, failed.headers["retry-after"], failed.json()["errors"][0]["error_code"],
    )  # fmt: skip
    assert ([503, 200], 200) == (statuses, done.status_code)
