"""Whether a process lives, and whether it should be given requests."""

from __future__ import annotations

from sqlalchemy import text
from tests.server.serving import serving


async def test_ready():
    """A server whose database is reached and has its tables lives and is ready; nobody has to sign in to ask."""
    async with serving() as running:
        answers = [await running.http.get(path) for path in ("/health", "/ready")]

    assert [(200, {"status": "ok"})] * 2 == [(answer.status_code, answer.json()) for answer in answers]


async def test_other_tables():
    """A process that needs other tables than the database has lives, and is not ready."""
    async with serving() as running:
        async with running.server.database.begin() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = 'of a newer one'"))
        ready, health = await running.http.get("/ready"), await running.http.get("/health")

    assert (503, "2", 200) == (ready.status_code, ready.headers["retry-after"], health.status_code)


async def test_no_database():
    """A process that cannot use its database lives, and is not ready."""
    async with serving() as running:
        async with running.server.database.begin() as connection:
            await connection.execute(text("DROP TABLE alembic_version"))
        ready, health = await running.http.get("/ready"), await running.http.get("/health")

    assert (503, 200) == (ready.status_code, health.status_code)
    assert "alembic" not in ready.text
