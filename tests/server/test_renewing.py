"""The moment in which a new pair is nowhere but in a process: as short as can be, and waited for by whoever ends it."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager

import pytest

pytest.importorskip("sqlalchemy")

import asyncpg
from pydantic import SecretStr
from sqlalchemy import Engine, event

from plugbay.auth.tokens import Tokens
from plugbay.errors import ConflictError
from plugbay.sandbox import Sandbox
from plugbay.server.token_store import VaultTokenStore, subject_of

from .api.conftest import Api
from .serving import serving

NEW = Tokens(SecretStr("new-a"), SecretStr("new-r"), 1_800_000_000.0, "read write")
OLD = {"grant_id": "first", "access_token": "old-a", "refresh_token": "old-r", "client_id": "app"}


@pytest.fixture
async def connector(stores):
    """A connector with a sealed pair."""
    workspace = await stores.workspaces.ensure(stores.organization.id, "acme")
    given = {"connector_type": "zendesk-support", "name": "acme", "subdomain": "acme", "auth_kind": "oauth"}
    return await stores.connectors.create(
        stores.organization.id, workspace.id, **given, replication_config={}, secret=OLD
    )


@pytest.fixture
def store(stores, connector):
    """The store of its pair."""
    return VaultTokenStore(stores.secrets, stores.leases, stores.organization.id, connector.id, grant_id="first")


@contextmanager
def statements():
    """What is sent to the database inside the block, each statement by its first word."""
    sent = []

    def note(_connection, _cursor, statement, *_):
        sent.append(statement.split()[0])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def test_a_new_pair_is_saved_by_one_statement(store, stores):
    """After the lock and a look, a pair is kept by a single UPDATE: nothing is read or sealed anew in between."""
    async with store.lock():
        assert "old-r" == (await store.load()).refresh_token.get_secret_value()
        with statements() as sent:
            await store.save(NEW)
    begun = ["BEGIN"] if stores.database.dialect == "sqlite" else []
    assert [*begun, "UPDATE"] == sent
    assert NEW == await store.load()


async def test_what_others_changed_meanwhile_stays(store, stores, connector):
    """A record that was changed since the look is read again, so that nothing of the change is lost."""
    place = (stores.organization.id, subject_of(connector.id))
    async with store.lock():
        await store.load()
        await stores.secrets.put(*place, {**OLD, "note": "kept"})
        await store.save(NEW)
    value = (await stores.secrets.get(*place)).value
    assert ("new-r", "kept") == (value["refresh_token"], value["note"])


async def test_a_prepared_version_is_put_once(stores, connector):
    """What was prepared replaces that version alone, and opens like any other."""
    place = (stores.organization.id, subject_of(connector.id))
    prepared = await stores.secrets.prepare(*place)
    assert 2 == await stores.secrets.replace(prepared, {"token": SecretStr("b")})
    with pytest.raises(ConflictError, match=r"^The secret was changed by somebody else\.$"):
        await stores.secrets.replace(prepared, {"token": "c"})
    assert {"token": "b"} == (await stores.secrets.get(*place)).value
    assert None is await stores.secrets.prepare(stores.organization.id, "connector/none")
    assert "old-r" not in repr(prepared)


async def test_a_process_that_ends_waits_for_a_pair_on_its_way():
    """When the caller has gone and the process ends during an exchange, the new pair is in the database."""
    loop, arrived = asyncio.get_running_loop(), asyncio.Event()

    def seen(_request):
        loop.call_soon_threadsafe(arrived.set)
        return True

    with Sandbox(seed=1, tickets=3, calls=0, plan=None) as sandbox:
        pair = next(each for each in sandbox.account.tokens.values() if each.refresh == sandbox.refresh_token)
        given = {"access_token": pair.access, "refresh_token": pair.refresh, "client_id": sandbox.client_id}
        async with serving(sandbox) as running:
            server, api = running.server, Api(running, await running.signed_in())
            number = await api.create(credentials={**given, "client_secret": sandbox.client_secret})
            record = await server.connectors.get(running.organization_id, number)
            sandbox.fail("/oauth/tokens", match=seen, delay=0.3, when="after")
            for each in sandbox.account.tokens.values():  # the pair may have been renewed when it was given
                each.expires_at = 0.0 if each.refresh else each.expires_at
            async with server.engines.use(record) as connector:
                call = asyncio.ensure_future(connector.execute("users", "me"))
                came = asyncio.ensure_future(arrived.wait())
                await asyncio.wait({call, came}, return_when=asyncio.FIRST_COMPLETED)
                assert came.done(), call
                call.cancel()
            await server.engines.close()
            kept = await server.secrets.get(running.organization_id, subject_of(number))
        live = [each.refresh for each in sandbox.account.tokens.values() if each.refresh]
    assert [kept.value["refresh_token"]] == live


async def test_a_pair_is_saved_although_the_database_is_away_for_a_moment(store, stores):
    """While the database refuses connections a save goes on trying: there is no other copy of the pair."""
    if stores.database.dialect == "sqlite":
        pytest.skip("a file is never away")
    name = stores.database.url.database
    server = stores.database.url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    operator = await asyncpg.connect(server)
    try:
        async with store.lock():
            await store.load()
            await operator.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            await operator.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
            saving = asyncio.ensure_future(store.save(NEW))
            await asyncio.wait({saving}, timeout=0.1)
            refused = saving.done()
            await operator.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
            await saving
    finally:
        await operator.close()
    assert (False, NEW) == (refused, await store.load())
