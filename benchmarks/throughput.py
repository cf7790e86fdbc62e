"""50 calls at a time, over real connections to a server in a process of its own.

Ours against plain httpx and `json.loads` doing the same GETs; the server's answers are gzipped, with Zendesk's
headers. A round is one batch of each, in turns, and the median of the rounds counts: how a pool of connections
settles differs from batch to batch, and the best batch is luck. Both sides share the machine with the server, so
CPU per request stands beside the rate. Target: at least the rate of the baseline.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from statistics import median

import httpx
from rows import Row
from server import serving

from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig

__all__ = ["throughput"]

AT_ONCE = 50
REQUESTS = 200

Get = Callable[[], Awaitable[object]]


def throughput(rounds: int) -> list[Row]:
    """Requests a second, and CPU of each, of ours and of plain httpx."""
    with serving() as root:
        return asyncio.run(_measured(root, rounds))


async def _measured(root: str, rounds: int) -> list[Row]:
    config = ZendeskSupportOauth20AuthConfig(access_token="token")
    headers = {"authorization": "Bearer token", "accept": "application/json", "accept-encoding": "gzip"}
    async with (
        httpx.AsyncClient(base_url=root, headers=headers, timeout=60, trust_env=False) as plain,
        ZendeskSupportConnector(config, base_url=root) as zendesk,
    ):

        async def plain_get() -> object:
            return json.loads((await plain.get("/api/v2/tickets/1")).content)["ticket"]

        async def plain_page() -> object:
            return json.loads((await plain.get("/api/v2/tickets", params={"page[size]": "100"})).content)["tickets"]

        async def our_get() -> object:
            return await zendesk.tickets.get(1)

        async def our_page() -> object:
            return await zendesk.tickets.list(limit=100)

        return [
            *await _rows("get one ticket, 50 at once", our_get, plain_get, REQUESTS, rounds),
            *await _rows("page of 100 tickets, 50 at once", our_page, plain_page, REQUESTS // 2, rounds),
        ]


async def _rows(what: str, ours: Get, base: Get, requests: int, rounds: int) -> list[Row]:
    rate: tuple[list[float], list[float]] = [], []
    cpu: tuple[list[float], list[float]] = [], []
    for call in (ours, base):
        await _batch(call, AT_ONCE)  # opens the connections
    for _ in range(rounds):
        for index, call in enumerate((ours, base)):
            wall_start, cpu_start = time.perf_counter(), time.process_time()
            await _batch(call, requests)
            rate[index].append(requests / (time.perf_counter() - wall_start))
            cpu[index].append((time.process_time() - cpu_start) / requests * 1000)
    return [
        Row(f"{what}, rate", median(rate[0]), median(rate[1]), "/s", 1.0, more_is_better=True),
        Row(f"{what}, CPU each", median(cpu[0]), median(cpu[1]), "ms"),
    ]


async def _batch(call: Get, requests: int) -> None:
    left = iter(range(requests))

    async def work() -> None:
        for _ in left:
            await call()

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())
