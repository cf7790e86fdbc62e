"""The hosted server: one call of an action, from its token to its note in the audit log.

Ours is a `plugbay serve` process on SQLite. The baseline is a bare Starlette endpoint that does the same work with
nothing around it: it looks the token and the connector up, asks the same upstream by plain httpx, keeps a note
of the call, durable as ours, and answers the same JSON. Both listen by uvicorn with httptools and uvloop, in processes
of their own; their CPU is read from `/proc`. The load comes from this process. Targets are set on CPU, as the
machine is shared: what ours does beside (limits, policy, leases, checks of arguments and answers) is to leave at least
two fifths of the rate.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx
from bare_hosting import TOKEN, prepare
from measuring import environment
from rows import Row
from server import serving

from plugbay.server.run import first_access, opened
from plugbay.server.settings import Settings

__all__ = ["hosting"]

AT_ONCE = 20
REQUESTS = 400
TICKS = os.sysconf("SC_CLK_TCK")

Call = Callable[[], Awaitable[object]]


def hosting(rounds: int) -> list[Row]:
    """Requests per second of CPU, latency, and memory, of ours and of the bare endpoint."""
    with serving() as upstream, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measured(upstream, Path(folder), max(3, rounds // 3)))


async def _measured(upstream: str, folder: Path, rounds: int) -> list[Row]:
    settings = {
        "PLUGBAY_ZENDESK_URL": upstream,
        "PLUGBAY_DEFAULT_SUBDOMAIN": "acme",
        "PLUGBAY_RATE_PER_MINUTE": "100000000",
    }
    database = f"sqlite:///{folder / 'ours.db'}"
    client_id, secret, connector_id = await _connector(database)
    prepare(folder / "bare.db")
    ours = [sys.executable, "-m", "plugbay.cli", "serve", "--db", database, "--port", "0", "--json"]
    bare = [sys.executable, str(Path(__file__).parent / "bare_hosting.py"), str(folder / "bare.db"), upstream]
    with _process(ours, settings) as (mine, told), _process(bare, {}) as (theirs, other):
        async with (
            httpx.AsyncClient(base_url=told["url"], timeout=60, trust_env=False) as http,
            httpx.AsyncClient(base_url=other["url"], timeout=60, trust_env=False) as plain,
        ):
            given = {"client_id": client_id, "client_secret": secret}
            token = (await http.post("/api/v1/account/applications/token", json=given)).json()["access_token"]
            path = f"/api/v1/integrations/connectors/{connector_id}/execute"
            rows: list[Row] = []
            for what, body, divisor in (
                ("get one ticket", {"entity": "tickets", "action": "get", "params": {"ticket_id": 1}}, 1),
                ("page of 100 tickets", {"entity": "tickets", "action": "list", "params": {"limit": 100}}, 2),
            ):
                calls = (_call(http, path, token, body), _call(plain, "/execute", TOKEN, body))
                rows += await _rows(what, calls, (mine, theirs), REQUESTS // divisor, rounds)
    return rows


async def _connector(database: str) -> tuple[str, str, str]:
    """A client's id and secret, and the id of a connector of its organization."""
    async with opened(Settings(database_url=database)) as server:
        access = await first_access(server)
        assert access.client_id is not None
        assert access.client_secret is not None
        workspace = await server.workspaces.ensure(access.organization_id, "acme")
        record = await server.connectors.create(
            access.organization_id,
            workspace.id,
            connector_type="zendesk-support",
            name="acme",
            subdomain="acme",
            replication_config={},
            auth_kind="oauth",
            secret={"grant_id": "1", "access_token": "token"},
        )
        return access.client_id, access.client_secret.get_secret_value(), record.id


@contextmanager
def _process(command: list[str], settings: dict[str, str]) -> Generator[tuple[int, dict[str, Any]]]:
    """The id of a server's process, and the line of JSON that it prints when it is ready."""
    with subprocess.Popen(
        command, env={**environment(), **settings}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        try:
            yield process.pid, json.loads(process.stdout.readline())
        finally:
            process.terminate()


def _call(http: httpx.AsyncClient, path: str, token: str, body: dict[str, Any]) -> Call:
    content = json.dumps(body).encode()
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}

    async def call() -> object:
        answer = await http.post(path, content=content, headers=headers)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer

    return call


async def _rows(what: str, calls: tuple[Call, Call], pids: tuple[int, int], requests: int, rounds: int) -> list[Row]:
    cpu: tuple[list[float], list[float]] = [], []
    latency: tuple[list[float], list[float]] = [], []
    for call in calls:
        await _batch(call, AT_ONCE * 3)
    for _ in range(rounds):
        for index, call in enumerate(calls):
            start = _cpu(pids[index])
            latency[index].extend(await _batch(call, requests))
            cpu[index].append((_cpu(pids[index]) - start) / requests)
    rates = [1 / min(values) for values in cpu]
    late = [quantiles(values, n=100)[98] * 1000 for values in latency]
    memory = [_rss(pid) for pid in pids]
    return [
        Row(f"hosted: {what}, calls per second of CPU", *rates, "/s", 0.4, more_is_better=True),
        Row(f"hosted: {what}, latency at {AT_ONCE} at once, median", *(median(each) * 1000 for each in latency), "ms"),
        Row(f"hosted: {what}, latency at {AT_ONCE} at once, 99 %", *late, "ms"),
        Row(f"hosted: memory after {what}", *memory, "MiB"),
    ]


async def _batch(call: Call, requests: int) -> list[float]:
    """The seconds that each of so many calls took, some at once."""
    left, took = iter(range(requests)), list[float]()

    async def work() -> None:
        for _ in left:
            start = time.perf_counter()
            await call()
            took.append(time.perf_counter() - start)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())
    return took


def _cpu(pid: int) -> float:
    """Seconds of CPU of a process so far (proc(5), `stat`)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _rss(pid: int) -> float:
    """Memory of a process in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
