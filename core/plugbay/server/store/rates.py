"""Rate limits that processes share: each reserves some calls at a time, and counts those in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import delete

from plugbay.server.database import Database
from plugbay.server.store.rows import insert_or, now
from plugbay.server.tables import rates

__all__ = ["Rates"]

MINUTE = 60.0

CHUNKS = 20
"""In how many chunks a limit is reserved: what one process reserves and does not use, no other can."""


@dataclass(slots=True)
class _Share:
    """What this process may still let through in a minute."""

    minute: int
    left: int = 0
    is_spent: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Rates:
    """The rate limits of a database; a minute is one of the clock's.

    Args:
        database: The database.
        clock: Gives seconds since the epoch.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float] = now) -> None:
        self._database = database
        self._clock = clock
        self._minute = 0
        self._shares: dict[str, _Share] = {}

    async def take(self, client_id: str, limit_per_minute: int) -> float | None:
        """Counts a call.

        Args:
            client_id: Whose; any name of at most 64 characters.
            limit_per_minute: Most calls in a minute, of all processes together.

        Returns:
            None if it may pass, else the seconds to wait.

        Raises:
            ServiceError: The database cannot be reached.
        """
        at = self._clock()
        share = self._share(client_id, int(at // MINUTE))
        if share.left == 0 and not share.is_spent:
            async with share.lock:
                if share.left == 0 and not share.is_spent:
                    await self._reserve(client_id, share, limit_per_minute)
        if share.left:
            share.left -= 1
            return None
        return max(0.001, (share.minute + 1) * MINUTE - at)

    def is_spent(self, client_id: str) -> bool:
        """Whether this process knows of a limit that it is used up; counts nothing, and asks nobody."""
        share = self._shares.get(client_id)
        return share is not None and share.minute == int(self._clock() // MINUTE) and share.is_spent and not share.left

    def _share(self, client_id: str, minute: int) -> _Share:
        if minute != self._minute:
            self._minute, self._shares = minute, {}
        return self._shares.setdefault(client_id, _Share(minute))

    async def _reserve(self, client_id: str, share: _Share, limit: int) -> None:
        chunk = max(1, limit // CHUNKS)
        async with self._database.begin() as connection:
            take = insert_or(connection, rates).values(client_id=client_id, minute=share.minute, taken=chunk)
            take = take.on_conflict_do_update(
                index_elements=[rates.c.client_id, rates.c.minute],
                set_={"taken": rates.c.taken + chunk},
                where=rates.c.taken < limit,
            )
            taken = (await connection.execute(take.returning(rates.c.taken))).scalar()
        # The last chunk may go beyond the limit, and only what is within is had.
        share.left = 0 if taken is None else max(0, chunk - max(0, taken - limit))
        share.is_spent = share.left == 0

    async def purge(self, before: float) -> int:
        """Forgets minutes that ended before then (seconds since the epoch); returns how many."""
        async with self._database.begin() as connection:
            past = rates.c.minute < int(before // MINUTE)
            return (await connection.execute(delete(rates).where(past))).rowcount
