"""Runs one round: starts the service, lets the workers loose, and holds the account against what was reported."""

from __future__ import annotations

import asyncio
import re
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos.books import Books
from chaos.check import wrong_with_reading, wrong_with_write
from chaos.fast import EPOCH, FastPolicy
from chaos.field import Field
from chaos.hand import Hand, without_loop
from chaos.plan import Job, Round
from chaos.storm import MARK
from chaos.truth import Service
from chaos.watch import Lag, LogWatch, Strays, Watchdog, leaks, resources
from chaos.works import Works
from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig

__all__ = ["Report", "run_round", "warm_up"]

HANG_SECONDS = 60.0
SETTLE_SECONDS = 0.3
"""How long a request whose caller has gone may still be under way in the service."""

DRAIN_SECONDS = 100.0
LOOPS = 2
TICKETS, CALLS = 90, 150


@dataclass(frozen=True)
class Report:
    """What came of a round.

    Attributes:
        plan: The round.
        books: What was done and seen.
        truth: What the service says of the account and of its faults.
        seconds: How long it took, in real time.
        done: How many operations were done.
        records: How many log records were read.
    """

    plan: Round
    books: Books
    truth: Mapping[str, Any]
    seconds: float
    done: int
    records: int


def warm_up() -> None:
    """Makes event loops fast, and starts the library's background loop, which stays as long as the process."""
    asyncio.set_event_loop_policy(FastPolicy())  # pyright: ignore[reportDeprecated] - the background loop has no other way
    connector = ZendeskSupportConnector(
        ZendeskSupportOauth20AuthConfig(access_token="x"), base_url="http://127.0.0.1:1"
    )
    connector.sync.close()


def run_round(plan: Round, workers: int, http: Callable[[], Any] | None = None, until: float = float("inf")) -> Report:
    """Runs a round.

    Args:
        plan: What is done.
        workers: How many operations are under way at once.
        http: Makes what each connector sends through instead of the network.
        until: When to begin no more operations, on the real monotonic clock.
    """
    books, started = Books(), time.monotonic()
    settings = {
        "seed": plan.name, "data": plan.seed, "share": plan.share, "plan": plan.plan, "tickets": TICKETS,
        "calls": CALLS, "expire_every": plan.expire_every, "epoch": EPOCH,
    }  # fmt: skip
    with Service(settings) as service, tempfile.TemporaryDirectory() as directory, Strays(books.violation):
        field = Field(plan, service, Path(directory), books, http)
        before = resources()
        log = LogWatch(field.secrets, books.violation)
        with log, Lag() as lag:
            crew = _Crew(plan, field, books, lag, service.start, until)
            with Watchdog(HANG_SECONDS, crew.busy_with) as watchdog:
                crew.pat = watchdog.pat
                crew.work(workers)
            field.close_background()
        for left in leaks(before):
            books.violation(left)
        service.ask("heal")
        time.sleep(SETTLE_SECONDS)
        truth = service.ask("truth")
    _compare(books, truth)
    return Report(plan, books, truth, time.monotonic() - started, crew.done, log.count)


class _Crew:
    """The workers of a round: tasks of one event loop, tasks of loops in threads, and threads without one."""

    def __init__(  # noqa: PLR0917 - one caller
        self, plan: Round, field: Field, books: Books, lag: Lag, start: Mapping[str, Any], until: float
    ) -> None:
        self._plan = plan
        self._field = field
        self._books = books
        self._start = start
        self._until = until
        self._works = {has_loop: Works(Hand(field, books, lag, has_loop=has_loop), start) for has_loop in (True, False)}
        self._busy: dict[int, Job] = {}
        self.pat: Callable[[], None] = lambda: None
        self.done = 0

    def busy_with(self) -> str:
        """What is under way."""
        return f"Round {self._plan.name}, busy with {list(self._busy.values())}"

    def work(self, workers: int) -> None:
        """Does all jobs; job after job of a worker, in an order that the plan decides."""
        shares = [self._plan.jobs[place::workers] for place in range(workers)]
        first, second = (workers + 1) // 2, (workers * 3 + 3) // 4
        loops = [shares[first + place : second : LOOPS] for place in range(LOOPS)]
        threads = [threading.Thread(target=self._loop, args=(each,), name="chaos-loop") for each in loops if each]
        threads += [threading.Thread(target=self._plain, args=(each,), name="chaos-sync") for each in shares[second:]]
        for thread in threads:
            thread.start()
        self._loop(shares[:first])
        for thread in threads:
            thread.join()

    def _loop(self, shares: Sequence[Sequence[Job]]) -> None:
        asyncio.run(self._tasks(shares))

    async def _tasks(self, shares: Sequence[Sequence[Job]]) -> None:
        await asyncio.gather(*(self._share(each, has_loop=True) for each in shares))
        # A renewal goes on when its caller is gone; if the loop ended under it the new pair would be lost.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            _, left = await asyncio.wait(others, timeout=DRAIN_SECONDS)
            for task in left:
                self._books.violation(f"a task is left: {task!r}")
        if threading.current_thread() is threading.main_thread():
            await self._field.close()

    def _plain(self, share: Sequence[Job]) -> None:
        without_loop(self._share(share, has_loop=False))

    def _share(self, share: Sequence[Job], *, has_loop: bool) -> Coroutine[Any, Any, None]:
        return self._jobs(share, self._works[has_loop])

    async def _jobs(self, share: Sequence[Job], works: Works) -> None:
        for job in share:
            if time.monotonic() >= self._until:
                return
            self._busy[job.number] = job
            await works.do(job)
            del self._busy[job.number]
            self.done += 1
            self.pat()


def _compare(books: Books, truth: Mapping[str, Any]) -> None:
    """Holds the account against what was reported."""
    there = _by_mark(truth)
    for mark, write in books.writes.items():
        seen = [(method, status, name) for method, status, name in truth["requests"].get(mark, [])]
        for text in wrong_with_write(write, there[write.kind, mark], seen):
            books.violation(f"{text}; {mark} was reported as {_said(write.said)}; its requests: {seen}", write.job)
    for reading in books.readings:
        for text in wrong_with_reading(reading):
            books.violation(text, reading.job)
    tickets = {ticket["id"]: ticket for ticket in truth["tickets"]}
    for job, copy in books.copies:
        wrong = [name for name, value in copy.items() if tickets[copy["id"]].get(name) != value]
        if wrong:
            books.violation(f"ticket {copy['id']} was read with another {', '.join(wrong)}", job)
    allowed = truth["lossy"] + books.figures["closes of pairs"]
    if books.figures["grants lost"] > allowed:
        books.violation(f"{books.figures['grants lost']} grants were lost, {allowed} answers with them")


def _by_mark(truth: Mapping[str, Any]) -> defaultdict[tuple[str, str], list[Any]]:
    found: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
    mark = re.compile(MARK.pattern.decode())
    for ticket in truth["tickets"]:
        if match := mark.fullmatch(ticket["subject"] or ""):
            found["ticket", match[0]].append(ticket)
    for comments in truth["comments"].values():
        for comment in comments:
            if match := mark.search(comment["body"]):
                found["comment", match[0]].append(comment)
    for audits in truth["audits"].values():
        for custom in audits:
            if match := mark.fullmatch(str(custom.get("mark", ""))):
                found["audit", match[0]].append(custom)
    return found


def _said(said: Sequence[Any]) -> str:
    return ", ".join(f"{each.outcome}{' (fate unknown)' if each.unknown else ''}" for each in said)
