"""One call after another, over a transport in memory: what the library itself adds.

Ours against plain httpx and `json.loads`. Targets: CPU at most 1.5 times the baseline's for one ticket, 1.05 times
for a page of 100. A tool's call of the same page, its data shaped for a model, has no baseline.
"""

from __future__ import annotations

import asyncio
import json

import httpx
from measuring import best_cpu
from payloads import HEADERS, ONE, PAGE
from rows import Row

from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig
from plugbay.tools.spec import execute_specs

__all__ = ["calls"]


def calls(rounds: int) -> list[Row]:
    """A get, a page and a tool's call."""
    return asyncio.run(_measured(rounds))


def _answer(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, content=ONE if request.url.path.endswith("/1") else PAGE, headers=HEADERS)


async def _measured(rounds: int) -> list[Row]:
    http = httpx.MockTransport(_answer)
    headers = {"authorization": "Bearer token"}
    config = ZendeskSupportOauth20AuthConfig(access_token="token")
    async with (
        httpx.AsyncClient(base_url="https://acme.zendesk.com", transport=http, headers=headers) as plain,
        ZendeskSupportConnector(config, subdomain="acme", http=http) as zendesk,
    ):
        (tool,) = execute_specs([zendesk])

        async def plain_get() -> object:
            return json.loads((await plain.get("/api/v2/tickets/1")).content)["ticket"]

        async def plain_page() -> object:
            return json.loads((await plain.get("/api/v2/tickets", params={"page[size]": "100"})).content)["tickets"]

        async def our_get() -> object:
            return await zendesk.tickets.get(1)

        async def our_execute() -> object:
            return await zendesk.execute("tickets", "get", {"ticket_id": 1})

        async def our_page() -> object:
            return await zendesk.tickets.list(limit=100)

        async def our_tool() -> object:
            return await tool.call({"entity": "tickets", "action": "list", "params": {"limit": 100}})

        get, execute, base_get = await best_cpu([our_get, our_execute, plain_get], 300, rounds)
        page, base_page = await best_cpu([our_page, plain_page], 40, rounds)
        (shaped,) = await best_cpu([our_tool], 5, rounds)
    return [
        Row("get one ticket, CPU", get, base_get, "ms", 1.5),
        Row("get one ticket by execute(), CPU", execute, base_get, "ms", 1.5),
        Row("page of 100 tickets, CPU", page, base_page, "ms", 1.05),
        Row("page of 100 tickets as a tool's result, CPU", shaped, None, "ms"),
    ]
