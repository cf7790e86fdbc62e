"""Calls, ends of tokens and crashes in any order: what a renewal promises holds after each step.

A crash is the end of all tasks of one of the processes, wherever they are; what it has not saved is gone with it.
"""

from __future__ import annotations

import asyncio
import stat
import sys
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from pydantic import SecretStr

from plugbay.auth import FileTokenStore, OAuth2, TokenAnswer, Tokens
from plugbay.errors import AuthenticationError

PROCESSES = 3
POINTS = ("before exchange", "after exchange", "before save", "after save")
LOSES = {"after exchange", "before save"}
"""Where a crash loses the new pair, while the service has ended the old one."""

LIFETIME = 1800

processes = st.integers(0, PROCESSES - 1)


class Service:
    """Rotating tokens: only the newest pair is good, and its access token until it ends."""

    def __init__(self):
        self.now = 1_700_000_000.0
        self.newest = 0
        self.expired = False
        self.exchanges = 0

    def accepts(self, headers):
        return not self.expired and headers == {"authorization": f"Bearer a{self.newest}"}

    def exchange(self, refresh_token):
        if refresh_token != f"r{self.newest}":
            return TokenAnswer(400, {"error": "invalid_grant"})
        self.exchanges += 1
        return TokenAnswer(201, self.issue())

    def issue(self):
        self.newest += 1
        self.expired = False
        return {"access_token": f"a{self.newest}", "refresh_token": f"r{self.newest}", "expires_in": LIFETIME}


class Process:
    """One of the programs that share a file; it stops for ever at the point `crash_at`."""

    def __init__(self, service, path):
        self._service = service
        self.crash_at = None
        self.reached = asyncio.Event()
        process = self

        class Store(FileTokenStore):
            async def save(self, tokens):
                await process.pass_by("before save")
                await super().save(tokens)
                await process.pass_by("after save")

        self._credentials = OAuth2(
            access_token="a0", refresh_token="r0", client_id="c", token_store=Store(path), clock=lambda: service.now
        )

    async def pass_by(self, point):
        if point == self.crash_at:
            self.reached.set()
            await asyncio.Event().wait()

    async def _exchange(self, _path, body):
        await self.pass_by("before exchange")
        answer = self._service.exchange(body["refresh_token"])
        await self.pass_by("after exchange")
        return answer

    async def call(self):
        """What a transport does: once more with new credentials after a 401."""
        headers = await self._credentials.headers(self._exchange)
        if self._service.accepts(headers):
            return True
        renewed = await self._credentials.renew(headers, self._exchange)
        return renewed is not None and self._service.accepts(renewed)


class Renewals(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self._directory = tempfile.TemporaryDirectory()
        self.path = Path(self._directory.name) / "tokens.json"
        self.runner = asyncio.Runner()
        self.service = Service()
        self.lost = False
        self.due = 0  # exchanges that there must be by now
        self.processes = [self.start() for _ in range(PROCESSES)]

    def teardown(self):
        self.runner.close()
        self._directory.cleanup()

    def start(self):
        return Process(self.service, self.path)

    def expect(self, answers):
        """All calls succeed, or all say that somebody must authorize again."""
        if self.lost:
            assert {AuthenticationError} == {type(answer) for answer in answers}
            assert all("authorize again" in answer.hint for answer in answers)
        else:
            assert {True} == set(answers)

    async def calls(self, *numbers):
        return await asyncio.gather(*[self.processes[n].call() for n in numbers], return_exceptions=True)

    def spend(self):
        """A call is about to be made; it exchanges an expired token if it can."""
        self.due += self.service.expired and not self.lost

    @rule()
    def expire(self):
        """The token ends when its life is over, which everybody knows."""
        self.service.now += LIFETIME + 1
        self.service.expired = True

    @rule()
    def revoke(self):
        """The token that everybody uses ends before its time, which they learn by a 401."""
        self.call_from_everywhere(1)
        self.service.expired = True

    @rule(number=processes)
    def call(self, number):
        self.spend()
        self.expect(self.runner.run(self.calls(number)))

    @rule(times=st.integers(1, 3))
    def call_from_everywhere(self, times):
        """All processes make calls at once."""
        self.spend()
        self.expect(self.runner.run(self.calls(*list(range(PROCESSES)) * times)))

    @rule(number=processes)
    def restart(self, number):
        self.processes[number] = self.start()

    @precondition(lambda self: self.lost)
    @rule()
    def authorize(self):
        pair = self.service.issue()
        ends = self.service.now + LIFETIME
        tokens = Tokens(SecretStr(pair["access_token"]), SecretStr(pair["refresh_token"]), ends)
        self.runner.run(FileTokenStore(self.path).save(tokens))
        self.lost = False

    @precondition(lambda self: self.service.expired and not self.lost)
    @rule(number=processes, point=st.sampled_from(POINTS), others=st.booleans())
    def crash(self, number, point, others):
        """The process ends at this point of a renewal, while the others wait for it or nobody does."""
        self.lost = point in LOSES
        self.due += point != "before exchange" or others
        answers = self.runner.run(self.crashed(number, point, others=others))
        if others:
            self.expect(answers)

    async def crashed(self, number, point, *, others):
        process = self.processes[number]
        process.crash_at = point
        dying, stopped = asyncio.create_task(process.call()), asyncio.create_task(process.reached.wait())
        await asyncio.wait({dying, stopped}, return_when=asyncio.FIRST_COMPLETED)
        assert not dying.done()
        its_tasks = asyncio.all_tasks() - {asyncio.current_task()}
        rest = [n for n in range(PROCESSES) if n != number]
        calls = asyncio.create_task(self.calls(*(rest if others else ())))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not others or not calls.done()
        for task in its_tasks:
            task.cancel()
        await asyncio.wait({dying, *its_tasks})
        self.processes[number] = self.start()
        return await calls

    @invariant()
    def one_exchange_for_each_expired_token(self):
        assert self.due == self.service.exchanges

    @invariant()
    def file_is_whole_and_private_and_its_lock_free(self):
        async def load():
            store = FileTokenStore(self.path, lock_timeout=0)
            async with store.lock():
                return await store.load()

        tokens = self.runner.run(load())
        assert {self.path, self.path.with_name("tokens.json.lock")} >= set(self.path.parent.iterdir())
        if tokens is not None and sys.platform != "win32":
            assert 0o600 == stat.S_IMODE(self.path.stat().st_mode)
            assert self.lost or f"r{self.service.newest}" == tokens.refresh_token.get_secret_value()


Renewals.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
test_renewals = Renewals.TestCase
