"""The time one call may take in all: every request, try and wait of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

__all__ = ["PATIENCE", "Deadline"]

PATIENCE = 3_600.0
"""The longest that long work waits, in seconds and in all, because a service told it to, beside its own time."""


class Deadline:
    """When a call must be done.

    Args:
        seconds: How long from now.
        monotonic: Seconds that never go back.
        patient: Whether waits that the service asked for do not count: nobody sits before the work, such
            as an export, and ten requests a minute are all it gets.
    """

    __slots__ = ("_monotonic", "_patience", "_scope", "_until", "allowed")

    def __init__(
        self, seconds: float, monotonic: Callable[[], float] = time.monotonic, *, patient: bool = False
    ) -> None:
        self.allowed = seconds
        self._monotonic = monotonic
        self._until = monotonic() + seconds
        self._patience: float = PATIENCE if patient else 0.0
        self._scope: asyncio.Timeout | None = None

    @property
    def is_patient(self) -> bool:
        """Whether it still waits beside its own time because a service told it to."""
        return self._patience > 0

    def left(self) -> float:
        """The seconds left; zero when there are none."""
        return max(0.0, self._until - self._monotonic())

    def scope(self) -> asyncio.Timeout:
        """A block that ends with `TimeoutError` at the deadline; one at a time."""
        import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

        self._scope = asyncio.timeout(self.left())
        return self._scope

    def has(self, wait: float, *, told: bool) -> bool:
        """Whether there is time to wait so long and then to go on.

        Args:
            wait: Seconds.
            told: Whether the service asked for the wait.
        """
        return wait < self.left() or (told and wait <= self._patience)

    def lend(self, wait: float) -> None:
        """Moves the deadline by a wait that the service asked for, as far as there is patience."""
        wait = min(wait, self._patience)
        if wait <= 0:
            return
        self._patience -= wait
        self._until += wait
        if self._scope is not None and (when := self._scope.when()) is not None:
            self._scope.reschedule(when + wait)
