"""Clients sign in with a secret that is shown once, and reach the organizations they joined."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from plugbay.errors import NotFoundError
from plugbay.server.tables import clients


async def test_a_client_signs_in_with_its_secret_alone(stores):
    """Only the very secret signs in, and the database has no more than a digest of it."""
    client, secret = await stores.clients.create(stores.organization.id, "agent")
    assert client == await stores.clients.authenticate(client.id, secret)
    for wrong in ("", secret[:-1], secret + "x", "\ud800"):
        assert None is await stores.clients.authenticate(client.id, wrong)
    assert None is await stores.clients.authenticate("missing", secret)
    row = await stores.database.first(select(clients))
    assert secret not in repr(row) + repr(client)


async def test_a_client_reaches_what_it_joined_its_default_first(stores):
    """The organizations of a client are its default and then those it joined, each once."""
    first = (await stores.organizations.create("First")).id
    client, _ = await stores.clients.create(stores.organization.id, "agent")
    for _ in range(2):
        await stores.clients.join(client.id, stores.other.id)
        await stores.clients.join(client.id, first)
    assert [stores.organization.id, stores.other.id, first] == await stores.clients.organizations_of(client.id)
    assert [[client]] * 2 == [await stores.clients.list(each) for each in (stores.organization.id, stores.other.id)]


async def test_what_is_not_there_cannot_be_joined(stores):
    """No client is made for, and none joins, an organization that is not there."""
    client, _ = await stores.clients.create(stores.organization.id, "agent")
    with pytest.raises(NotFoundError):
        await stores.clients.create("missing", "agent")
    with pytest.raises(NotFoundError):
        await stores.clients.join(client.id, "missing")
    with pytest.raises(NotFoundError):
        await stores.clients.join("missing", stores.organization.id)


async def test_a_revoked_client_is_good_for_nothing(stores):
    """A revoked client neither signs in nor reaches anything, its tokens have ended, and it stays in the list."""
    client, secret = await stores.clients.create(stores.organization.id, "agent")
    issue = {"client_id": client.id, "organization_id": stores.organization.id, "lifetime": 60}
    token = await stores.bearers.issue("application", **issue)
    assert [True, False] == [await stores.clients.revoke(stores.organization.id, client.id) for _ in range(2)]
    assert None is await stores.clients.authenticate(client.id, secret)
    assert ([], None) == (await stores.clients.organizations_of(client.id), await stores.bearers.find(token))
    late = await stores.bearers.issue("application", **issue)
    assert None is await stores.bearers.find(late)
    assert [True] == [each.revoked_at is not None for each in await stores.clients.list(stores.organization.id)]


async def test_an_organization_ends_only_its_own_part_of_another_s_client(stores):
    """Revoked by an organization that it merely joined, a client loses that one alone; by a stranger, nothing."""
    client, secret = await stores.clients.create(stores.organization.id, "agent")
    assert False is await stores.clients.revoke(stores.other.id, client.id)
    await stores.clients.join(client.id, stores.other.id)
    tokens = [
        await stores.bearers.issue("application", client_id=client.id, organization_id=each, lifetime=60)
        for each in (stores.organization.id, stores.other.id)
    ]
    assert True is await stores.clients.revoke(stores.other.id, client.id)
    assert client == await stores.clients.authenticate(client.id, secret)
    assert [stores.organization.id] == await stores.clients.organizations_of(client.id)
    assert [False, True] == [await stores.bearers.find(token) is None for token in tokens]
