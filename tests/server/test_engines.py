"""Live connectors: shared by calls, replaced when their record changes, closed when nobody needs them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

pytest.importorskip("sqlalchemy")

from plugbay.errors import AuthenticationError
from plugbay.sandbox import Sandbox
from plugbay.server.engines import Engines

from .api.conftest import CONNECTORS, Api
from .serving import serving


@pytest.fixture
async def running():
    """A server with a sandbox."""
    with Sandbox(seed=1, tickets=3, calls=0, plan=None) as sandbox:
        async with serving(sandbox) as server:
            yield server


@pytest.fixture
async def record(running):
    """A connector as it is in the database."""
    api = Api(running, await running.signed_in())
    return await running.server.connectors.get(running.organization_id, await api.create())


async def used(running, record, policy=None):
    """The live connector that a call is given."""
    async with running.server.engines.use(replace(record, policy=policy or {})) as connector:
        return connector


async def test_calls_share_a_live_connector(running, record):
    """Any number of first calls at once, and all later ones, have one and the same."""
    found = await asyncio.gather(*(used(running, record) for _ in range(10)))
    assert 1 == len({id(connector) for connector in (*found, await used(running, record))})


async def test_a_changed_record_has_another(running, record):
    """After a change by a person calls have a new connector; the old one is closed when its last call ends."""
    async with running.server.engines.use(record) as old:
        changed = await running.server.connectors.update(record.organization_id, record.id, name="other")
        assert old is not await used(running, changed)
        assert (await old.execute("users", "me")).data["id"]


async def test_the_policy_is_the_connectors(running, record):
    """A connector has its organization's policy, and another one after that is changed."""
    free, strict = await used(running, record), await used(running, record, {"read_only": True})
    assert (None, True) == (free.policy, strict.policy.read_only)


async def test_without_credentials_there_is_none(running, record):
    """A record whose secret is gone says that it must be authorized again."""
    await running.server.secrets.delete(record.organization_id, f"connector/{record.id}")
    with pytest.raises(AuthenticationError, match="no credentials"):
        await used(running, record)


async def test_what_must_make_room_is_closed_behind_its_back(running, record):
    """With room for one, two connectors take turns, each is usable, and whoever comes does not wait for the other's end."""
    server = running.server
    engines = Engines(server.secrets, server.leases, server.oauth_apps, server.settings, most=1)
    api = Api(running, await running.signed_in())
    other = await running.server.connectors.get(running.organization_id, await api.create("second"))

    async def call(which):
        async with engines.use(which) as connector:
            return (await connector.execute("users", "me")).data["id"]

    found = await asyncio.gather(*(call(which) for _ in range(5) for which in (record, other)))
    await engines.close()
    assert 1 == len(set(found))


async def test_organizations_do_not_share_what_zendesk_said(running, record):
    """A wait that Zendesk told one organization holds its other connectors of the account, and no other organization's."""
    api = Api(running, await running.signed_in())
    other = await api.other()
    ours, theirs = [record.id, await api.create("second")], await other.create()
    me = {"entity": "users", "action": "me"}
    fault = running.sandbox.fail(status=429, headers={"retry-after": "600"})
    for connector_id in ours:
        answer = await api.refused(429, "POST", f"{CONNECTORS}/{connector_id}/execute", me)
        assert "rate_limited" == answer["error"]["code"]

    assert 1 == fault.hits
    assert (await other.execute(theirs, "users", "me"))["result"]["id"]


async def test_what_is_asked_before_it_is_kept_holds_nobody(running, record):
    """A wait that Zendesk told to credentials which nobody has yet stops no connector that there is."""
    api = Api(running, await running.signed_in())
    check = f"{CONNECTORS}/{record.id}/check"
    before = await api.ok("POST", check)
    fault = running.sandbox.fail(status=429, headers={"retry-after": "600"})
    await api.create("second")

    assert 1 == fault.hits
    assert ["succeeded"] * 2 == [answer["status"] for answer in (before, await api.ok("POST", check))]
