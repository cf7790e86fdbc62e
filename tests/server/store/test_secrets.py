"""Secrets are sealed in their place, in versions, and keys are changed while they are in use."""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import select, text, update

from plugbay.errors import ConfigurationError, ConflictError
from plugbay.server.database import Database
from plugbay.server.keys import StaticKeys
from plugbay.server.store import Connectors, Organizations, Secrets, Workspaces
from plugbay.server.tables import secrets
from plugbay.server.vault import SealError, Vault

KNOWN = [f"known-secret-{number}-{'x' * 40}" for number in range(5)]


async def _connector(stores, organization_id=None, secret=None):
    organization_id = organization_id or stores.organization.id
    room = await stores.workspaces.ensure(organization_id, "default")
    given = {"connector_type": "zendesk-support", "name": "x", "subdomain": "x", "auth_kind": "oauth"}
    made = await stores.connectors.create(
        organization_id, room.id, **given, replication_config={}, secret=secret or {"version": 1}
    )
    return organization_id, f"connector/{made.id}"


async def test_each_put_is_the_next_version(stores):
    """A secret is what was put last, its version is raised by one, and its repr shows nothing."""
    place = await _connector(stores)
    assert [2, 3] == [await stores.secrets.put(*place, {"token": SecretStr(each)}) for each in ("b", "c")]
    found = await stores.secrets.get(*place)
    assert (3, {"token": "c"}, "Secret(version=3)") == (found.version, found.value, repr(found))
    assert [True, False] == [await stores.secrets.delete(*place) for _ in range(2)]
    assert None is await stores.secrets.get(*place)


async def test_an_expected_version_is_heeded(stores):
    """A secret is replaced only if it has the version that was expected; 0 is none."""
    place = await _connector(stores)
    for wrong in (0, 2):
        with pytest.raises(ConflictError, match=r"^The secret was changed by somebody else\.$"):
            await stores.secrets.put(*place, {}, expected_version=wrong)
    assert 2 == await stores.secrets.put(*place, {"a": 1}, expected_version=1)
    await stores.secrets.delete(*place)
    assert 1 == await stores.secrets.put(*place, {"b": 1}, expected_version=0)


async def test_many_puts_at_once_each_have_a_version(stores):
    """Twenty puts at once have twenty versions, and what is left is the last of them."""
    place = await _connector(stores)
    versions = await asyncio.gather(*(stores.secrets.put(*place, {"n": number}) for number in range(20)))
    found = await stores.secrets.get(*place)
    assert (list(range(2, 22)), 21) == (sorted(versions), found.version)
    assert {"n": versions.index(21)} == found.value


async def test_a_put_is_undone_with_its_transaction(stores):
    """A secret that was put in a transaction that failed is as it was."""
    place = await _connector(stores)
    with suppress(ZeroDivisionError):
        async with stores.database.begin() as connection:
            assert 2 == await stores.secrets.put(*place, {"version": 2}, connection=connection)
            raise ZeroDivisionError
    assert {"version": 1} == (await stores.secrets.get(*place)).value


@pytest.mark.parametrize("subject", ["", "connector", "other/1", "vault/check"])
async def test_a_subject_of_another_kind_is_a_mistake_of_the_program(stores, subject):
    """A secret that would go with no row is refused."""
    with pytest.raises(ValueError, match=r"^A secret's subject begins with one of"):
        await stores.secrets.put(stores.organization.id, subject, {})


async def test_swapped_and_rolled_back_rows_are_refused(stores):
    """Ciphertext copied from another organization's row, or an older version's put back, does not open."""
    mine, theirs = await _connector(stores), await _connector(stores, stores.other.id)
    row = {name: getattr(await _row(stores, mine), name) for name in ("key_id", "wrapped_key", "ciphertext")}
    await stores.secrets.put(*mine, {"version": 2})
    for place in (mine, theirs):
        async with stores.database.begin() as connection:
            await connection.execute(update(secrets).where(*_is(place)).values(**row))
        with pytest.raises(SealError, match=r"^A stored secret cannot be opened\."):
            await stores.secrets.get(*place)


async def test_a_row_moved_to_another_organization_is_refused(database_url, vault):
    """Even a whole row that is given to another organization, with all that binds it, does not open there."""
    database = Database(database_url)
    await database.migrate()
    organizations, store = Organizations(database), Secrets(database, vault)
    workspaces, connectors = Workspaces(database), Connectors(database, store)
    mine, theirs = (await organizations.create("a")).id, (await organizations.create("b")).id
    room, other = await workspaces.ensure(mine, "x"), await workspaces.ensure(theirs, "x")
    given = {"connector_type": "t", "name": "x", "subdomain": "x", "auth_kind": "oauth"}
    made = await connectors.create(mine, room.id, **given, replication_config={}, secret={"a": 1})
    sealed = await database.first(select(secrets))
    async with database.begin() as connection:
        await connection.execute(text("DELETE FROM secrets"))
        moved = {"organization": theirs, "workspace": other.id}
        await connection.execute(
            text("UPDATE connectors SET organization_id = :organization, workspace_id = :workspace"), moved
        )
        await connection.execute(secrets.insert().values({**sealed._asdict(), "organization_id": theirs}))
    assert made.id == (await connectors.get(theirs, made.id)).id
    with pytest.raises(SealError):
        await store.get(theirs, f"connector/{made.id}")
    await database.close()


async def test_nothing_readable_is_in_the_files(stores, database_url, tmp_path):
    """Known secrets are neither in SQLite's files, before and after a checkpoint, nor in a dump of PostgreSQL."""
    place = await _connector(stores, secret={"token": KNOWN[0]})
    await stores.secrets.put(*place, {"token": KNOWN[1], "other": KNOWN[2]})
    await stores.oauth_apps.put(stores.organization.id, "zendesk-support", "client", KNOWN[3])
    client, secret = await stores.clients.create(stores.organization.id, "agent-by-name")
    issue = {"client_id": client.id, "organization_id": stores.organization.id, "lifetime": 60}
    tokens = [secret, await stores.bearers.issue("application", **issue)]
    before = await asyncio.to_thread(_content, stores.database, database_url, tmp_path)
    if stores.database.dialect == "sqlite":
        async with stores.database.read() as connection:
            await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    after = await asyncio.to_thread(_content, stores.database, database_url, tmp_path)
    for content in (before, after):
        assert True is (b"agent-by-name" in content)
        hidden = [*KNOWN, *tokens]
        encoded = [base64.b64encode(each.encode())[:24] for each in hidden] + [
            each.encode().hex().encode() for each in hidden
        ]
        assert [] == [each for each in [*(each.encode() for each in hidden), *encoded] if each in content]


def _content(database, url, tmp_path):
    if database.dialect == "sqlite":
        return b"".join(path.read_bytes() for path in tmp_path.iterdir())
    binary = max(Path("/usr/lib/postgresql").glob("*/bin/pg_dump"))
    return subprocess.run([binary, "--inserts", url], capture_output=True, check=True, timeout=60).stdout


async def test_keys_are_changed_while_others_read_and_write(stores):
    """All through a change of the key every secret opens and can be put; afterwards the old key is not needed."""
    old, new = os.urandom(32), os.urandom(32)
    before = Secrets(stores.database, Vault(StaticKeys({"old": old})))
    both = Secrets(stores.database, Vault(StaticKeys({"new": new, "old": old})))
    places = [await _connector(stores) for _ in range(12)]
    for place in places:
        await before.put(*place, {"n": 0})
    assert (0, 12) == (await before.stale(), await both.stale())

    async def use():
        for number in range(1, 6):
            for place in places[:4]:
                await both.put(*place, {"n": number})
            for place in places:
                assert {"n"} == (await both.get(*place)).value.keys()

    async def rewrap():
        while await both.rewrap(limit=3):
            pass

    await asyncio.gather(use(), rewrap(), rewrap())
    await rewrap()
    after = Secrets(stores.database, Vault(StaticKeys({"new": new})))
    assert [{"n": 5}] * 4 + [{"n": 0}] * 8 == [(await after.get(*place)).value for place in places]
    assert (0, 0) == (await after.stale(), await both.rewrap())
    with pytest.raises(SealError):
        await before.get(*places[0])


async def test_a_wrong_key_is_noticed_at_the_start(stores):
    """Before any secret is there, and after a key was taken away too soon, the start says which key is missing."""
    right, newer = os.urandom(32), os.urandom(32)
    await Secrets(stores.database, Vault(StaticKeys({"one": right}))).check_keys()
    message = r"^The master key 'one', which sealed secrets of this database, is missing or another one\."
    for keys in ({"one": os.urandom(32)}, {"two": newer}):
        with pytest.raises(ConfigurationError, match=message):
            await Secrets(stores.database, Vault(StaticKeys(keys))).check_keys()
    both = Secrets(stores.database, Vault(StaticKeys({"two": newer, "one": right})))
    await both.check_keys()
    place = await _connector(stores)
    await both.put(*place, {})
    with pytest.raises(ConfigurationError, match=message):
        await Secrets(stores.database, Vault(StaticKeys({"two": newer}))).check_keys()
    # What the fixture's own vault sealed at first is no more.
    assert 1 == await both.rewrap()
    await Secrets(stores.database, Vault(StaticKeys({"two": newer}))).check_keys()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(value=st.dictionaries(st.text(), _JSON, max_size=4))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_comes_back(value):
    """Whatever JSON values were put come back equal."""

    async def run():
        database = Database("sqlite://")
        await database.migrate()
        store = Secrets(database, Vault(StaticKeys.random()))
        organization = await Organizations(database).create("a")
        room = await Workspaces(database).ensure(organization.id, "x")
        given = {"connector_type": "t", "name": "x", "subdomain": "x", "auth_kind": "oauth"}
        made = await Connectors(database, store).create(
            organization.id, room.id, **given, replication_config={}, secret=value
        )
        found = await store.get(organization.id, f"connector/{made.id}")
        await database.close()
        return found.value

    assert value == asyncio.run(run())


async def _row(stores, place):
    return await stores.database.first(select(secrets).where(*_is(place)))


def _is(place):
    return secrets.c.organization_id == place[0], secrets.c.subject == place[1]
