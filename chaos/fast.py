"""Time that runs faster than real time, for event loops and for the sandbox alike.

A minute's wait for a rate limit costs a run a few seconds. Everything that waits in an event loop - sleeps,
deadlines, limits - is shortened alike, and nothing that the library does is left out.
"""

from __future__ import annotations

import asyncio
import selectors
import time

__all__ = ["EPOCH", "SCALE", "START", "FastPolicy", "clock", "monotonic"]

SCALE = 20.0
"""Seconds of the run's own time in a second of real time."""

START = 1_781_697_600.0
"""When each run begins in its own time: noon of 2026-06-17, in UTC, so that a seed's data are always the same."""

EPOCH = START - SCALE * time.monotonic()
"""What is added to `monotonic` to give `clock`; another process that is given it has the same clock."""


def monotonic() -> float:
    """Seconds of the run's own time that never go back."""
    return SCALE * time.monotonic()


def clock() -> float:
    """The run's own time in seconds since the epoch; the sandbox's clock shows the same, but for a moment."""
    return EPOCH + monotonic()


class _Selector(selectors.DefaultSelector):
    """Is told of waits in the run's own time, and waits in real time."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout if timeout is None else timeout / SCALE)


class _FastLoop(asyncio.SelectorEventLoop):
    """An event loop in the run's own time."""

    def __init__(self) -> None:
        super().__init__(_Selector())

    def time(self) -> float:
        return monotonic()


class FastPolicy(asyncio.DefaultEventLoopPolicy):
    """Makes every new event loop of the process a fast one, the library's own background loop too."""

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """A fast loop."""
        return _FastLoop()
