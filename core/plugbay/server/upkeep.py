"""What has expired is deleted, by one process at a time."""

from __future__ import annotations

import asyncio
import logging
import random
import time

from plugbay.errors import DeadlineExceededError, PlugbayError
from plugbay.server.state import Server

__all__ = ["keep_up", "purge"]

logger = logging.getLogger("plugbay.server")

EVERY = 300.0
"""Seconds between two rounds of one process."""

KEPT_MINUTES = 10 * 60.0
"""Seconds for which the counts of rate limits are kept."""

DAY = 86_400.0


async def keep_up(server: Server) -> None:
    """Purges from time to time, for as long as it is not cancelled."""
    while True:
        # Processes that were started together would otherwise all come together.
        await asyncio.sleep(EVERY * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
        try:
            async with server.leases.hold("upkeep", wait=0.5):
                await purge(server)
        except DeadlineExceededError:
            continue  # another process is at it
        except PlugbayError as error:
            logger.warning("what has expired could not be deleted", extra={"error": error.code})


async def purge(server: Server) -> int:
    """Deletes expired tokens and flows, old counts of rate limits and old audit entries; returns how many."""
    now = time.time()
    return sum(
        (
            await server.bearers.purge(now),
            await server.flows.purge(now),
            await server.rates.purge(now - KEPT_MINUTES),
            await server.audit.purge(now - server.settings.audit_days * DAY),
        )
    )
