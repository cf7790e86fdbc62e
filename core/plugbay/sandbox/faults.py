"""Which requests go wrong, and how often."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from plugbay.sandbox.failure import Failure
from plugbay.sandbox.recording import RecordedRequest

Chooser = Callable[[RecordedRequest], Failure | None]


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which requests a fault hits; `Sandbox.fail` explains the fields."""

    path: str = "*"
    method: str | None = None
    nth: int = 1
    times: int | None = 1
    match: Callable[[RecordedRequest], bool] | None = None

    def __post_init__(self) -> None:
        if not self.path.startswith(("/", "*")):
            raise ValueError(f'a path begins with "/", such as "/api/v2/tickets*", not {self.path!r}')
        if self.nth < 1:
            raise ValueError(f"nth counts from 1, not {self.nth!r}")
        if self.times is not None and self.times < 1:
            raise ValueError(f"times must be at least 1, or None for ever, not {self.times!r}")

    def fits(self, request: RecordedRequest) -> bool:
        """Whether a request is one of those that are counted."""
        return (
            (self.method is None or self.method.upper() == request.method)
            and fnmatchcase(request.path, self.path)
            and (self.match is None or self.match(request))
        )


@dataclass(eq=False)
class Fault:
    """A fault that was set; `hits` is how many requests it has hit so far."""

    _chooser: Chooser = field(repr=False)
    _selection: Selection
    hits: int = 0
    _seen: int = field(default=0, repr=False)
    _active: bool = True

    def stop(self) -> None:
        """Hit no more requests; a request that is being hit at this moment is not let go."""
        self._active = False

    def choose(self, request: RecordedRequest, *, taken: bool) -> Failure | None:
        """Count a request, and say how it fails unless another fault has `taken` it."""
        if not self._active or not self._selection.fits(request):
            return None
        self._seen += 1
        times = self._selection.times
        if taken or self._seen < self._selection.nth or (times is not None and self.hits >= times):
            return None
        failure = self._chooser(request)
        self.hits += failure is not None
        return failure


class Faults:
    """The faults of one sandbox, in the order in which they were set; safe to use from several threads."""

    def __init__(self) -> None:
        # A chooser runs under the lock and may itself set or remove faults.
        self._lock = threading.RLock()
        self._faults: list[Fault] = []

    def add(self, chooser: Chooser, selection: Selection) -> Fault:
        """Add a fault behind the others."""
        fault = Fault(chooser, selection)
        with self._lock:
            self._faults.append(fault)
        return fault

    def heal(self) -> None:
        """Stop and forget all faults."""
        with self._lock:
            for fault in self._faults:
                fault.stop()
            self._faults.clear()

    def choose(self, request: RecordedRequest) -> Failure | None:
        """How a request fails, if it does: the first fault that applies decides, and every fault counts it."""
        with self._lock:
            chosen: Failure | None = None
            for fault in tuple(self._faults):
                chosen = fault.choose(request, taken=chosen is not None) or chosen
            return chosen
