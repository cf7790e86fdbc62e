"""Leases: one holder at a time among all processes, and none for long once the holder's process has died.

A lease is a row with an end, by the database's clock. While it is held no connection and no transaction is: it is
renewed now and then. A holder that was away too long may have lost it without knowing; its fencing number is then
older than the row's, and whatever checks that number refuses it.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from plugbay.errors import ConflictError, DeadlineExceededError, PlugbayError
from plugbay.finishing import outlast
from plugbay.server.database import Database
from plugbay.server.store.rows import clock, insert_or, new_id
from plugbay.server.tables import leases

__all__ = ["Lease", "Leases"]

TTL = 10.0
"""Seconds after which a lease that was not renewed is anybody's."""

SHORTEST_PAUSE, LONGEST_PAUSE = 0.02, 0.25
"""Seconds between two tries to have a lease that another process holds."""


@dataclass(slots=True, eq=False)
class Lease:
    """A lease that is held.

    Attributes:
        name: What it is of.
        holder: Who holds it, for this once.
        fence: The fencing number: whoever holds it later has a higher one.
        good_until: Until when it is nobody else's in any case, by `time.monotonic`.
        lost: Set when it was lost, or could not be renewed in time.
    """

    name: str
    holder: str
    fence: int
    good_until: float
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    def check(self) -> None:
        """Lets the holder pass, as far as is known here.

        Raises:
            ConflictError: The lease was lost.
        """
        # The loop may have been too busy to set the event.
        if self.lost.is_set() or time.monotonic() >= self.good_until:
            raise self._refusal()

    async def confirm(self, connection: AsyncConnection) -> None:
        """Lets the holder pass; nobody else has the lease until this transaction ends.

        Args:
            connection: A transaction that writes.

        Raises:
            ConflictError: Another has held the lease since.
        """
        # SQLite knows no FOR UPDATE and needs none: the transaction is the only one that writes.
        query = select(leases.c.fence).where(leases.c.name == self.name).with_for_update()
        if (await connection.execute(query)).scalar() != self.fence:
            self.lost.set()
            raise self._refusal()

    def _refusal(self) -> ConflictError:
        return ConflictError(f"The lease {self.name!r} was lost to another holder.", retryable=True)


class Leases:
    """The leases of a database.

    Args:
        database: The database.
        ttl: Seconds after which a lease that was not renewed is anybody's.
    """

    def __init__(self, database: Database, *, ttl: float = TTL) -> None:
        self._database = database
        self._ttl = ttl
        self._queues: dict[str, _Queue] = {}

    @asynccontextmanager
    async def hold(self, name: str, wait: float) -> AsyncGenerator[Lease]:
        """Holds the lease inside the block.

        Args:
            name: What it is of, 128 characters at most.
            wait: Seconds to wait for others.

        Raises:
            DeadlineExceededError: Others held it all that time.
            ServiceError: The database cannot be reached.
        """
        deadline = time.monotonic() + wait
        async with self._turn(name, wait):
            lease = await self._acquire(name, deadline, wait)
            renewal = asyncio.create_task(self._keep(lease))
            try:
                yield lease
            finally:
                renewal.cancel()
                await self._end(lease, renewal)

    @asynccontextmanager
    async def _turn(self, name: str, wait: float) -> AsyncGenerator[None]:
        """Of this process's waiters one asks the database; it hands on to the next at once."""
        queue = self._queues.setdefault(name, _Queue())
        queue.length += 1
        try:
            try:
                async with asyncio.timeout(wait):
                    await queue.lock.acquire()
            except TimeoutError:
                raise _too_late(name, wait) from None
            try:
                yield
            finally:
                queue.lock.release()
        finally:
            queue.length -= 1
            if not queue.length:
                del self._queues[name]

    async def _acquire(self, name: str, deadline: float, wait: float) -> Lease:
        pause = SHORTEST_PAUSE
        while True:
            attempt = asyncio.ensure_future(self._try(name))
            try:
                await outlast(attempt)
            except asyncio.CancelledError:
                if not attempt.cancelled() and attempt.exception() is None and (had := attempt.result()):
                    await self._release(had)
                raise
            if lease := attempt.result():
                return lease
            left = deadline - time.monotonic()
            if left <= 0:
                raise _too_late(name, wait)
            await asyncio.sleep(min(left, pause * random.uniform(0.5, 1.0)))  # noqa: S311 - it spreads tries
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _try(self, name: str) -> Lease | None:
        holder, began = new_id(), time.monotonic()
        end = clock() + self._ttl
        async with self._database.begin() as connection:
            take = insert_or(connection, leases).values(name=name, holder=holder, fence=1, expires_at=end)
            take = take.on_conflict_do_update(
                index_elements=[leases.c.name],
                set_={"holder": holder, "fence": leases.c.fence + 1, "expires_at": end},
                where=leases.c.expires_at <= clock(),
            )
            fence = (await connection.execute(take.returning(leases.c.fence))).scalar()
        return None if fence is None else Lease(name, holder, fence, began + self._ttl)

    async def _keep(self, lease: Lease) -> None:
        """Renews until it is cancelled, or the lease is lost."""
        while not lease.lost.is_set():
            began = time.monotonic()
            left = lease.good_until - began
            if left <= 0:
                lease.lost.set()
                return
            with suppress(PlugbayError, TimeoutError):
                async with asyncio.timeout(left):
                    await asyncio.sleep(min(left, self._ttl / 3))
                    began = time.monotonic()
                    if not await self._renew(lease):
                        lease.lost.set()
                    lease.good_until = began + self._ttl

    async def _renew(self, lease: Lease) -> bool:
        async with self._database.begin() as connection:
            change = update(leases).where(*_is(lease)).values(expires_at=clock() + self._ttl)
            return bool((await connection.execute(change)).rowcount)

    async def _end(self, lease: Lease, renewal: asyncio.Task[None]) -> None:
        async def end() -> None:
            await asyncio.wait((renewal,))
            # A lease that cannot be given back ends by itself.
            with suppress(PlugbayError):
                await self._release(lease)

        await outlast(asyncio.ensure_future(end()))

    async def _release(self, lease: Lease) -> None:
        # The row stays: the next holder's number must be higher.
        async with self._database.begin() as connection:
            await connection.execute(update(leases).where(*_is(lease)).values(expires_at=0.0))


@dataclass(slots=True)
class _Queue:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0


def _is(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return leases.c.name == lease.name, leases.c.holder == lease.holder, leases.c.fence == lease.fence


def _too_late(name: str, wait: float) -> DeadlineExceededError:
    return DeadlineExceededError(f"The lease {name!r} was held by others for {wait:g} seconds.")
