"""The quota of retries: while a host fails for everybody, calls fail at once instead of three times."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugbay.errors import ServiceError
from plugbay.transport import Request
from plugbay.transport.quota import CAPACITY, RETRY_COST, THROTTLED_COST, RetryQuota

GET = Request("GET", "/tickets", repeatable=True)


async def test_a_host_that_always_fails_is_soon_asked_once(transport, script):
    """After some forty tries that were repeated in vain, a call is sent once."""
    answers = script(httpx.Response(503))
    client = transport(answers)
    for _ in range(CAPACITY // RETRY_COST):
        with pytest.raises(ServiceError):
            await client.send(GET)
    before = len(answers.requests)
    with pytest.raises(ServiceError):
        await client.send(GET)
    assert 1 == len(answers.requests) - before


async def test_retries_come_back_with_successes(transport, script):
    """A host that works again is tried again: clean successes fill the quota."""
    answers = script(httpx.Response(503))
    client = transport(answers)
    for _ in range(CAPACITY // RETRY_COST):
        with pytest.raises(ServiceError):
            await client.send(GET)
    answers.answers[:] = [httpx.Response(200, json={})]
    for _ in range(RETRY_COST):
        await client.send(GET)
    answers.answers[:] = [httpx.Response(503), httpx.Response(200, json={})]
    assert 2 == (await client.send(GET)).attempts


async def test_retries_that_help_cost_nothing(transport, clock):
    """Any number of calls that succeed at the second try are all tried twice."""
    answers = iter([httpx.Response(503), httpx.Response(200, json={})] * 200)
    client = transport(lambda _: next(answers))
    assert {2} == {(await client.send(GET)).attempts for _ in range(200)}


async def test_the_quota_is_the_tenants(transport, script, clock):
    """Connectors of one tenant share it; another tenant's is full."""
    answers = script(httpx.Response(503))
    shared, policy = httpx.MockTransport(answers), clock.policy()
    first, second = (transport(http=shared, retry=policy) for _ in range(2))
    other = transport(http=shared, retry=policy, base_url="https://other.example.com")
    for _ in range(CAPACITY // RETRY_COST):
        with pytest.raises(ServiceError):
            await first.send(GET)
    counts = []
    for client in (second, other):
        before = len(answers.requests)
        with pytest.raises(ServiceError):
            await client.send(GET)
        counts.append(len(answers.requests) - before)
    assert [1, 3] == counts


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.booleans(), st.booleans())))
def test_tokens_stay_within_bounds(steps):
    """Whatever happens, a host has never more tokens than a full quota and never fewer than none."""
    quota = RetryQuota()
    for host, throttled, succeeds in steps:
        taken = quota.take(host, throttled=throttled)
        assert taken in {None, THROTTLED_COST if throttled else RETRY_COST}
        if succeeds:
            quota.succeeded(host, taken or 0)
        assert all(0 <= left < CAPACITY for left in quota._left.values())
