"""Waiting for what somebody else holds, which leaves the event loop free."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from plugbay.errors import DeadlineExceededError

__all__ = ["LOCK_SECONDS", "poll"]

T = TypeVar("T")

LOCK_SECONDS = 60.0
"""How long a renewal waits for another one to end; a call has no longer by default."""

SHORTEST_WAIT = 0.005
LONGEST_WAIT = 0.05


async def poll(attempt: Callable[[], Awaitable[T | None]], *, timeout: float, what: str) -> T:  # noqa: ASYNC109 - it names the lock
    """The first result of `attempt` that is not None.

    Args:
        attempt: Tries to take a lock.
        timeout: Seconds after which to give up.
        what: What is waited for, for the error.

    Raises:
        DeadlineExceededError: There was none in that time.
    """
    import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

    until, wait = time.monotonic() + timeout, SHORTEST_WAIT
    while (result := await attempt()) is None:
        if time.monotonic() >= until:
            raise DeadlineExceededError(
                f"{what} was held by somebody else for {timeout:g} seconds.",
                hint="Another renewal of the same token hangs: look for a stopped process, and try again.",
                details={"timeout": timeout},
            )
        await asyncio.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT)
    return result
