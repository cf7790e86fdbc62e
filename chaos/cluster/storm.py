"""Kills: when, which process, and how, decided by a seed; most come while a write or a new pair is on its way."""

from __future__ import annotations

import asyncio
import random
import time

from chaos.cluster.books import Books
from chaos.cluster.field import Field

__all__ = ["expire", "storm"]

SOFT_SHARE = 0.25
AIMS = ("", "write", "exchange", "exchange")
"""What a kill is aimed at: half of them come while a pair is on its way."""

LONGEST_AIM = 0.03
"""Seconds after the arrival of its aim within which a kill comes; every second one comes at once."""

LONGEST_DOWN = 1.5
LONGEST_WAIT = 2.0


async def storm(field: Field, books: Books, *, seed: int, kills: int, seconds: float) -> None:
    """Ends processes and starts them again, at moments that are spread over the run.

    Args:
        field: The cluster.
        books: Where kills are noted.
        seed: Decides all.
        kills: How many.
        seconds: How long the run is.
    """
    rng = random.Random(f"storm {seed}")
    started = time.monotonic()
    for moment in sorted(rng.uniform(0.03, 0.9) * seconds for _ in range(kills)):
        await asyncio.sleep(max(0.0, started + moment - time.monotonic()))
        is_hard, what = rng.random() >= SOFT_SHARE, rng.choice(AIMS)
        aim, down = rng.choice((0.0, 1.0)) * rng.uniform(0.0, LONGEST_AIM), rng.uniform(0.0, LONGEST_DOWN)
        choice = rng.random()
        host = await _arrival(field, what) if is_hard and what else ""
        aimed_at = [member for member in field.members if member.host == host] or field.members
        member = aimed_at[int(choice * len(aimed_at))]
        await asyncio.sleep(aim if host else 0.0)
        books.kills.append(await (member.kill() if is_hard else member.terminate()))
        await asyncio.sleep(down)
        await member.start()


async def _arrival(field: Field, wanted: str) -> str:
    """The host of the next request of a kind, as its sender names it; empty if none comes."""
    came: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def tell(what: str, host: str) -> None:
        if what == wanted:
            loop.call_soon_threadsafe(came.put_nowait, host)

    field.desk.on_arrival = tell
    try:
        async with asyncio.timeout(LONGEST_WAIT):
            return await came.get()
    except TimeoutError:
        return ""
    finally:
        field.desk.on_arrival = lambda _what, _host: None


async def expire(field: Field, *, seed: int) -> None:
    """Ends pairs before their time, every second or two, until it is cancelled."""
    rng = random.Random(f"expire {seed}")
    while True:
        await asyncio.sleep(rng.uniform(1.0, 2.0))
        await field.ask("end")
