"""Cancelling a call frees all it held: connection, place in the queue, lock; the next call works."""

from __future__ import annotations

import asyncio
import gc
import random
import threading

import pytest

from plugbay.auth import OAuth2
from plugbay.errors import PlugbayError
from plugbay.sandbox import Sandbox
from plugbay.transport import Limits, Request, Transport

GET = Request("GET", "/api/v2/tickets/5", repeatable=True)
ROUNDS = 60


def failing(request, response):
    return PlugbayError(f"HTTP {response.status}")


def lasting(sandbox, **settings):
    """A transport whose token never ends."""
    credentials = OAuth2(access_token=sandbox.access_token)
    return Transport(sandbox.base_url, credentials, read_error=failing, timeout=20, **settings)


async def turns(number):
    """Lets the event loop go round so many times."""
    for _ in range(number):
        await asyncio.sleep(0)


async def cancelled_after(number, *tasks):
    """Cancels the tasks after so many rounds of the loop, and waits until they are gone."""
    await turns(number)
    for task in tasks:
        task.cancel()
    return await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(tickets=20, plan=None) as running:
        yield running


@pytest.mark.parametrize("seed", range(3))
async def test_a_pool_of_one_connection_survives(sandbox, seed):
    """With one connection for all, calls cancelled at any moment, also those that queue for it, leave it usable."""
    rng = random.Random(seed)
    transport = lasting(sandbox, limits=Limits(connections=1))
    for _ in range(ROUNDS):
        calls = [asyncio.create_task(transport.send(GET)) for _ in range(rng.randint(1, 3))]
        await cancelled_after(rng.randint(0, 60), *calls)
        assert 200 == (await transport.send(GET)).status
    await transport.aclose()


@pytest.mark.parametrize("seed", range(3))
async def test_those_who_queue_are_not_forgotten(sandbox, seed):
    """Of calls that queue for one connection some are cancelled at any moment; all the others are answered."""
    rng = random.Random(seed)
    transport = lasting(sandbox, limits=Limits(connections=1))
    for _ in range(ROUNDS // 3):
        calls = [asyncio.create_task(transport.send(GET)) for _ in range(5)]
        await turns(rng.randint(0, 100))
        for call in rng.sample(calls, 2):
            call.cancel()
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert {"Response", "CancelledError"} >= {type(outcome).__name__ for outcome in outcomes}
        assert 3 <= sum(not isinstance(outcome, BaseException) for outcome in outcomes)
    await transport.aclose()


@pytest.mark.parametrize("seed", range(3))
async def test_a_renewal_survives_those_who_wait_for_it(sandbox, seed):
    """Calls cancelled while their token is renewed lose neither the new pair nor the lock."""
    rng = random.Random(seed)
    token = min(token.refresh for token in sandbox.account.tokens.values() if token.refresh)
    credentials = OAuth2(
        access_token="expired",
        refresh_token=token,
        client_id=sandbox.client_id,
        client_secret=sandbox.client_secret,
    )
    transport = Transport(sandbox.base_url, credentials, read_error=failing, timeout=20)
    for _ in range(ROUNDS // 3):
        calls = [asyncio.create_task(transport.send(GET)) for _ in range(rng.randint(1, 5))]
        await cancelled_after(rng.randint(0, 120), *calls)
        assert 200 == (await transport.send(GET)).status
        headers = await credentials.headers(transport.exchange)
        live = headers["authorization"].removeprefix("Bearer ")
        # The service ends the access token early; the refresh token still buys the next pair.
        for each in sandbox.account.tokens.values():
            if each.access == live:
                each.access = f"ended-{each.id}"
    await transport.aclose()


@pytest.mark.parametrize("after", [0, 1, 2, 5])
async def test_closing_that_is_cancelled_closes_all_the_same(sandbox, after):
    """Who gives up closing leaves no connection open."""
    transport = lasting(sandbox)
    await asyncio.gather(*(transport.send(GET) for _ in range(10)))
    await cancelled_after(after, asyncio.ensure_future(transport.aclose()))
    if after == 0:  # it had not begun
        await transport.aclose()
    del transport
    gc.collect()  # complains of what is left open


def test_a_loop_closed_by_another_leaves_no_riddle(sandbox):
    """Calls under way when another thread closes their transport end with a named error, and nothing is left to say."""
    complaints = []
    transport = lasting(sandbox)
    sandbox.fail("/api/v2/tickets/5", hang=True, times=None)
    started = threading.Barrier(2)

    async def calls():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        made = [asyncio.create_task(transport.send(GET)) for _ in range(5)]
        await asyncio.sleep(0)
        await asyncio.to_thread(started.wait)
        outcomes = await asyncio.gather(*made, return_exceptions=True)
        gc.collect()
        return outcomes

    def close():
        started.wait()
        asyncio.run(transport.aclose())

    closer = threading.Thread(target=close)
    closer.start()
    outcomes = asyncio.run(calls())
    closer.join()
    sandbox.heal()
    assert {"NetworkError"} == {type(outcome).__name__ for outcome in outcomes}
    assert [] == complaints
