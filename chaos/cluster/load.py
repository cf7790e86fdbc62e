"""The load: tasks that read, list, write, connect and remove by the hosted client, and note what comes of it."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx

import plugbay
from chaos.check import Reading, Said, Write
from chaos.cluster.books import Books
from chaos.cluster.facts import Call, Standing
from chaos.cluster.field import TIMEOUT, Field
from chaos.cluster.repair import Repair
from plugbay.errors import PlugbayError

__all__ = ["Load"]

STANDING = 6
"""Connectors that are there all the time."""

SPARE = 6
"""Connectors that were made meanwhile, from which on as many are removed as made."""

USES = 10
"""Calls of one client, before another is made that finds a process of its own."""

PAUSE = 0.06
"""Mean seconds between two calls of a task: two cores have to be enough for all processes."""

_WEIGHTS = {"read": 46, "list": 8, "keyed create": 18, "comment": 10, "connect": 6, "remove": 5, "token": 7}


@dataclass(slots=True)
class _Client:
    """A client, and how often it was used."""

    connector: Any
    uses: int = 0


class Load:
    """The tasks' work.

    Args:
        field: The cluster.
        books: Where to note what happens.
        repair: Judges refused credentials.
        seed: Decides what is done.
    """

    def __init__(self, field: Field, books: Books, repair: Repair, seed: int) -> None:
        self._field = field
        self._books = books
        self._repair = repair
        self._seed = seed
        self._numbers = itertools.count(1)
        self._standing: list[Standing] = []
        self._spare: list[Standing] = []
        self._clients: dict[tuple[Any, str], _Client] = {}

    async def prepare(self) -> list[str]:
        """Makes the connectors that stay; returns their ids."""
        while len(self._standing) < STANDING:
            standing = await self._connected("keep")
            if standing.connector_id is not None:
                self._standing.append(standing)
        return [str(each.connector_id) for each in self._standing]

    async def work(self, worker: int, until: float) -> None:
        """One task: calls until then (of the monotonic clock)."""
        rng = random.Random(f"{self._seed}:{worker}")
        kinds, weights = list(_WEIGHTS), list(_WEIGHTS.values())
        works: dict[str, Callable[[random.Random], Awaitable[None]]] = {
            "read": self._read, "list": self._list, "keyed create": self._create, "comment": self._comment,
            "connect": self._connect, "remove": self._remove, "token": self._token,
        }  # fmt: skip
        while time.monotonic() < until:
            await works[rng.choices(kinds, weights)[0]](rng)
            await asyncio.sleep(rng.expovariate(1 / PAUSE))

    async def finish(self) -> None:
        """A fresh call with every connector that the database has."""
        names = await self._field.truth.names()
        for standing in self._books.standings.values():
            found = [number for number, name in names.items() if name == standing.name]
            standing.rows = len(found)
            if len(found) == 1:
                standing.final, standing.message = await self._last_call(found[0])

    async def _last_call(self, connector_id: str) -> tuple[str, str]:
        said = await self._called("read", connector_id, lambda zendesk: zendesk.tickets.get(self._field.tickets[0]))
        if said.outcome == "authentication":
            # The loss was found here, and is mended by now.
            said = await self._called("read", connector_id, lambda zendesk: zendesk.tickets.get(self._field.tickets[0]))
        return said.outcome, said.message

    async def _read(self, rng: random.Random) -> None:
        ticket = rng.choice(self._field.tickets)
        said = await self._called("read", self._any(rng), lambda zendesk: zendesk.tickets.get(ticket))
        if said.is_done and said.record["id"] != ticket:
            self._books.violation(f"the ticket {ticket} was asked for, and {said.record['id']} came")

    async def _list(self, rng: random.Random) -> None:
        limit = rng.randint(20, 60)

        async def read(zendesk: Any) -> list[int]:
            page = await zendesk.users.list(limit=limit)
            ids = [user["id"] for user in page.data]
            while page.meta.cursor:
                page = await zendesk.users.list(limit=limit, cursor=page.meta.cursor)
                ids += [user["id"] for user in page.data]
            return ids

        said = await self._called("list", self._any(rng), read)
        if said.is_done:
            self._books.readings.append(Reading(0, "the list of users", said.record, self._field.users))

    async def _create(self, rng: random.Random) -> None:
        mark = self._mark()
        said = await self._called(
            "keyed create", self._any(rng),
            lambda zendesk: zendesk.tickets.create(subject=mark, comment={"body": "Made."}, tags=[mark]),
        )  # fmt: skip
        self._books.writes[mark] = Write("ticket", 0, [said])

    async def _comment(self, rng: random.Random) -> None:
        mark, ticket = self._mark(), rng.choice(self._field.open_tickets)
        said = await self._called(
            "comment", self._any(rng), lambda zendesk: zendesk.ticket_comments.create(ticket, f"Said in {mark}.")
        )
        self._books.writes[mark] = Write("comment", 0, [said])

    async def _connect(self, rng: random.Random) -> None:
        standing = await self._connected("spare")
        if standing.connector_id is None:
            return
        await self._called(
            "read", standing.connector_id, lambda zendesk: zendesk.tickets.get(rng.choice(self._field.tickets))
        )
        self._spare.append(standing)

    async def _connected(self, what: str) -> Standing:
        standing = Standing(f"{what}-{next(self._numbers)}")
        self._books.standings[standing.name] = standing
        credentials = await self._field.ask("grant")
        async with self._field.workspace() as workspace:
            said = await self._ended(
                "connect", None,
                lambda: workspace.create_connector("zendesk-support", credentials, name=standing.name),
            )  # fmt: skip
        if said.is_done:
            standing.connector_id = said.record.id
        return standing

    async def _remove(self, rng: random.Random) -> None:
        if len(self._spare) <= SPARE:
            return
        standing = self._spare.pop(rng.randrange(len(self._spare)))
        standing.removal = "asked"
        async with self._field.workspace() as workspace:
            said = await self._ended("remove", None, lambda: workspace.delete_connector(str(standing.connector_id)))
        if said.is_done:
            standing.removal = "done"

    async def _token(self, _rng: random.Random) -> None:
        # Through another transport, as tokens are shared by all that go the same way.
        async with httpx.AsyncHTTPTransport() as http, self._field.workspace(http=http) as workspace:
            await self._ended("token", None, workspace.list_connectors)

    def _any(self, rng: random.Random) -> str:
        return str(rng.choice(self._standing).connector_id)

    def _mark(self) -> str:
        return f"chaos-{self._seed}-{next(self._numbers)}"

    async def _called(self, kind: str, connector_id: str, work: Callable[[Any], Awaitable[Any]]) -> Said:
        """What came of a call by a client of this task."""
        key = (asyncio.current_task(), connector_id)
        client = self._clients.get(key)
        if client is None:
            config = self._field.config(connector_id)
            made = plugbay.connect("zendesk-support", auth_config=config, timeout=TIMEOUT)
            client = self._clients[key] = _Client(made)
        client.uses += 1
        said = await self._ended(kind, connector_id, lambda: work(client.connector))
        if client.uses == USES:
            await self._clients.pop(key).connector.close()
        return said

    async def close(self) -> None:
        """Closes all clients."""
        for client in self._clients.values():
            await client.connector.close()
        self._clients.clear()

    async def _ended(self, kind: str, connector_id: str | None, work: Callable[[], Awaitable[Any]]) -> Said:
        began, started = time.time(), time.monotonic()
        try:
            said = Said("ok", record=await work())
        except PlugbayError as error:
            unknown = (error.details or {}).get("fate") == "unknown"
            hint = f" {error.hint}" if error.hint else ""
            told = f"{error.message}{hint} {error.details or ''}"
            # Whatever came to a process that was killed need not have come to Zendesk.
            said = Said(error.code, unknown=unknown, broken_off=unknown, message=told)
        except Exception as error:  # noqa: BLE001 - it is what is looked for
            said = Said("unnamed", unknown=True, message=f"{type(error).__name__}: {error}")
        seconds, excused = time.monotonic() - started, ""
        if said.outcome == "authentication" and connector_id is not None:
            excused = await self._repair.excuse(connector_id, began)
        self._books.calls.append(Call(kind, began, seconds, said, excused))
        return said
