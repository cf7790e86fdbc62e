"""Any number of processes, event loops and connectors make one exchange of a token that has expired for all."""

from __future__ import annotations

import asyncio
import contextlib
import sys

import pytest

from plugbay.errors import AuthenticationError

PROCESSES, CONNECTORS, LOOPS, CALLS = 4, 2, 2, 3

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")


def test_one_exchange_for_all_processes(zygote, rotating):
    """Four processes with several connectors and loops each meet the end of a token, again and again.

    Each time there is one exchange, nobody's refresh token is refused, and every call succeeds.
    """
    job = {"job": "many_calls", "connectors": CONNECTORS, "loops": LOOPS, "calls": CALLS}
    with contextlib.ExitStack() as stack:
        children = [stack.enter_context(zygote.start(rotating.job | job)) for _ in range(PROCESSES)]
        for round_ in range(1, 5):
            rotating.expire()
            for child in children:
                child.say("go")
            assert ["done"] * PROCESSES == [child.line() for child in children]
            assert (round_, 0) == (rotating.exchanges(201), rotating.exchanges(400))


class WithoutLock:
    """A store of a user's own, with nothing but the two methods; all who renew have loaded before anyone goes on."""

    def __init__(self, store, together):
        self.save = store.save
        self._store = store
        self._together = together
        self._loads = 0

    async def load(self):
        tokens = await self._store.load()
        self._loads += 1
        if self._loads == 2:
            await self._together.wait()
        return tokens


async def test_lock_is_what_does_it(rotating):
    """Without a lock, connectors that renew at once spend the same refresh token, and only the first is served."""
    rotating.expire()
    together = asyncio.Barrier(4)
    connectors = [rotating.connector(token_store=WithoutLock(rotating.store, together)) for _ in range(4)]
    answers = await asyncio.gather(*[zendesk.users.list(limit=1) for zendesk in connectors], return_exceptions=True)
    for zendesk in connectors:
        await zendesk.close()
    assert (1, 3) == (rotating.exchanges(201), rotating.exchanges(400))
    assert {AuthenticationError} >= {type(answer) for answer in answers if isinstance(answer, Exception)}
