"""What the database of a cluster has, read past the server's processes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import asyncpg

from chaos.cluster.desk import digest
from chaos.storm import MARK
from plugbay.server.database import Database
from plugbay.server.store import Connectors, Secrets
from plugbay.server.vault import Vault

__all__ = ["Truth"]

_HISTORY = """
CREATE TABLE chaos_commits (subject text, version int, at double precision);
CREATE FUNCTION chaos_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO chaos_commits VALUES (NEW.subject, NEW.version, EXTRACT(EPOCH FROM clock_timestamp()));
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER chaos_note AFTER UPDATE ON secrets DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION chaos_note();
"""
"""Notes when each new version of a secret is committed: a deferred trigger is run by the COMMIT itself."""


class Truth:
    """Asks the database.

    Args:
        url: The database's.
        vault: Opens what is sealed.
        organization_id: Whose connectors they are.
    """

    def __init__(self, url: str, vault: Vault, organization_id: str) -> None:
        self._url = url
        self._database = Database(url)
        self._secrets = Secrets(self._database, vault)
        self._connectors = Connectors(self._database, self._secrets)
        self._organization_id = organization_id

    async def begin(self) -> None:
        """Has the database note its commits of secrets."""
        await self._execute(_HISTORY)

    async def close(self) -> None:
        """Lets go of the database."""
        await self._database.close()

    async def refresh_token(self, connector_id: str) -> str | None:
        """The digest of a connector's refresh token; None if it has none."""
        found = await self._secrets.get(self._organization_id, f"connector/{connector_id}")
        token = found.value.get("refresh_token") if found else None
        return digest(token) if token else None

    async def status(self, connector_id: str) -> tuple[str, str | None]:
        """A connector's status, and why."""
        found = await self._connectors.get(self._organization_id, connector_id)
        return ("removed", None) if found is None else (found.status, found.status_reason)

    async def names(self) -> dict[str, str]:
        """The names of all connectors by their ids."""
        rows = await self._query("SELECT id, name FROM connectors")
        return {row["id"]: row["name"] for row in rows}

    async def commits(self) -> dict[str, list[float]]:
        """When new versions of each connector's secret were committed, by its id."""
        found: dict[str, list[float]] = {}
        for row in await self._query("SELECT subject, at FROM chaos_commits ORDER BY at"):
            found.setdefault(row["subject"].removeprefix("connector/"), []).append(row["at"])
        return found

    async def entries(self) -> dict[str, list[tuple[float, str]]]:
        """The audit log's entries of each write, by its mark: when, and with which outcome."""
        found: dict[str, list[tuple[float, str]]] = {}
        query = "SELECT at, outcome, content FROM audit WHERE event = 'execute' AND effect <> 'read'"
        for row in await self._query(query):
            if mark := MARK.search(str(row["content"]).encode()):
                found.setdefault(mark[0].decode(), []).append((row["at"], row["outcome"]))
        return found

    async def outcomes(self) -> Counter[str]:
        """How often each outcome is in the audit log."""
        rows = await self._query("SELECT outcome, count(*) AS n FROM audit WHERE effect <> 'read' GROUP BY outcome")
        return Counter({row["outcome"]: row["n"] for row in rows})

    async def halves(self) -> dict[str, int]:
        """What is there without its other half."""
        return {
            "connectors without a secret": await self._count(
                "connectors c LEFT JOIN secrets s ON s.connector_id = c.id WHERE s.subject IS NULL"
            ),
            "secrets without a connector": await self._count(
                "secrets s LEFT JOIN connectors c ON c.id = s.connector_id "
                "WHERE s.subject LIKE 'connector/%' AND c.id IS NULL"
            ),
        }

    async def left(self) -> dict[str, int]:
        """What processes that have ended may have left behind."""
        mine = "application_name = 'plugbay'"
        return {
            "leases that are still held": await self._count(
                "leases WHERE expires_at > EXTRACT(EPOCH FROM clock_timestamp())"
            ),
            "connections of processes that have ended": await self._count(f"pg_stat_activity WHERE {mine}"),
            "prepared transactions": await self._count("pg_prepared_xacts"),
        }

    async def forget_own(self) -> None:
        """Closes the connections that would be counted as a process's."""
        await self._database.close()

    async def _count(self, what: str) -> int:
        return int((await self._query(f"SELECT count(*) FROM {what}"))[0][0])

    async def _query(self, text: str) -> list[Any]:
        connection = await asyncpg.connect(self._url, server_settings={"application_name": "chaos"})
        try:
            rows: list[Any] = await connection.fetch(text)
            return rows
        finally:
            await connection.close()

    async def _execute(self, text: str) -> None:
        connection = await asyncpg.connect(self._url)
        try:
            await connection.execute(text)
        finally:
            await connection.close()
