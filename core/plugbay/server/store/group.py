"""Group commit: what many ask for at once is written in one transaction, and each waits for its own part."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from copy import copy
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from plugbay.errors import ServiceError
from plugbay.server.database import Database

__all__ = ["GroupCommit"]

T = TypeVar("T")

MOST = 500
"""Most parts of one transaction."""


class GroupCommit(Generic[T]):
    """Writes together what was asked for while the transaction before was under way.

    Args:
        database: The database.
        write: Writes some parts, in the order they were given.
    """

    def __init__(self, database: Database, write: Callable[[AsyncConnection, Sequence[T]], Awaitable[None]]) -> None:
        self._database = database
        self._write = write
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def submit(self, part: T) -> None:
        """Writes a part; it is durable when this returns.

        A caller that is cancelled goes at once; its part is written all the same.

        Raises:
            ServiceError: The database cannot be reached.
            Exception: Whatever else `write` raises for this part.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((part, done))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        await done

    async def _work(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            try:
                await self._commit(batch)
            finally:
                for _, done in batch:
                    if not done.done():
                        done.cancel()

    async def _commit(self, batch: Sequence[tuple[T, asyncio.Future[None]]]) -> None:
        try:
            async with self._database.begin() as connection:
                await self._write(connection, [part for part, _ in batch])
        except Exception as error:  # noqa: BLE001 - it is whoever's asked for it
            await self._failed(batch, error)
            return
        for _, done in batch:
            if not done.done():
                done.set_result(None)

    async def _failed(self, batch: Sequence[tuple[T, asyncio.Future[None]]], error: Exception) -> None:
        """Tells all of them that the database failed; any other error is that of one part, so each is tried alone."""
        if len(batch) > 1 and not isinstance(error, ServiceError):
            for each in batch:
                await self._commit([each])
            return
        for _, done in batch:
            if not done.done():
                done.set_exception(_copied(error))


def _copied(error: Exception) -> Exception:
    """One for each, as an error collects the traceback of who raises it."""
    copied = copy(error)
    copied.__cause__ = error.__cause__  # a copy has none, and by its cause a failure of the database is known
    return copied
