"""One exchange for everybody, in whatever task, thread or loop they wait."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from plugbay.auth import OAuth2, TokenAnswer
from plugbay.auth.flight import SingleFlight
from plugbay.errors import NetworkError

A0 = {"authorization": "Bearer a0"}


def oauth():
    return OAuth2(access_token="a0", refresh_token="r0", client_id="c")


async def test_many_tasks(endpoint):
    """Tasks that wait at the same time share one exchange."""
    credentials = oauth()
    answers = await asyncio.gather(*[credentials.renew(A0, endpoint) for _ in range(50)])
    assert answers == [{"authorization": "Bearer a1"}] * 50
    assert len(endpoint.bodies) == 1


def test_many_threads():
    """Threads with event loops of their own share one exchange."""
    credentials, bodies, together = oauth(), [], threading.Barrier(8)

    async def exchange(path, body):
        bodies.append(body)
        await asyncio.sleep(0.05)
        return TokenAnswer(200, {"access_token": "a1", "refresh_token": "r1"})

    def run(_):
        together.wait()
        return asyncio.run(credentials.renew(A0, exchange))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(run, range(8))) == [{"authorization": "Bearer a1"}] * 8
    assert len(bodies) == 1


async def test_failure_is_everybodys_own(endpoint):
    """Everybody who waits gets the failure, each a copy; the next call tries again."""
    credentials = oauth()
    endpoint.failure = NetworkError("down", details={"host": "x"})
    errors = await asyncio.gather(*[credentials.renew(A0, endpoint) for _ in range(5)], return_exceptions=True)
    assert len(endpoint.bodies) == 1
    assert {type(error) for error in errors} == {NetworkError}
    assert len({id(error) for error in errors}) == 5
    assert errors[0].details == {"host": "x"}
    endpoint.failure = None
    assert await credentials.renew(A0, endpoint) == {"authorization": "Bearer a1"}


async def test_unforeseen_failure_is_raised(endpoint):
    """A bug in the exchange hangs nobody."""
    endpoint.failure = ZeroDivisionError("bug")
    errors = await asyncio.gather(*[oauth().renew(A0, endpoint) for _ in range(3)], return_exceptions=True)
    assert {type(error) for error in errors} == {ZeroDivisionError}


async def test_cancelled_waiters_leave_the_others_alone():
    """Neither the caller that began the work nor one that waits for it takes it along when cancelled."""
    flight, go_on, runs = SingleFlight(), asyncio.Event(), []

    async def work():
        runs.append(1)
        await go_on.wait()
        return "done"

    calls = [asyncio.create_task(flight.run(lambda: None, work)) for _ in range(4)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    calls[0].cancel()
    calls[2].cancel()
    await asyncio.sleep(0)
    go_on.set()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [outcomes[1], outcomes[3]] == ["done", "done"]
    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert runs == [1]


def finish(loop):
    """End what still runs on a loop that stopped, and close it."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.wait(tasks) if tasks else asyncio.sleep(0))
    loop.close()


@pytest.mark.parametrize("orderly", [True, False])
async def test_loop_that_died_does_not_hang_the_others(orderly):
    """When the loop that does the work has ended, in order or by just stopping, the next caller does it."""
    flight, dead = SingleFlight(), asyncio.new_event_loop()

    async def never():
        await asyncio.Event().wait()

    async def done():
        return "done"

    def live():
        call = dead.create_task(flight.run(lambda: None, never))
        dead.run_until_complete(asyncio.sleep(0.01))
        if orderly:
            finish(dead)
        return call

    call = await asyncio.to_thread(live)
    assert await asyncio.wait_for(flight.run(lambda: None, done), 5) == "done"
    if not orderly:
        await asyncio.to_thread(finish, dead)
    assert call.cancelled()


async def test_loop_that_dies_while_others_wait():
    """Those who already wait notice that the loop has gone."""
    flight, begun, stop = SingleFlight(), threading.Event(), threading.Event()
    dead = asyncio.new_event_loop()

    async def never():
        begun.set()
        await asyncio.Event().wait()

    async def done():
        return "done"

    async def hold():
        task = asyncio.create_task(flight.run(lambda: None, never))
        await asyncio.to_thread(stop.wait)
        return task

    thread = threading.Thread(target=dead.run_until_complete, args=(hold(),))
    thread.start()
    await asyncio.to_thread(begun.wait)
    waiting = asyncio.create_task(flight.run(lambda: None, done))
    await asyncio.sleep(0.01)
    stop.set()
    assert await asyncio.wait_for(waiting, 5) == "done"
    thread.join()
    await asyncio.to_thread(finish, dead)


def test_forked_child_waits_for_nobody(zygote):
    """A process that is forked off while a renewal is under way makes its own: the other one goes on in its parent."""
    with zygote.start({"job": "fork_while_renewing"}) as child:
        assert "Bearer a1" == child.line()
