"""Figures of a cluster at peace: how long a read takes, and what memory a process has."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

import plugbay
from chaos.cluster.field import TIMEOUT, Field

__all__ = ["Latency", "latency", "of"]

TASKS, READS = 4, 50


class Latency(NamedTuple):
    """Milliseconds."""

    p50: float
    p99: float
    most: float


def of(seconds: Sequence[float]) -> Latency:
    """The percentiles of some times."""
    ordered = sorted(seconds) or [0.0]
    at = [ordered[min(len(ordered) - 1, int(part * len(ordered)))] for part in (0.5, 0.99)]
    return Latency(*(1000 * each for each in (*at, ordered[-1])))


async def latency(field: Field, connectors: Sequence[str]) -> Latency:
    """How long a read takes, with a few clients at once; each of them keeps its connection."""
    times: list[float] = []

    async def read(number: int) -> None:
        config = field.config(connectors[number % len(connectors)])
        async with plugbay.connect("zendesk-support", auth_config=config, timeout=TIMEOUT) as zendesk:
            await zendesk.tickets.get(field.tickets[number])
            for _ in range(READS):
                started = time.monotonic()
                await zendesk.tickets.get(field.tickets[number])
                times.append(time.monotonic() - started)

    await asyncio.gather(*(read(number) for number in range(TASKS)))
    return of(times)
