"""100,000 tickets read to the end by cursor, none kept: memory and CPU of 1,000 pages.

Each way in a fresh process over a transport in memory: `async for`, `pages()`, and plain httpx with `json.loads`
following the same cursors. Memory is the peak above what the process used after its imports. Targets: at most
12 MB, and per page at most 1.05 times the CPU of the baseline.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import httpx
from measuring import child, peak_mib, report, start_peak
from payloads import HEADERS, page
from rows import Row

from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig

__all__ = ["walking"]

PAGES = 1_000
RECORDS = 100
MOST_MIB = 12e6 / 2**20
ATTEMPTS = 3


def walking(rounds: int) -> list[Row]:
    """Peak and CPU of `async for` and `pages()`."""
    runs: dict[str, list[dict[str, float]]] = {way: [] for way in _WAYS}
    for _ in range(min(rounds, ATTEMPTS)):
        for way, figures in runs.items():
            figures.append(child("walking.py", way))
    cpu = {way: min(run["cpu"] for run in found) / PAGES for way, found in runs.items()}
    peak = {way: min(run["peak"] for run in found) for way, found in runs.items()}
    rows: list[Row] = []
    for way, what in (("records", "100,000 tickets, async for"), ("pages", "100,000 tickets, pages()")):
        rows += [
            Row(f"{what}, peak above start", peak[way], peak["plain"], "MiB", MOST_MIB, absolute=True),
            Row(f"{what}, CPU per page", cpu[way], cpu["plain"], "ms", 1.05),
        ]
    return rows


class _Cursors:
    """A list of so many pages; bodies come from two that are kept, so that a page costs the service nothing."""

    def __init__(self) -> None:
        mark = "c" * 8
        whole = page(mark)
        self._before, _, self._behind = whole.partition(b'"after_cursor": "' + mark.encode())
        self._last = page(None)

    def answer(self, request: httpx.Request) -> httpx.Response:
        number = int(request.url.params.get("page[after]", "0")) + 1
        if number == PAGES:
            return httpx.Response(200, content=self._last, headers=HEADERS)
        body = b"".join([self._before, b'"after_cursor": "', b"%08d" % number, self._behind])
        return httpx.Response(200, content=body, headers=HEADERS)


async def _plain(http: httpx.MockTransport) -> int:
    headers = {"authorization": "Bearer token"}
    count, query = 0, {"page[size]": "100"}
    async with httpx.AsyncClient(base_url="https://acme.zendesk.com", transport=http, headers=headers) as client:
        while True:
            payload = json.loads((await client.get("/api/v2/tickets", params=query)).content)
            for _ticket in payload["tickets"]:
                count += 1
            if not payload["meta"]["has_more"]:
                return count
            query["page[after]"] = payload["meta"]["after_cursor"]


async def _records(http: httpx.MockTransport) -> int:
    count = 0
    async with _connector(http) as zendesk:
        async for _ticket in zendesk.tickets.list():
            count += 1
    return count


async def _pages(http: httpx.MockTransport) -> int:
    count = 0
    async with _connector(http) as zendesk:
        async for part in zendesk.tickets.list().pages():
            for _ticket in part:
                count += 1
    return count


def _connector(http: httpx.MockTransport) -> ZendeskSupportConnector:
    config = ZendeskSupportOauth20AuthConfig(access_token="token")
    return ZendeskSupportConnector(config, subdomain="acme", http=http)


_WAYS = {"records": _records, "pages": _pages, "plain": _plain}


def _main(way: str) -> None:
    http = httpx.MockTransport(_Cursors().answer)
    start, cpu = start_peak(), time.process_time()
    count = asyncio.run(_WAYS[way](http))
    spent = time.process_time() - cpu
    assert count == PAGES * RECORDS, count
    report(cpu=spent * 1000, peak=peak_mib() - start)


if __name__ == "__main__":
    _main(sys.argv[1])
