"""One call of a connector: what its caller learns of it, whatever becomes of the note."""

from __future__ import annotations

import asyncio
import base64
import threading

import pytest

pytest.importorskip("sqlalchemy")

import asyncpg
from pydantic import SecretStr

from plugbay.sandbox import Sandbox

from .api.conftest import Api
from .serving import serving

KEYS = SecretStr(f"a:{base64.b64encode(bytes(range(32))).decode()}")


async def _set_reachable(url: str, *, reachable: bool) -> None:
    """Lets the server refuse connections to a database, and ends those that there are; or lets it take them again."""
    server, _, name = url.rpartition("/")
    operator = await asyncpg.connect(f"{server}/postgres")
    try:
        await operator.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {str(reachable).lower()}')
        if not reachable:
            await operator.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    finally:
        await operator.close()


async def test_a_write_that_was_done_is_told_as_done_although_its_end_cannot_be_noted(database_url):
    """While the database is away a ticket that was made is given to its caller, and stays noted as begun."""
    if not database_url.startswith("postgresql"):
        pytest.skip("a file is never away")
    loop, arrived, gone = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def hold(_request):
        loop.call_soon_threadsafe(arrived.set)
        return gone.wait(30)

    with Sandbox(seed=1, tickets=3, calls=0, plan=None) as sandbox:
        async with serving(sandbox, database_url=database_url, keys=KEYS) as running:
            api = Api(running, await running.signed_in())
            number = await api.create()
            sandbox.fail("/api/v2/tickets", method="POST", match=hold, delay=0.001, when="after")
            params = {"subject": "made", "comment": {"body": "x"}}
            call = asyncio.ensure_future(api.execute(number, "tickets", "create", params))
            await arrived.wait()
            await _set_reachable(database_url, reachable=False)
            gone.set()
            try:
                answer = await call
            finally:
                await _set_reachable(database_url, reachable=True)
            entries = await running.server.audit.query(running.organization_id, event="execute")
        made = [ticket["subject"] for ticket in sandbox.account.tickets.values() if ticket["subject"] == "made"]
    assert ("made", ["started"], ["made"]) == (
        answer["result"]["subject"],
        [entry.outcome for entry in entries.items],
        made,
    )
