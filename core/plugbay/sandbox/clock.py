"""The one source of time in a sandbox."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


def iso(moment: datetime) -> str:
    """Write a moment as Zendesk does: ISO 8601 in UTC, whole seconds, with a trailing Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_iso(text: str) -> datetime:
    """Read what `iso` wrote."""
    return datetime.fromisoformat(text)


def at(moment: float) -> datetime:
    """The moment of a number of unix seconds, in UTC."""
    return datetime.fromtimestamp(moment, UTC)


def real_time() -> datetime:
    """The time of the machine, in UTC; the only place that asks for it."""
    return datetime.now(UTC)


class Clock:
    """A clock that runs with real time, from a chosen start, and can be moved forward.

    Args:
        start: The moment it shows first; the real time when left out. A naive datetime is read as UTC.
        running: Whether it runs at once, or stands at `start` until `run` is called.
    """

    def __init__(self, start: datetime | None = None, *, running: bool = True) -> None:
        moment = start or real_time()
        self._start = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        self._origin = time.monotonic()
        self._offset = 0.0
        self._frozen = None if running else 0.0

    def now(self) -> datetime:
        """The sandbox's current time, in UTC."""
        return self._start + timedelta(seconds=self._elapsed() + self._offset)

    def timestamp(self) -> float:
        """The sandbox's current time in unix seconds."""
        return self.now().timestamp()

    def stamp(self) -> str:
        """The sandbox's current time as Zendesk writes it in records."""
        return iso(self.now())

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        Args:
            seconds: How far, in seconds; must not be negative.
        """
        if seconds < 0:
            raise ValueError("a sandbox clock only moves forward")
        self._offset += seconds

    def freeze(self) -> None:
        """Stop running with real time; from now on only `advance` moves the clock."""
        self._frozen = self._elapsed()

    def run(self) -> None:
        """Run with real time again, from the moment the clock shows."""
        self._origin = time.monotonic() - self._elapsed()
        self._frozen = None

    def _elapsed(self) -> float:
        return time.monotonic() - self._origin if self._frozen is None else self._frozen
