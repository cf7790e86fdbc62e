"""When a request is sent again, and after how long."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from plugbay.transport.waits import asked_wait

__all__ = ["THROTTLED", "RetryPolicy"]

THROTTLED = 429
"""The only status that says the request was not done, so that any request may be sent again."""


async def _sleep(seconds: float) -> None:
    import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

    await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True, eq=False)
class RetryPolicy:
    """Exponential waits with full jitter, never shorter than the service asked for.

    Args:
        base: The first wait's upper bound in seconds, doubled with each further try.
        throttled_base: The same after a 429.
        cap: The longest wait of our own making, in seconds.
        statuses: The statuses after which a repeatable request is sent again.
        clock: Seconds since the epoch.
        monotonic: Seconds that never go back.
        sleep: Waits for some seconds.
        rng: A number from 0 to 1.
    """

    base: float = 0.5
    throttled_base: float = 1.0
    cap: float = 20.0
    statuses: frozenset[int] = frozenset({408, 429, 500, 502, 503, 504})
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = _sleep
    rng: Callable[[], float] = random.random

    def repeats(self, status: int, *, repeatable: bool) -> bool:
        """Whether a request that got this status is sent again."""
        return status in self.statuses and (repeatable or status == THROTTLED)

    def forbidden(self, headers: Mapping[str, str]) -> bool:
        """Whether an answer says that sending again would be no good, as `X-Should-Retry: false` does."""
        return headers.get("x-should-retry", "").strip().lower() == "false"

    def asked(self, status: int, headers: Mapping[str, str]) -> float | None:
        """The seconds the service asked to wait; None if it did not."""
        return asked_wait(headers, throttled=status == THROTTLED, now=self.clock())

    def wait(self, attempt: int, *, throttled: bool = False, asked: float | None = None) -> float:
        """The seconds to wait after the try number `attempt`, counted from one."""
        bound = min(self.cap, (self.throttled_base if throttled else self.base) * 2.0 ** min(attempt - 1, 60))
        return max(self.rng() * bound, asked or 0.0)
