"""One run of a piece of work for any number of callers, in any task, thread or event loop."""

from __future__ import annotations

import copy
import os
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from plugbay.errors import PlugbayError

if TYPE_CHECKING:
    import asyncio

__all__ = ["SingleFlight"]

T = TypeVar("T")

CHECK_SECONDS = 0.5
"""How often a waiting call looks whether the loop that does the work is still there."""


class _Flight(Generic[T]):
    """One run under way: its outcome, and the loop it runs on."""

    __slots__ = ("_landed", "_loop", "task")

    def __init__(self) -> None:
        import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

        # The outcome is always a result, never the future's exception: a caller that left early
        # would otherwise make asyncio complain of an exception nobody fetched.
        self._landed: Future[T | Exception | None] = Future()
        # A running future cannot be cancelled, so a cancelled caller does not cancel the others.
        self._landed.set_running_or_notify_cancel()
        self._loop = asyncio.get_running_loop()
        self.task: asyncio.Task[None] | None = None

    def land(self, outcome: T | Exception | None) -> None:
        self._landed.set_result(outcome)

    def lost(self) -> bool:
        """Whether the loop stopped before the work was done."""
        return not self._landed.done() and not self._loop.is_running()

    async def outcome(self) -> T | Exception | None:
        """What came of it; None if it was cut off."""
        import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

        waiter = asyncio.wrap_future(self._landed)
        while not waiter.done():
            await asyncio.wait((waiter,), timeout=CHECK_SECONDS)
            if self.lost():
                return None
        return waiter.result()


class SingleFlight(Generic[T]):
    """Lets the first caller start the work and all callers have what came of it.

    The work is a task of its own, so a caller that is cancelled does not cut it off. If its event
    loop ends first, one of those who wait starts again. No lock is held while anything is awaited.
    """

    __slots__ = ("__weakref__", "_flight", "_lock")

    def __init__(self) -> None:
        self.forget()
        _flights.add(self)

    def forget(self) -> None:
        """Begin anew in a forked process: what was under way goes on in its parent alone."""
        # Reentrant, as the garbage collector may end a run at any moment.
        self._lock = threading.RLock()
        self._flight: _Flight[T] | None = None

    async def run(self, ready: Callable[[], T | None], work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What is `ready`, or what `work` returns.

        Args:
            ready: The result, if somebody has already got it; asked under a lock, so it must be quick.
            work: Gets the result, and makes `ready` give it from then on.

        Raises:
            Exception: What the work raised, to everybody who waited for it.
        """
        import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

        while True:
            with self._lock:
                if (result := ready()) is not None:
                    return result
                flight = self._flight
                if flight is None or flight.lost():
                    flight = self._flight = _Flight()
                    flight.task = asyncio.get_running_loop().create_task(self._fly(flight, work))
            outcome = await flight.outcome()
            if isinstance(outcome, Exception):
                raise _own_copy(outcome) from outcome.__cause__
            if outcome is not None:
                return outcome

    async def _fly(self, flight: _Flight[T], work: Callable[[], Coroutine[Any, Any, T]]) -> None:
        outcome: T | Exception | None = None
        try:
            outcome = await work()
        except Exception as error:  # noqa: BLE001 - it is raised again, to everybody who waits
            outcome = error
        finally:
            with self._lock:
                if self._flight is flight:
                    self._flight = None
            flight.land(outcome)


_flights: weakref.WeakSet[SingleFlight[Any]] = weakref.WeakSet()


def _after_fork() -> None:
    for flight in _flights:
        flight.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _own_copy(error: Exception) -> Exception:
    """A copy for each caller: one exception raised in many tasks would gather all their tracebacks."""
    return copy.copy(error) if isinstance(error, PlugbayError) else error
