"""An authorization under way is known again by its state, and taken once."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from plugbay.errors import NotFoundError
from plugbay.server.store import Flow
from plugbay.server.tables import flows, secrets

VERIFIER = "verifier-of-43-characters-that-nobody-knows-"


def _flow(stores, **fields):
    given = {
        "organization_id": stores.organization.id,
        "workspace_id": "11111111-1111-4111-8111-111111111111",
        "connector_type": "zendesk-support",
        "subdomain": "acme",
        "redirect_url": "https://acme.example/back",
        "name": "Support",
        "replication_config": {"start_date": "2026-01-01T00:00:00Z"},
        "client_id": "client",
        "verifier": SecretStr(VERIFIER),
        "expires_at": time.time() + 60,
        **fields,
    }
    return Flow(**given)


async def test_a_flow_is_known_again_and_taken_once(stores):
    """A flow is as it was noted as often as one looks, until it is taken; then it is gone, with its verifier."""
    flow = _flow(stores, oauth_app_id="app", browser="0" * 64)
    state = await stores.flows.begin(flow)
    assert [flow, flow] == [await stores.flows.peek(state) for _ in range(2)]
    assert [flow, None] == [await stores.flows.take(state) for _ in range(2)]
    assert None is await stores.flows.peek(state)
    assert [] == await stores.database.all(select(secrets))


async def test_of_many_who_take_a_flow_at_once_one_has_it(stores):
    """Twenty that take one flow at once: one has it, the others have none."""
    flow = _flow(stores)
    state = await stores.flows.begin(flow)
    taken = await asyncio.gather(*(stores.flows.take(state) for _ in range(20)))
    assert ([flow], 19) == ([each for each in taken if each is not None], taken.count(None))


async def test_neither_state_nor_verifier_can_be_read_in_the_database(stores):
    """The rows have a digest of the state, and the verifier only sealed."""
    state = await stores.flows.begin(_flow(stores))
    rows = repr([*await stores.database.all(select(flows)), *await stores.database.all(select(secrets))])
    assert (43, [False, False]) == (len(state), [state in rows, VERIFIER in rows])
    assert VERIFIER not in repr(await stores.flows.peek(state))


async def test_a_flow_that_has_ended_is_none(stores):
    """An ended and an unknown flow are neither seen, nor sent, nor taken."""
    ended = await stores.flows.begin(_flow(stores, expires_at=time.time() - 1))
    for state in (ended, "", "unknown", "\ud800"):
        assert (None, False, None) == (
            await stores.flows.peek(state),
            await stores.flows.advance(state),
            await stores.flows.take(state),
        )


async def test_a_flow_of_another_version_is_known(stores):
    """A flow that a process of another version began, with a fact more, is as good as any."""
    flow = _flow(stores)
    state = await stores.flows.begin(flow)
    (row,) = await stores.database.all(select(flows))
    async with stores.database.begin() as connection:
        await connection.execute(update(flows).values(facts={**row.facts, "environment": {"subdomain": "acme"}}))
    assert [flow, flow] == [await stores.flows.peek(state), await stores.flows.take(state)]


async def test_a_flow_that_lacks_a_fact_is_begun_again(stores):
    """A flow that a process of an older version began, without a fact that is needed now, is as good as ended."""
    state = await stores.flows.begin(_flow(stores))
    (row,) = await stores.database.all(select(flows))
    facts = {name: value for name, value in row.facts.items() if name != "workspace_id"}
    async with stores.database.begin() as connection:
        await connection.execute(update(flows).values(facts=facts))
    assert [None, None] == [await stores.flows.peek(state), await stores.flows.take(state)]


async def test_a_flow_is_sent_once(stores):
    """A flow is sent by one of many at once, and bound to the browser that agreed."""
    flow = _flow(stores)
    state = await stores.flows.begin(flow)
    told = await asyncio.gather(*(stores.flows.advance(state, browser="b" * 64) for _ in range(10)))
    assert (1, replace(flow, stage="sent", browser="b" * 64)) == (sum(told), await stores.flows.take(state))


async def test_purging_forgets_what_has_ended(stores):
    """Purging takes away flows that ended before then with their verifiers, and no other."""
    await stores.flows.begin(_flow(stores, expires_at=time.time() - 1))
    alive = await stores.flows.begin(_flow(stores))
    assert [1, 0] == [await stores.flows.purge(time.time()) for _ in range(2)]
    assert (1, True) == (len(await stores.database.all(select(secrets))), await stores.flows.peek(alive) is not None)


async def test_a_flow_is_some_organization_s(stores):
    """No flow is noted for an organization that is not there."""
    with pytest.raises(NotFoundError):
        await stores.flows.begin(_flow(stores, organization_id="missing"))
