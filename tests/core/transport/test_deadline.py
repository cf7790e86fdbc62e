"""A call ends in its time, and only its own time is called its deadline."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from plugbay.errors import ConfigurationError, DeadlineExceededError, NetworkError
from plugbay.transport import Request

GET = Request("GET", "/a", repeatable=True)


async def drip(connection):
    await connection.request()
    await connection.send("HTTP/1.1 200 OK\nContent-Length: 100000\n\n")
    while True:
        await connection.send(b"x")
        await asyncio.sleep(0.02)


async def hang(connection):
    while await connection.request():
        pass


@pytest.mark.parametrize("talk", [drip, hang])
async def test_deadline_is_total(transport, serve, talk):
    """A server that drips, or says nothing at all, costs the call's time and no more."""
    started = asyncio.get_running_loop().time()
    with pytest.raises(DeadlineExceededError) as caught:
        await transport(base_url=await serve(talk), timeout=0.3).send(GET)
    assert asyncio.get_running_loop().time() - started < 2
    assert caught.value.details == {"timeout": 0.3, "attempts": 1}
    assert caught.value.retryable


async def test_outer_timeout_stays_a_timeout(transport, serve):
    """A timeout around the call is not taken for the call's deadline."""
    client = transport(base_url=await serve(hang), timeout=60)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await client.send(GET)


async def test_cancellation_stays_a_cancellation(transport, serve):
    """A cancelled call is cancelled, and not failed."""
    task = asyncio.create_task(transport(base_url=await serve(hang)).send(GET))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_waiting_for_the_token_counts(transport, script):
    """Credentials that never come cost the call's time, too."""

    class Slow:
        async def headers(self, exchange):
            await asyncio.Event().wait()

    with pytest.raises(DeadlineExceededError) as caught:
        await transport(script(httpx.Response(200)), credentials=Slow(), timeout=0.05).send(Request("POST", "/a"))
    assert caught.value.details == {"timeout": 0.05, "attempts": 0}


async def test_no_wait_past_the_deadline(transport, script, clock):
    """A failure is told at once when there is no time for another try."""
    with pytest.raises(NetworkError):
        await transport(script(httpx.ReadError("broken")), timeout=0.4).send(GET)
    assert clock.slept == []


@pytest.mark.parametrize(
    "setting", [{"timeout": 0}, {"timeout": float("inf")}, {"timeout": float("nan")}, {"max_attempts": 0}]
)
def test_senseless_settings_are_refused(setting):
    """Settings that no call could keep are refused when they are given."""
    from plugbay.auth import BasicToken
    from plugbay.transport import Transport

    with pytest.raises(ConfigurationError):
        Transport("https://a.example.com", BasicToken("u", "p"), read_error=lambda request, response: None, **setting)
