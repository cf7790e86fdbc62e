"""The kinds of operations: what each does, and what is noted of it."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from chaos.check import Reading, Said
from chaos.field import PAIRS
from chaos.hand import Hand
from chaos.plan import SUPPORT, Job
from plugbay.result import Progress

__all__ = ["Works"]

REPEATS = 3
TRIES = 6
"""How often one page or one part of a file is asked for before the reading is given up."""

MOST_PAGES = 400
CLOSED = frozenset({"solved", "closed"})
QUIET_EVERY = 3
"""Each third ticket of the account is changed by nobody, so that every list must have it once."""


class Works:
    """What one worker can do.

    Args:
        hand: Its way to the connectors.
        start: What the service said of itself when the round began.
    """

    def __init__(self, hand: Hand, start: Mapping[str, Any]) -> None:
        self._hand = hand
        self._books = hand.books
        known: list[tuple[int, str]] = [(number, status) for number, status in start["tickets"]]
        self._tickets = frozenset(number for number, _ in known)
        quiet = {number for place, (number, _) in enumerate(known) if place % QUIET_EVERY == 0}
        self._quiet = sorted(quiet)
        self._targets = [number for number, status in known if number not in quiet and status not in CLOSED]
        self._calls = frozenset(start["calls"])
        self._phone_numbers = list(start["phone_numbers"])
        self._files = [(int(number), base64.b64decode(data)) for number, data in start["files"].items()]
        self._kinds: dict[str, Callable[[Job], Awaitable[Any]]] = {
            "create": self._create,
            "create and insist": self._insist,
            "tool call repeated": self._repeat,
            "tool call raced": self._race,
            "comment": self._comment,
            "update": self._update,
            "get": self._get,
            "page": self._page,
            "read all": self._read_all,
            "read on": self._read_on,
            "export": self._export,
            "calls": self._read_calls,
            "download": self._download,
            "check": self._check,
            "search": self._search,
            "refused": self._refused,
            "denied": self._denied,
            "close": self._close,
        }

    async def do(self, job: Job) -> None:
        """Does an operation."""
        await self._kinds[job.kind](job)

    async def _create(self, job: Job) -> Said:
        return await self._created(job, job.way, _call_id(job))

    async def _created(self, job: Job, way: str, call_id: str, connector: str | None = None) -> Said:
        job = dataclasses.replace(job, way=way, connector=connector or job.connector)
        comment = {"body": f"The body of {job.mark}."}
        said = await self._hand.call(
            job, "tickets", "create", call_id, subject=job.mark, comment=comment, tags=[job.mark]
        )
        self._books.wrote(job.mark, "ticket", job.number, said)
        return said

    async def _insist(self, job: Job) -> None:
        """An equal call after each that failed, as the errors advise."""
        for number in range(REPEATS):
            if (await self._created(job, job.way, f"{_call_id(job)}{number}")).is_done:
                return

    async def _repeat(self, job: Job) -> None:
        """A framework that runs its tool call again, after a success as well, and as another process would."""
        if not self._hand.has_loop:
            await self._insist(job)
            return
        rng = random.Random(job.size)
        for _ in range(rng.randint(2, REPEATS)):
            await self._created(job, "tool", _call_id(job), rng.choice(SUPPORT))

    async def _race(self, job: Job) -> None:
        """A tool call that runs several times at once."""
        if not self._hand.has_loop:
            await self._insist(job)
            return
        await asyncio.gather(*(self._created(job, "tool", _call_id(job)) for _ in range(REPEATS)))

    async def _comment(self, job: Job) -> None:
        ticket = self._targets[job.size % len(self._targets)]
        said = await self._hand.call(
            job, "ticket_comments", "create", _call_id(job), ticket_id=ticket, body=f"Said in {job.mark}."
        )
        self._books.wrote(job.mark, "comment", job.number, said)

    async def _update(self, job: Job) -> None:
        ticket = self._targets[job.size % len(self._targets)]
        priority = ("low", "normal", "high", "urgent")[job.size % 4]
        said = await self._hand.call(
            job, "tickets", "update", _call_id(job), ticket_id=ticket, priority=priority, metadata={"mark": job.mark}
        )
        self._books.wrote(job.mark, "audit", job.number, said)

    async def _get(self, job: Job) -> None:
        ticket = self._quiet[job.size % len(self._quiet)]
        said = await self._hand.call(job, "tickets", "get", ticket_id=ticket)
        if said.is_done:
            if said.whole:
                self._books.copies.append((job.number, dict(said.record)))
            self._expect(job, [ticket], [said.record.get("id")])

    async def _page(self, job: Job) -> None:
        limit = 1 + job.size % 130
        entity = ("tickets", "users", "organizations")[job.size % 3]
        said = await self._hand.call(job, entity, "list", limit=limit)
        if said.is_done and len(said.record) > limit:
            self._books.violation(f"{len(said.record)} records were given for limit={limit}", job.number)

    async def _search(self, job: Job) -> None:
        entity, query = (("tickets", "status<solved"), ("users", "a"))[job.size % 2]
        await self._hand.call(job, entity, "search", query=query, limit=20)

    async def _check(self, job: Job) -> None:
        connector = self._hand.field.connectors[job.connector]

        async def work() -> Any:
            return await connector.check() if self._hand.has_loop else connector.sync.check()

        said = await self._hand.watched(job, work)
        if said.is_done and said.record["status"] not in {"healthy", "unhealthy"}:
            self._books.violation(f"check() gave {said.record}", job.number)

    async def _read_all(self, job: Job) -> None:
        """A list iterated to its end, and gone on with at the last page's cursor after each failure."""
        if not self._hand.has_loop:
            await self._read_on(job)
            return
        must = self._tickets | self._books.made()
        ids: list[int] = []
        at: list[tuple[int, str | None]] = [(0, None)]

        async def work() -> list[int]:
            del ids[at[0][0] :]
            listing = self._hand.field.connectors[job.connector].tickets.list(cursor=at[0][1])

            def reached(progress: Progress) -> None:
                at[0] = len(ids), progress.cursor

            async for ticket in listing.progress(reached):
                ids.append(ticket["id"])  # noqa: PERF401 - `reached` looks at it between two pages
            return ids

        for _ in range(TRIES):
            said = await self._hand.watched(job, work, bounded=False)
            if said.is_done:
                self._books.readings.append(Reading(job.number, "the iterated list of tickets", list(ids), must))
                return
        self._books.count("readings given up")

    async def _read_on(self, job: Job) -> None:
        """A list in pages of any size; each cursor is gone on with in another way."""
        must = self._tickets | self._books.made()
        rng = random.Random(job.size)
        await self._pages(job, "the list of tickets", must, "tickets", "list", limit=lambda: rng.randint(40, 130))

    async def _export(self, job: Job) -> None:
        rng = random.Random(job.size)
        await self._pages(
            job, "the export of tickets", frozenset(self._quiet), "tickets", "incremental_export",
            limit=lambda: rng.randint(100, 1000), start_time=0,
        )  # fmt: skip

    async def _read_calls(self, job: Job) -> None:
        rng = random.Random(job.size)
        await self._pages(
            job, "the export of calls", self._calls, "calls", "list", limit=lambda: rng.randint(20, 1000), start_time=0
        )

    async def _pages(  # noqa: PLR0917 - as many as a list has
        self,
        job: Job,
        name: str,
        must: frozenset[int],
        entity: str,
        action: str,
        limit: Callable[[], int],
        **params: Any,
    ) -> None:
        rng = random.Random(job.size)
        ids: list[int] = []
        failures = 0
        for _ in range(MOST_PAGES):
            page = dataclasses.replace(job, way=rng.choice(("typed", "execute", "tool")), cancel_after=None)
            said, answer = await self._hand.ask(page, entity, action, limit=limit(), **params)
            if not said.is_done:
                failures += 1
                if failures == TRIES:
                    break
                continue
            ids += [record["id"] for record in answer.data]
            if not answer.meta.get("has_more"):
                self._books.readings.append(Reading(job.number, name, ids, must))
                return
            params["cursor"] = answer.meta["cursor"]
        self._books.count("readings given up")

    async def _download(self, job: Job) -> None:
        number, data = self._files[job.size % len(self._files)]
        window = 9_000 if len(data) < 100_000 else 120_000  # noqa: PLR2004 - some files are large
        if window > 9_000 and job.way == "tool":  # noqa: PLR2004 - a tool's results are not
            job = dataclasses.replace(job, way="typed")
        got, failures = b"", 0
        while len(got) < len(data) and failures < TRIES:
            said = await self._hand.call(
                job, "attachments", "download", attachment_id=number, offset=len(got), max_bytes=window
            )
            if not said.is_done:
                failures += 1
                continue
            part = said.record
            piece = base64.b64decode(part["content"]) if part["encoding"] == "base64" else part["content"].encode()
            if part["offset"] != len(got) or not piece or piece != data[len(got) : len(got) + len(piece)]:
                self._books.violation(f"the file {number} has not what was given at {len(got)}", job.number)
                return
            got += piece
        self._books.count("readings given up" if len(got) < len(data) else "files read")

    async def _refused(self, job: Job) -> None:
        said = await self._hand.call(job, "tickets", "create", _call_id(job), subject=job.mark, colour="blue")
        self._books.wrote(job.mark, "ticket", job.number, said)
        self._expect(job, ["invalid_parameter"], [said.outcome])

    async def _denied(self, job: Job) -> None:
        """A model that writes without leave."""
        tool = self._hand.field.reading_tools[job.connector]
        params = {"subject": job.mark, "comment": {"body": job.mark}}
        said = await self._hand.watched(job, lambda: self._hand.told(tool, "tickets", "create", params))
        self._expect(job, ["policy_denied"], [said.outcome])
        self._books.wrote(job.mark, "ticket", job.number, said)

    async def _close(self, job: Job) -> None:
        connector = self._hand.field.connectors[job.connector]
        if self._hand.has_loop:
            await connector.close()
        else:
            connector.sync.close()
        self._books.count("closes")
        if job.connector in PAIRS:
            self._books.count("closes of pairs")
        self._books.ended(job.kind, "ok")

    def _expect(self, job: Job, expected: list[Any], got: list[Any]) -> None:
        if got not in (expected, ["cancelled"]):
            self._books.violation(f"expected {expected}, got {got}", job.number)


def _call_id(job: Job) -> str:
    return f"call_{job.mark}_{job.size:016d}"
