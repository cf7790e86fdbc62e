"""Tokens stand for what they were issued for, until they end."""

from __future__ import annotations

import asyncio
import time

import pytest
from sqlalchemy import select

from plugbay.errors import NotFoundError
from plugbay.server.store.bearers import PREFIXES, Bearer
from plugbay.server.tables import bearers


@pytest.mark.parametrize("kind", PREFIXES)
async def test_a_token_is_found_and_not_kept(stores, kind):
    """A token of each kind has its prefix and 256 bits, is found with all it stands for, and is not in its row."""
    client, _ = await stores.clients.create(stores.organization.id, "agent")
    workspace = await stores.workspaces.ensure(stores.organization.id, "default")
    before = time.time()
    token = await stores.bearers.issue(
        kind,
        client_id=client.id,
        organization_id=stores.organization.id,
        lifetime=60,
        workspace_id=workspace.id,
        audience="https://here.example/mcp",
        detail={"scope": "read"},
    )
    found = await stores.bearers.find(token)
    ends = found.expires_at
    expected = Bearer(
        kind, client.id, stores.organization.id, workspace.id, "https://here.example/mcp", {"scope": "read"}, ends
    )
    assert (expected, True) == (found, before + 60 <= ends <= time.time() + 60)
    assert (True, len(PREFIXES[kind]) + 43) == (token.startswith(PREFIXES[kind]), len(token))
    assert token not in repr(await stores.database.first(select(bearers)))


async def test_a_token_that_has_ended_is_not_found(stores):
    """An expired, a revoked and an unknown token are all the same: none."""
    issue = {"client_id": None, "organization_id": stores.organization.id}
    expired = await stores.bearers.issue("web", **issue, lifetime=0)
    revoked = await stores.bearers.issue("web", **issue, lifetime=60)
    assert None is not await stores.bearers.find(revoked)
    await stores.bearers.revoke(revoked)
    for token in (expired, revoked, "", "pb_web_unknown", "\ud800"):
        assert None is await stores.bearers.find(token)


async def test_of_many_revocations_at_once_one_is_told_so(stores):
    """Whoever is told True has ended the token alone, so a token can be spent once."""
    token = await stores.bearers.issue(
        "mcp_refresh", client_id=None, organization_id=stores.organization.id, lifetime=60
    )
    told = await asyncio.gather(*(stores.bearers.revoke(token) for _ in range(20)))
    assert 1 == sum(told)


async def test_a_token_is_bound_to_a_workspace_of_its_organization(stores):
    """No token is issued for another organization's workspace, and one ends with its workspace."""
    workspace = await stores.workspaces.ensure(stores.organization.id, "default")
    scoped = {"client_id": None, "workspace_id": workspace.id, "lifetime": 60}
    with pytest.raises(NotFoundError):
        await stores.bearers.issue("scoped", organization_id=stores.other.id, **scoped)
    token = await stores.bearers.issue("scoped", organization_id=stores.organization.id, **scoped)
    await stores.workspaces.delete(stores.organization.id, workspace.id)
    assert None is await stores.bearers.find(token)


async def test_purging_forgets_what_has_ended(stores):
    """Purging takes away tokens that ended before then, and no other."""
    issue = {"client_id": None, "organization_id": stores.organization.id}
    await stores.bearers.issue("web", **issue, lifetime=-10)
    alive = await stores.bearers.issue("web", **issue, lifetime=60)
    assert [1, 0] == [await stores.bearers.purge(time.time()) for _ in range(2)]
    assert None is not await stores.bearers.find(alive)
