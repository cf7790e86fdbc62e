"""Connectors are kept with their credentials, both or neither."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from plugbay.errors import NotFoundError
from plugbay.server.tables import connectors, secrets

CREDENTIALS = {"email": "a@acme.example", "api_token": "very-secret"}


async def _create(stores, organization_id, workspace="default", **fields):
    room = await stores.workspaces.ensure(organization_id, workspace)
    given = {
        "connector_type": "zendesk-support",
        "name": "Support",
        "subdomain": "acme",
        "replication_config": {"start_date": "2026-01-01T00:00:00Z"},
        "auth_kind": "token",
        "secret": CREDENTIALS,
        **fields,
    }
    return await stores.connectors.create(organization_id, room.id, **given)


async def _sealed(stores):
    return len(await stores.database.all(select(secrets.c.subject)))


async def test_a_connector_is_made_with_its_credentials(stores):
    """The record says all that was given but the credentials, which open by its id."""
    made = await _create(stores, stores.organization.id)
    assert made == await stores.connectors.get(stores.organization.id, made.id)
    assert ("default", "zendesk-support", "acme", "token", "active", 1, None) == (
        made.workspace_name,
        made.connector_type,
        made.subdomain,
        made.auth_kind,
        made.status,
        made.version,
        made.entities,
    )
    assert CREDENTIALS == (await stores.secrets.get(stores.organization.id, f"connector/{made.id}")).value
    assert "very-secret" not in repr(made)


async def test_a_connector_whose_credentials_fail_is_not_made(stores):
    """If the credentials cannot be sealed there is no connector either."""
    with pytest.raises(TypeError, match=r"^A secret holds JSON values, not object\.$"):
        await _create(stores, stores.organization.id, secret={"x": object()})
    assert ([], 0) == (await stores.database.all(select(connectors)), await _sealed(stores))


async def test_a_connector_is_in_a_workspace_of_its_organization(stores):
    """No connector is made in another organization's workspace, and nothing of it is kept."""
    theirs = await stores.workspaces.ensure(stores.other.id, "theirs")
    for workspace_id in (theirs.id, "missing"):
        with pytest.raises(NotFoundError, match=r"^There is no such workspace\.$"):
            await stores.connectors.create(
                stores.organization.id,
                workspace_id,
                connector_type="zendesk-talk",
                name="x",
                subdomain="x",
                replication_config={},
                auth_kind="oauth",
                secret={},
            )
    assert ([], 0) == (await stores.database.all(select(connectors)), await _sealed(stores))


async def test_a_list_is_filtered_and_cut(stores):
    """A list can be of a workspace and of a type, and goes on by its cursor."""
    one = await _create(stores, stores.organization.id, "one")
    two = await _create(stores, stores.organization.id, "two", connector_type="zendesk-talk")
    three = await _create(stores, stores.organization.id, "two")
    await _create(stores, stores.other.id)
    listed = stores.connectors.list
    mine = stores.organization.id
    assert [one, two, three] == (await listed(mine)).items
    assert [two, three] == (await listed(mine, workspace_id=two.workspace_id)).items
    assert [two] == (await listed(mine, connector_type="zendesk-talk")).items
    part = await listed(mine, limit=2)
    assert ([one, two], [three]) == (part.items, (await listed(mine, cursor=part.next)).items)


async def test_what_a_person_changes_raises_the_version(stores):
    """Settings and credentials raise the version; a renewed token, a status and a check do not."""
    made = await _create(stores, stores.organization.id)
    mine = (stores.organization.id, made.id)
    changed = await stores.connectors.update(*mine, name="New", entities=["tickets"])
    assert ("New", ["tickets"], 2) == (changed.name, changed.entities, changed.version)
    await stores.secrets.put(stores.organization.id, f"connector/{made.id}", {"renewed": True})
    await stores.connectors.set_status(*mine, "needs_reauth", "The grant was withdrawn.")
    checked = await stores.connectors.note_check(*mine, "failed")
    assert ("needs_reauth", "The grant was withdrawn.", "failed", True, 2) == (
        checked.status,
        checked.status_reason,
        checked.check_status,
        made.created_at < checked.checked_at,
        checked.version,
    )
    again = await stores.connectors.replace_secret(*mine, {"access_token": SecretStr("new")}, auth_kind="oauth")
    assert ("active", None, "oauth", 3) == (again.status, again.status_reason, again.auth_kind, again.version)
    kept = await stores.secrets.get(stores.organization.id, f"connector/{made.id}")
    assert (3, {"access_token": "new"}) == (kept.version, kept.value)
    assert None is (await stores.connectors.update(*mine, entities=None)).entities


async def test_an_unknown_setting_is_a_mistake_of_the_program(stores):
    """What is no setting, such as the status, cannot be changed by the way."""
    made = await _create(stores, stores.organization.id)
    with pytest.raises(TypeError, match=r"^A connector has no setting \['status'\]\.$"):
        await stores.connectors.update(stores.organization.id, made.id, status="active")


async def test_credentials_go_with_their_connector(stores):
    """After a connector or its workspace is deleted, none of its credentials is in the database."""
    one, two = (
        await _create(stores, stores.organization.id, "one"),
        await _create(stores, stores.organization.id, "two"),
    )
    assert 2 == await _sealed(stores)
    assert [True, False] == [await stores.connectors.delete(stores.organization.id, one.id) for _ in range(2)]
    assert 1 == await _sealed(stores)
    await stores.workspaces.delete(stores.organization.id, two.workspace_id)
    assert (0, None) == (await _sealed(stores), await stores.connectors.get(stores.organization.id, two.id))


async def test_no_credentials_are_put_for_a_connector_that_is_gone(stores):
    """A token that was renewed while its connector was deleted is refused, so that no secret is left behind."""
    made = await _create(stores, stores.organization.id)
    await stores.connectors.delete(stores.organization.id, made.id)
    with pytest.raises(NotFoundError, match=r"^The secret belongs to nothing that is there\.$"):
        await stores.secrets.put(stores.organization.id, f"connector/{made.id}", {"renewed": True})
    with pytest.raises(NotFoundError, match=r"^There is no such connector\.$"):
        await stores.connectors.replace_secret(stores.organization.id, made.id, {}, auth_kind="oauth")
    assert False is await stores.connectors.set_status(stores.organization.id, made.id, "active")
    assert 0 == await _sealed(stores)


async def test_renewals_and_deletions_at_once_leave_no_secret_behind(stores):
    """Whatever the order of connectors made, renewed and deleted with their workspace at once, no secret is left over."""
    made = [await _create(stores, stores.organization.id) for _ in range(5)]
    work = [
        stores.secrets.put(stores.organization.id, f"connector/{each.id}", {"n": 1}) for each in made for _ in range(3)
    ]
    work += [stores.workspaces.delete(stores.organization.id, made[0].workspace_id)]
    work += [_create(stores, stores.organization.id) for _ in range(5)]
    done = await asyncio.gather(*work, return_exceptions=True)
    assert [] == [each for each in done if isinstance(each, Exception) and not isinstance(each, NotFoundError)]
    left = {f"connector/{row.id}" for row in await stores.database.all(select(connectors.c.id))}
    assert left == {row.subject for row in await stores.database.all(select(secrets.c.subject))}


async def test_what_older_credentials_met_says_nothing_of_newer_ones(stores):
    """A status that is known of one version is not noted once a person has given other credentials."""
    old = await _create(stores, stores.organization.id)
    mine = (stores.organization.id, old.id)
    await stores.connectors.replace_secret(*mine, {"access_token": "new"}, auth_kind="oauth")
    assert False is await stores.connectors.set_status(*mine, "needs_reauth", "old", version=old.version)
    assert "active" == (await stores.connectors.get(*mine)).status
    assert True is await stores.connectors.set_status(*mine, "needs_reauth", "new", version=old.version + 1)
