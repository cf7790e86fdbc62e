"""Runs a cluster through a storm, and holds what it did against what it promises."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from dataclasses import field as with_default
from pathlib import Path
from typing import Any

from chaos.check import wrong_with_reading, wrong_with_write
from chaos.cluster import check
from chaos.cluster.books import Books
from chaos.cluster.facts import Entry
from chaos.cluster.field import Field, field
from chaos.cluster.load import Load
from chaos.cluster.measure import Latency, latency, of
from chaos.cluster.repair import Repair
from chaos.cluster.storm import expire, storm
from chaos.storm import mark_of
from plugbay.server.store.leases import TTL

__all__ = ["Report", "run"]

WORKERS = 8
SETTLE_SECONDS = 1.0


@dataclass
class Report:
    """What came of a run.

    Attributes:
        books: What was done and seen.
        alone, together: How long a read takes through one process, and through all.
        memory: MiB of each process at the end.
        windows: Milliseconds from Zendesk's answer to the commit of the pair.
        exchanges, expiries, refused: Of pairs.
        audited: Outcomes of writes in the audit log.
        seconds: How long it took.
    """

    books: Books
    alone: Latency | None = None
    together: Latency | None = None
    memory: list[float] = with_default(default_factory=list[float])
    windows: Latency | None = None
    exchanges: int = 0
    expiries: int = 0
    refused: int = 0
    audited: Counter[str] = with_default(default_factory=Counter[str])
    seconds: float = 0.0


async def run(url: str, folder: Path, *, seed: int, seconds: float, kills: int) -> Report:
    """Runs once.

    Args:
        url: An empty PostgreSQL database.
        folder: Where logs go.
        seed: Decides what is done, and when what is killed.
        seconds: How long the load goes on.
        kills: How many processes are ended.
    """
    report, started = Report(Books()), time.monotonic()
    async with field(url, folder, seed) as cluster:
        load = Load(cluster, report.books, Repair(cluster, report.books), seed)
        connectors = await load.prepare()
        report.alone = await latency(cluster, connectors)
        await asyncio.gather(*(member.start() for member in cluster.members[1:]))
        report.together = await latency(cluster, connectors)
        await _weather(cluster, load, report.books, seed=seed, kills=kills, seconds=seconds)
        await load.finish()
        await load.close()
        report.memory = [member.memory() for member in cluster.members]
        await _end(cluster, report.books)
        await _judge(cluster, report)
    report.seconds = time.monotonic() - started
    return report


async def _weather(cluster: Field, load: Load, books: Books, *, seed: int, kills: int, seconds: float) -> None:
    """Load, ends of pairs, and kills, until all kills have come."""
    until = time.monotonic() + seconds
    ending = asyncio.ensure_future(expire(cluster, seed=seed))
    try:
        async with asyncio.TaskGroup() as group:
            killing = group.create_task(storm(cluster, books, seed=seed, kills=kills, seconds=seconds))
            for worker in range(WORKERS):
                group.create_task(load.work(worker, until))
        await killing
    finally:
        ending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ending


async def _end(cluster: Field, books: Books) -> None:
    """Ends all processes in good order, and looks at what they leave."""
    last = max((kill.done for kill in books.kills if kill.is_hard), default=0.0)
    for member in cluster.members:
        try:
            await member.terminate()
        except (RuntimeError, TimeoutError) as error:
            books.violation(f"{type(error).__name__}: {error}")
    # A lease outlives the process that was killed with it, but not for longer than this.
    await asyncio.sleep(max(SETTLE_SECONDS, last + TTL - time.time()))
    await cluster.truth.forget_own()
    for text in check.wrong_with_leftovers(await cluster.truth.left()):
        books.violation(text)
    for member in cluster.members:
        for text in check.wrong_with_log(f"member {member.number}", member.log.read_text(errors="replace")):
            books.violation(text)


async def _judge(cluster: Field, report: Report) -> None:
    books, desk, truth = report.books, cluster.desk, cluster.truth
    told = [*check.wrong_with_exchanges(desk.exchanges, frozenset(books.lost), books.kills)]
    told += check.wrong_with_leftovers(await truth.halves())
    for standing in books.standings.values():
        told += check.wrong_with_connector(standing)
    for call in books.calls:
        told += check.wrong_with_call(call, books.kills)
    for reading in books.readings:
        told += wrong_with_reading(reading)
    there, seen = await _written(cluster)
    entries = await truth.entries()
    for mark, write in books.writes.items():
        told += (f"{text} ({mark})" for text in wrong_with_write(write, there[mark], seen[mark]))
        noted = entries.get(mark, [])
        entry = Entry(desk.arrivals.get(mark, ()), [at for at, _ in noted], [outcome for _, outcome in noted])
        told += check.wrong_with_entry(mark, entry)
    for text in told:
        books.violation(text)
    report.windows = of(await _windows(cluster, report))
    report.exchanges, report.expiries = len(desk.exchanges), desk.expiries
    report.refused = sum(each.gave is None for each in desk.exchanges)
    report.audited = await truth.outcomes()


async def _written(cluster: Field) -> tuple[dict[str, list[Any]], dict[str, list[tuple[str, int | None, str]]]]:
    """The records of each write, and the requests that came for it."""
    truth = await cluster.ask("truth")
    there: dict[str, list[Any]] = defaultdict(list)
    for ticket in truth["tickets"]:
        there[ticket["subject"]].append(ticket)
    for comment in truth["comments"]:
        mark = comment["body"].removeprefix("Said in ").removesuffix(".")
        if mark != comment["body"]:
            there[mark].append(comment)
    seen: dict[str, list[tuple[str, int | None, str]]] = defaultdict(list)
    for request in cluster.sandbox.requests:
        if request.method != "GET" and (mark := mark_of(request)):
            seen[mark].append((request.method, request.status, ""))
    return there, seen


async def _windows(cluster: Field, report: Report) -> list[float]:
    """Seconds from each answer with a new pair to the commit that took it in."""
    commits = sorted(moment for each in (await cluster.truth.commits()).values() for moment in each)
    windows: list[float] = []
    for exchange in cluster.desk.exchanges:
        if exchange.gave is not None and exchange.answered is not None and exchange.spent not in report.books.lost:
            after = next((moment for moment in commits if moment >= exchange.answered), None)
            windows += [] if after is None else [after - exchange.answered]
    return windows
