"""What people have granted, and the clients that they granted it to, as they are kept in either database."""

from __future__ import annotations

import asyncio

import pytest

from plugbay.errors import NotFoundError
from plugbay.server.mcp.clients import McpClient, McpClients
from plugbay.server.mcp.grants import Grants, new_grant
from plugbay.server.store.rows import new_id

URI = "https://app.example/cb"


async def granted(stores, **changed):
    """A grant in a workspace of the first organization, and its code."""
    workspace = await stores.workspaces.ensure(stores.organization.id, "acme")
    facts = {
        "organization_id": stores.organization.id,
        "workspace_id": workspace.id,
        "client_id": None,
        "mcp_client_id": "client",
        "mcp_client_name": "Client",
        "resource": "https://here.example/mcp",
        **changed,
    }
    grant = new_grant(**facts)
    return grant, await Grants(stores.database).open(grant, redirect_uri=URI, challenge="c" * 43)


async def test_a_code_stands_for_its_grant_once(stores):
    """The first to redeem a code is given what it stands for; the second ends the grant."""
    grants = Grants(stores.database)
    grant, code = await granted(stores)
    first = await grants.redeem(code)
    before = await grants.get(grant.organization_id, grant.id)
    second = await grants.redeem(code)

    assert (grant, URI, "c" * 43) == (first.grant, first.redirect_uri, first.challenge)
    assert grant == before
    assert second is None
    assert await grants.get(grant.organization_id, grant.id) is None


async def test_of_many_at_once_one_redeems(stores):
    """Of several tasks that redeem a code at the same time at most one is given what it stands for."""
    grants = Grants(stores.database)
    _, code = await granted(stores)
    redeemed = await asyncio.gather(*(grants.redeem(code) for _ in range(10)))

    assert 1 >= len([each for each in redeemed if each is not None])


async def test_of_many_at_once_one_renews(stores):
    """Of several tasks that give up the same refresh token one is told that it was the last."""
    grants = Grants(stores.database)
    grant, _ = await granted(stores)
    begun = await grants.renew(grant.organization_id, grant.id, old=None, new="first")
    tries = [grants.renew(grant.organization_id, grant.id, old="first", new=f"next-{n}") for n in range(10)]

    assert begun
    assert 1 == (await asyncio.gather(*tries)).count(True)
    assert not await grants.renew(grant.organization_id, grant.id, old=None, new="again")


async def test_other_organizations_have_no_part_in_it(stores):
    """A grant is neither found, renewed, listed nor ended in the name of another organization."""
    grants = Grants(stores.database)
    grant, _ = await granted(stores)
    await grants.renew(grant.organization_id, grant.id, old=None, new="first")
    other = stores.other.id

    assert await grants.get(other, grant.id) is None
    assert not await grants.renew(other, grant.id, old="first", new="second")
    assert not await grants.revoke(other, grant.id)
    assert [] == list(await grants.list(other))
    assert [grant.id] == [each.id for each in await grants.list(grant.organization_id)]


async def test_an_ended_grant_is_ended(stores):
    """What was revoked is not found, listed, renewed or redeemed, and is revoked once."""
    grants = Grants(stores.database)
    grant, code = await granted(stores)

    assert [True, False] == [await grants.revoke(grant.organization_id, grant.id) for _ in range(2)]
    assert await grants.redeem(code) is None
    assert not await grants.renew(grant.organization_id, grant.id, old=None, new="first")
    assert [] == list(await grants.list(grant.organization_id))


@pytest.mark.parametrize(
    "changed", [{"workspace_id": new_id()}, {"client_id": new_id()}, {"organization_id": new_id()}]
)
async def test_nothing_is_granted_of_what_is_not_there(stores, changed):
    """A grant of a workspace, a client or an organization that does not exist is refused."""
    with pytest.raises(NotFoundError):
        await granted(stores, **changed)


async def test_a_grant_in_a_workspace_of_another_organization(stores):
    """A workspace of another organization cannot be granted."""
    theirs = await stores.workspaces.ensure(stores.other.id, "theirs")
    with pytest.raises(NotFoundError):
        await granted(stores, workspace_id=theirs.id)


async def test_many_remember_one_document_at_once(stores):
    """Processes that read the same document at the same time do not get into each other's way; the last one counts."""
    clients = McpClients(stores.database)
    url = "https://app.example/client.json"
    await asyncio.gather(*(clients.remember(McpClient(url, "Old", (URI,)), 60.0) for _ in range(5)))
    await clients.remember(McpClient(url, "New", (URI,)), 60.0)

    assert McpClient(url, "New", (URI,)) == await clients.remembered(url)
    assert await clients.remembered("https://app.example/other.json") is None


async def test_a_registered_client(stores):
    """A client that registered is known under its id, and has no host that stands behind it."""
    clients = McpClients(stores.database)
    client = await clients.register("Desk", [URI])
    await clients.note_use(client.id)

    assert client == await clients.get(client.id)
    assert client.host is None
    assert "app.example" == McpClient("https://app.example/c.json", "Desk", (URI,)).host
