"""Prints the whole table: ours beside its baselines, measured in one run.

Times are CPU times, the best of several rounds, since a shared machine only ever makes
them longer. `--rounds N` sets how many.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx

from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector

BASE_IMPORT = "import httpx; from pydantic import BaseModel, TypeAdapter"
OUR_IMPORT = "import plugbay.connectors.zendesk_support, plugbay.connectors.zendesk_talk"
PEER_TOOL_TEXT = {"zendesk-support": (29_809, 46), "zendesk-talk": (12_145, 16)}
"""Characters and operations of the published peer's tool texts."""

TICKET = {
    "url": "https://acme.zendesk.com/api/v2/tickets/1.json",
    "id": 1,
    "external_id": None,
    "via": {"channel": "web", "source": {"from": {}, "to": {}, "rel": None}},
    "created_at": "2026-08-24T14:57:25Z",
    "updated_at": "2026-08-24T14:57:25Z",
    "type": "incident",
    "subject": "Broken zip on my dry bag",
    "raw_subject": "Broken zip on my dry bag",
    "description": "The bag I received is damaged: see the pictures. I would like a replacement. " * 6,
    "priority": "normal",
    "status": "open",
    "recipient": None,
    "requester_id": 46406769512579,
    "submitter_id": 46406769512579,
    "assignee_id": 46406769416195,
    "organization_id": None,
    "group_id": 46406769325443,
    "collaborator_ids": [],
    "follower_ids": [],
    "email_cc_ids": [],
    "problem_id": None,
    "has_incidents": False,
    "is_public": True,
    "due_at": None,
    "tags": ["area_products", "damaged", "vip", "warranty"],
    "custom_fields": [{"id": 46406769374083 + n, "value": f"value {n}"} for n in range(12)],
    "satisfaction_rating": {"score": "unoffered"},
    "sharing_agreement_ids": [],
    "custom_status_id": 46406769341443,
    "ticket_form_id": 46406769397251,
    "brand_id": 46406769400963,
    "allow_channelback": False,
    "allow_attachments": True,
    "from_messaging_channel": False,
}
ONE = json.dumps({"ticket": TICKET}).encode()
PAGE = json.dumps(
    {
        "tickets": [{**TICKET, "id": number} for number in range(100)],
        "meta": {"has_more": False, "after_cursor": "x", "before_cursor": "y"},
        "links": {"next": "https://acme.zendesk.com/api/v2/tickets?page[after]=x", "prev": None},
    }
).encode()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    ours: float
    baseline: float
    unit: str
    target: float | None = None

    def text(self) -> str:
        ratio = self.ours / self.baseline
        verdict = (
            "" if self.target is None else f"   target {self.target:.2f}  {'met' if ratio <= self.target else 'MISSED'}"
        )
        return f"{self.what:<44}{self.ours:>10.2f}{self.baseline:>10.2f} {self.unit:<6}{ratio:>6.2f}x{verdict}"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    print(f"{'':<44}{'ours':>10}{'baseline':>10}")
    for row in [*imports(rounds), *asyncio.run(calls(rounds))]:
        print(row.text())
    for connector in (ZendeskSupportConnector, ZendeskTalkConnector):
        print(tool_text(connector))


def imports(rounds: int) -> list[Row]:
    """Import of everything against httpx and pydantic alone, each in a fresh process (memory: Linux)."""
    ours, base = [], []
    # The first round only leaves bytecode behind, as an installer does.
    _child(BASE_IMPORT)
    _child(OUR_IMPORT)
    for _ in range(rounds):
        base.append(_child(BASE_IMPORT))
        ours.append(_child(OUR_IMPORT))
    return [
        Row("import, CPU", min(cpu for cpu, _ in ours), min(cpu for cpu, _ in base), "ms", 1.3),
        Row("import, memory", _middle(ours), _middle(base), "MiB"),
    ]


def _middle(samples: list[tuple[float, float]]) -> float:
    return statistics.median(memory for _, memory in samples)


def _child(code: str) -> tuple[float, float]:
    # The peak of this program's own memory; getrusage's would count the parent's before exec.
    script = (
        f"{code}\nimport re, time\ncpu = time.process_time() * 1000\n"
        "print(cpu, int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) / 1024)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    out = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True, env=environment
    ).stdout
    cpu, memory = out.split()
    return float(cpu), float(memory)


async def calls(rounds: int) -> list[Row]:
    """A get and a page over a transport in memory against plain httpx and json."""

    def answer(request: httpx.Request) -> httpx.Response:
        body = ONE if request.url.path.endswith("/1") else PAGE
        return httpx.Response(200, content=body, headers={"content-type": "application/json"})

    http = httpx.MockTransport(answer)
    headers = {"authorization": "Bearer token"}
    config = ZendeskSupportOauth20AuthConfig.model_validate({"access_token": "token"})
    async with (
        httpx.AsyncClient(base_url="https://acme.zendesk.com", transport=http, headers=headers) as plain,
        ZendeskSupportConnector(config, subdomain="acme", http=http) as zendesk,
    ):

        async def plain_get() -> object:
            return json.loads((await plain.get("/api/v2/tickets/1")).content)["ticket"]

        async def plain_page() -> object:
            return json.loads((await plain.get("/api/v2/tickets", params={"page[size]": "100"})).content)["tickets"]

        async def our_get() -> object:
            return await zendesk.tickets.get(1)

        async def our_page() -> object:
            return await zendesk.tickets.list(limit=100)

        async def our_execute() -> object:
            return await zendesk.execute("tickets", "get", {"ticket_id": 1})

        get, base_get = await _best(our_get, plain_get, 300, rounds)
        execute, base_execute = await _best(our_execute, plain_get, 300, rounds)
        page, base_page = await _best(our_page, plain_page, 40, rounds)
    return [
        Row("get one ticket, CPU", get, base_get, "ms", 2.0),
        Row("get one ticket by execute(), CPU", execute, base_execute, "ms", 2.0),
        Row("page of 100 tickets, CPU", page, base_page, "ms", 1.2),
    ]


async def _best(
    ours: Callable[[], Awaitable[object]], base: Callable[[], Awaitable[object]], times: int, rounds: int
) -> tuple[float, float]:
    """Milliseconds of CPU of one call of each, taken in turns."""
    best = [float("inf"), float("inf")]
    for _ in range(rounds):
        for index, call in enumerate((ours, base)):
            start = time.process_time()
            for _ in range(times):
                await call()
            best[index] = min(best[index], (time.process_time() - start) / times * 1000)
    return best[0], best[1]


def tool_text(connector: type[ZendeskSupportConnector | ZendeskTalkConnector]) -> str:
    """Length of the tool text, beside what the published peer's would be for as many operations."""
    length = len(connector.describe())
    operations = sum(len(actions) for actions in connector.operations.values())
    peer, of = PEER_TOOL_TEXT[connector.slug]
    return (
        f"tool text of {connector.slug:<17} {length:>6,} characters, {operations} operations, {length / operations:.0f} each;"
        f" the peer's {peer:,}, {of} operations, {peer / of:.0f} each: {length / operations / (peer / of):.2f}x"
    )


if __name__ == "__main__":
    main()
