"""A process that is killed in the middle of a renewal leaves a pair that works, or an error that says what to do."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import stat
import threading

import pytest

from plugbay.errors import AuthenticationError
from plugbay.sandbox.failure import Failure

KILLS = 100


async def outcome(rotating):
    """What somebody meets who uses the file's pair now."""
    zendesk = rotating.connector()
    try:
        await zendesk.users.list(limit=1)
    except AuthenticationError as error:
        return error.hint
    finally:
        await zendesk.close()
    return "works"


async def holds_the_lock(store):
    async with store.lock():
        return await store.load()


def run(zygote, rotating, kill_at):
    """One call with an expired token, in a process that is killed at a line; how many lines there were, if it was not."""
    rotating.expire()
    with zygote.start(rotating.job | {"job": "call", "kill_at": kill_at}) as child:
        return child.wait()


def check(rotating, before):
    """What a kill has left behind: private, whole, and one exchange whose pair is there or is missed."""
    files = list(rotating.store.path.parent.iterdir())
    assert {0o600} == {stat.S_IMODE(file.stat().st_mode) for file in files}
    exchanged = rotating.exchanges()
    found = asyncio.run(holds_the_lock(rotating.store))
    saved = found != before
    told = asyncio.run(outcome(rotating))
    assert found is not None
    if told != "works":
        assert "authorize again" in told
        assert not saved
        assert exchanged == rotating.exchanges()
        rotating.authorize()
        assert "works" == asyncio.run(outcome(rotating))
        return "lost"
    return "saved" if saved else "as before"


def test_killed_at_a_hundred_points(zygote, rotating):
    """Killed at any line between the 401 and the answer to the call, a process loses at most what was on its way.

    The file is always whole and private, the lock free, and each expired token costs exactly one exchange.
    """
    lines = int(run(zygote, rotating, 0))
    points = random.Random(20261122).sample(range(1, lines + 1), KILLS)
    seen = []
    for point in points:
        before = asyncio.run(rotating.store.load())
        exchanged = rotating.exchanges()
        assert "" == run(zygote, rotating, point)
        seen.append(check(rotating, before))
        assert exchanged + 1 == rotating.exchanges()
    assert {"saved", "lost", "as before"} == set(seen)


@pytest.mark.parametrize("carried_out", [True, False])
def test_killed_while_the_token_endpoint_works(zygote, rotating, carried_out):
    """Killed after the request arrived, a process loses the new pair if there is one, and nothing if there is not."""
    rotating.expire()
    known, victims = threading.Event(), []

    def kill(request):
        if request.path != "/oauth/tokens":
            return None
        known.wait()
        fault.stop()
        os.kill(victims[0], signal.SIGKILL)
        return None if carried_out else Failure(close=True)

    fault = rotating.sandbox.fail_with(kill)
    before = asyncio.run(rotating.store.load())
    with zygote.start(rotating.job | {"job": "call", "kill_at": 0}) as child:
        victims.append(child.pid)
        known.set()
        assert "" == child.wait()
    assert {True: "lost", False: "as before"}[carried_out] == check(rotating, before)
