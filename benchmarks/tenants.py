"""1,000 tenants in one process, each idle after one call: what a server for many customers keeps of each.

1,000 connectors of 1,000 subdomains against 1,000 clients of plain httpx, each side in a fresh process over one
shared transport in memory. Memory is what the process uses beyond its imports and a first call, per tenant.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from typing import Any

import httpx
from measuring import child, report, status_kib
from payloads import HEADERS, ONE
from rows import Row

from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig

__all__ = ["tenants"]

TENANTS = 1_000
ATTEMPTS = 3


def tenants(rounds: int) -> list[Row]:
    """KiB and construction of each tenant."""
    ours: list[dict[str, float]] = []
    base: list[dict[str, float]] = []
    for _ in range(min(rounds, ATTEMPTS)):
        ours.append(child("tenants.py", "ours"))
        base.append(child("tenants.py", "plain"))
    return [
        Row("1,000 tenants, memory each", _least(ours, "kib"), _least(base, "kib"), "KiB"),
        Row("1,000 tenants, construction each, CPU", _least(ours, "cpu"), _least(base, "cpu"), "us"),
    ]


def _least(runs: list[dict[str, float]], name: str) -> float:
    return min(run[name] for run in runs)


def _answer(request: httpx.Request) -> httpx.Response:  # noqa: ARG001 - one answer for all
    return httpx.Response(200, content=ONE, headers=HEADERS)


HTTP = httpx.MockTransport(_answer)


def _ours(name: str) -> ZendeskSupportConnector:
    config = ZendeskSupportOauth20AuthConfig(access_token=f"token of {name}")
    return ZendeskSupportConnector(config, subdomain=name, http=HTTP)


def _plain(name: str) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer token of {name}"}
    return httpx.AsyncClient(base_url=f"https://{name}.zendesk.com", transport=HTTP, headers=headers)


async def _call(tenant: Any) -> object:
    if isinstance(tenant, ZendeskSupportConnector):
        return await tenant.tickets.get(1)
    return json.loads((await tenant.get("/api/v2/tickets/1")).content)["ticket"]


async def _main(side: str) -> None:
    make = _ours if side == "ours" else _plain
    first: Any = make("first")
    await _call(first)
    gc.collect()
    before, start = status_kib("VmRSS"), time.process_time()
    every: list[Any] = [make(f"tenant-{number}") for number in range(TENANTS)]
    spent = time.process_time() - start
    for tenant in every:
        await _call(tenant)
    gc.collect()
    report(kib=(status_kib("VmRSS") - before) / TENANTS, cpu=spent / TENANTS * 1e6)
    for tenant in (first, *every):
        await (tenant.close() if side == "ours" else tenant.aclose())


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
