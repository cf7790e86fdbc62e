"""Connectors are made, renewed and removed together with the note of it, and with credentials that are good."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from tests.server.serving import serving

from plugbay.connectors.zendesk.auth import ApiTokenConfig, OAuthConfig
from plugbay.errors import ServiceError
from plugbay.sandbox import Sandbox
from plugbay.server.caller import Caller
from plugbay.server.catalog import DEFINITIONS
from plugbay.server.connecting import (
    CheckResult,
    NewConnector,
    change_settings,
    check_connector,
    create_connector,
    keep_connector,
    remove_connector,
    replace_credentials,
)
from plugbay.server.failures import ApiError


@pytest.fixture
async def running():
    """A server with a sandbox of its own."""
    with Sandbox() as sandbox:
        async with serving(sandbox) as running:
            yield running


@pytest.fixture
def caller(running):
    """Whoever does it."""
    return Caller(running.organization_id, running.client_id)


def new(running, **fields):
    given = {"workspace_name": "acme", "definition": DEFINITIONS[0], "name": "Desk", "replication_config": {}}
    return NewConnector(**given, subdomain=running.sandbox.subdomain, **fields)


def good(running):
    return ApiTokenConfig(email=running.sandbox.email, api_token=running.sandbox.api_token)


def pair(running, **fields):
    sandbox = running.sandbox
    client = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    return OAuthConfig(access_token=sandbox.token(expires_in=-5), **{**client, **fields})


async def events(running):
    return [each.event async for each in running.server.audit.export(running.organization_id)]


async def without_audit(running):
    """From then on nothing can be noted."""
    async with running.server.database.begin() as connection:
        await connection.execute(text("ALTER TABLE audit RENAME TO away"))


async def test_there_is_no_connector_without_its_note(running, caller):
    """If its creation cannot be noted in the audit log, the connector is not made."""
    await without_audit(running)
    with pytest.raises(ServiceError):
        await create_connector(running.server, caller, new(running), good(running))
    assert [] == (await running.server.connectors.list(running.organization_id)).items


async def test_what_is_done_to_a_connector_is_noted_or_not_done(running, caller):
    """If it cannot be noted, credentials are not replaced and the connector is not removed."""
    record, _ = await create_connector(running.server, caller, new(running), good(running))
    before = await running.server.secrets.get(running.organization_id, f"connector/{record.id}")
    await without_audit(running)
    with pytest.raises(ServiceError):
        await replace_credentials(running.server, caller, record, good(running))
    with pytest.raises(ServiceError):
        await remove_connector(running.server, caller, record)
    assert record == await running.server.connectors.get(running.organization_id, record.id)
    assert (
        before.version == (await running.server.secrets.get(running.organization_id, f"connector/{record.id}")).version
    )


async def test_settings_are_changed_with_their_note_or_not_at_all(running, caller):
    """If it cannot be noted, a connector keeps its name, be it alone or with other credentials that it should change."""
    record, _ = await create_connector(running.server, caller, new(running), good(running))
    await without_audit(running)
    with pytest.raises(ServiceError):
        await change_settings(running.server, caller, record, {"name": "Front desk"})
    with pytest.raises(ServiceError):
        await replace_credentials(running.server, caller, record, good(running), settings={"name": "Front desk"})
    assert record == await running.server.connectors.get(running.organization_id, record.id)


async def test_each_step_has_its_note(running, caller):
    """A connector's creation, its other credentials and its removal are in the log, in this order."""
    record, check = await create_connector(running.server, caller, new(running), good(running))
    assert ("succeeded", "succeeded", True) == (check.status, record.check_status, record.checked_at is not None)
    await replace_credentials(running.server, caller, record, good(running))
    await remove_connector(running.server, caller, record)
    assert ["connector.created", "credentials.set", "connector.deleted"] == await events(running)


async def test_a_pair_that_has_ended_takes_the_place_of_other_credentials(running, caller):
    """An ended access token with its refresh token is renewed once, and the connector works with the new pair."""
    record, _ = await create_connector(running.server, caller, new(running), good(running))
    given = pair(running, refresh_token=running.sandbox.refresh_token)
    renewed, check = await replace_credentials(running.server, caller, record, given)
    assert "succeeded" == check.status
    assert renewed == await running.server.connectors.get(running.organization_id, record.id)
    assert ("oauth", "succeeded") == (
        renewed.auth_kind,
        (await check_connector(running.server, caller, renewed)).status,
    )
    assert 1 == len([request for request in running.sandbox.requests if request.path == "/oauth/tokens"])


async def test_refused_credentials_leave_the_old_ones(running, caller):
    """Credentials that Zendesk refuses are 400, and the connector works as before."""
    record, _ = await create_connector(running.server, caller, new(running), good(running))
    with pytest.raises(ApiError, match=r"^The credentials were not accepted, and the old ones stay\."):
        await replace_credentials(running.server, caller, record, pair(running, refresh_token="spent"))
    same = await running.server.connectors.get(running.organization_id, record.id)
    assert (record, "succeeded") == (same, (await check_connector(running.server, caller, same)).status)


async def test_a_connector_stays_in_the_callers_own_workspace(running):
    """Whoever has one workspace makes a connector in that one, though it is called otherwise by now."""
    room = await running.server.workspaces.ensure(running.organization_id, "acme")
    await running.server.workspaces.update(running.organization_id, room.id, name="renamed")
    scoped = Caller(running.organization_id, running.client_id, room.id)
    made = await keep_connector(
        running.server,
        scoped,
        new(running),
        secret={"grant_id": "first", "access_token": "t"},
        kind="oauth",
        check=CheckResult("inconclusive"),
    )
    assert ("renamed", ["renamed"]) == (
        made.workspace_name,
        [each.name for each in (await running.server.workspaces.list(running.organization_id)).items],
    )


async def test_a_removal_is_noted_once(running, caller):
    """Of two removals of one connector the second finds nothing to remove, and notes nothing."""
    record, _ = await create_connector(running.server, caller, new(running), good(running))
    await remove_connector(running.server, caller, record)
    with pytest.raises(ApiError, match="There is no connector"):
        await remove_connector(running.server, caller, record)
    assert 1 == (await events(running)).count("connector.deleted")
