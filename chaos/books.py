"""What a round has done and seen so far; safe to use from any thread."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

from chaos.check import Reading, Said, Write
from plugbay.json_safe import is_object

__all__ = ["Books"]


class Books:
    """The notes of one round.

    Attributes:
        figures: Counts by name.
        outcomes: How calls ended: by kind of operation and outcome.
        waited: Seconds that calls waited, in the run's own time.
        overrun: The most that a call ran past its deadline, in real seconds.
        writes: Each logical write by its mark.
        readings: Lists that were read to their end.
        copies: What was read of tickets that nobody changes.
        violations: What is wrong, each with the number of its operation.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.figures: Counter[str] = Counter()
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.waited = 0.0
        self.overrun = 0.0
        self.writes: dict[str, Write] = {}
        self.readings: list[Reading] = []
        self.copies: list[tuple[int, dict[str, Any]]] = []
        self.violations: list[tuple[int | None, str]] = []
        self._made: set[int] = set()
        self._authorized: list[float] = []

    def violation(self, text: str, job: int | None = None) -> None:
        """Something is wrong."""
        with self._lock:
            if (job, text) not in self.violations:
                self.violations.append((job, text))

    def count(self, name: str, number: int = 1) -> None:
        """Counts something."""
        with self._lock:
            self.figures[name] += number

    def ended(self, kind: str, outcome: str, *, waited: float = 0.0, overrun: float = 0.0) -> None:
        """A call ended."""
        with self._lock:
            self.outcomes[kind, outcome] += 1
            self.waited += waited
            self.overrun = max(self.overrun, overrun)

    def wrote(self, mark: str, kind: str, job: int, said: Said) -> None:
        """A call for a write ended."""
        with self._lock:
            self.writes.setdefault(mark, Write(kind, job)).said.append(said)
            if said.is_done and kind == "ticket" and is_object(said.record) and "id" in said.record:
                self._made.add(int(said.record["id"]))

    def made(self) -> frozenset[int]:
        """The tickets that were reported as made so far."""
        with self._lock:
            return frozenset(self._made)

    def authorized(self, moment: float) -> None:
        """A new grant was given, since the one before was lost."""
        with self._lock:
            self._authorized.append(moment)
            self.figures["grants lost"] += 1

    def authorized_since(self, moment: float) -> bool:
        """Whether a new grant was given since a moment."""
        with self._lock:
            return any(each >= moment for each in self._authorized)
