"""The store of a connector's pair: sealed, bound to one authorization, locked for one renewal at a time."""

from __future__ import annotations

import asyncio
import pickle

import pytest

pytest.importorskip("sqlalchemy")

from pydantic import SecretStr

from plugbay.auth.tokens import Tokens
from plugbay.errors import ConfigurationError
from plugbay.server.token_store import VaultTokenStore, subject_of


@pytest.fixture
async def connector(stores):
    """A connector with a sealed pair."""
    workspace = await stores.workspaces.ensure(stores.organization.id, "acme")
    return await stores.connectors.create(
        stores.organization.id,
        workspace.id,
        connector_type="zendesk-support",
        name="acme",
        subdomain="acme",
        replication_config={},
        auth_kind="oauth",
        secret={"grant_id": "first", "access_token": "old-a", "refresh_token": "old-r", "client_id": "app"},
    )


@pytest.fixture
def make(stores, connector):
    """Makes stores of the connector's pair, as each process has one."""
    return lambda grant="first": VaultTokenStore(
        stores.secrets, stores.leases, stores.organization.id, connector.id, grant_id=grant
    )


NEW = Tokens(SecretStr("new-a"), SecretStr("new-r"), 1_800_000_000.0, "read write")


async def test_a_saved_pair_is_loaded_by_any_other(make, stores, connector):
    """What one store saved another loads, whole, and the rest of the record stays."""
    await make().save(NEW)
    assert NEW == await make().load()
    kept = await stores.secrets.get(stores.organization.id, subject_of(connector.id))
    assert ("app", "first") == (kept.value["client_id"], kept.value["grant_id"])


async def test_a_pair_of_an_old_grant_never_takes_the_new_ones_place(make, stores, connector):
    """When somebody authorized anew, what was renewed of the old grant is neither saved nor loaded."""
    old = make()
    value = {"grant_id": "second", "access_token": "fresh", "refresh_token": "fresh-r", "client_id": "app"}
    await stores.secrets.put(stores.organization.id, subject_of(connector.id), value)
    with pytest.raises(ConfigurationError, match="authorized anew"):
        await old.save(NEW)
    assert None is await old.load()
    assert "fresh" == (await make("second").load()).access_token.get_secret_value()


async def test_the_pair_of_a_removed_connector_is_not_saved(make, stores, connector):
    """After the connector is gone nothing of it comes back."""
    store = make()
    await stores.connectors.delete(stores.organization.id, connector.id)
    with pytest.raises(ConfigurationError, match="removed"):
        await store.save(NEW)
    assert None is await stores.secrets.get(stores.organization.id, subject_of(connector.id))


async def test_one_at_a_time_holds_the_lock(make):
    """Of several stores of one pair, one is within the lock at a time."""
    inside, most = 0, 0

    async def renew():
        nonlocal inside, most
        async with make().lock():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(renew() for _ in range(5)))
    assert 1 == most


def test_it_is_not_pickled(make):
    """A store holds the way to secrets and refuses to be written down."""
    with pytest.raises(TypeError):
        pickle.dumps(make())
