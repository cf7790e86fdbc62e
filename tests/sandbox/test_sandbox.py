from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime

import httpx
import pytest

from plugbay.sandbox import Sandbox

NOW = datetime(2026, 6, 17, 12, 0, tzinfo=UTC)
LISTS = (
    "tickets",
    "users",
    "organizations",
    "channels/voice/stats/incremental/calls?start_time=0",
    "search?query=parcel",
)


def read(sandbox: Sandbox, path: str) -> str:
    headers = {"authorization": f"Bearer {sandbox.access_token}"}
    answer = httpx.get(f"{sandbox.base_url}/api/v2/{path}", headers=headers)
    assert answer.status_code == 200
    return answer.text.replace(sandbox.base_url, "BASE")


def test_same_seed_same_bytes():
    """Two sandboxes of one seed and moment give byte-identical answers and keys; another seed does not."""
    with (
        Sandbox(seed=3, tickets=40, now=NOW) as one,
        Sandbox(seed=3, tickets=40, now=NOW) as two,
        Sandbox(seed=4, tickets=40, now=NOW) as other,
    ):
        for path in LISTS:
            assert read(one, path) == read(two, path) != read(other, path)
        keys = {name: value for name, value in one.connection().items() if name != "base_url"}
        assert keys == {name: value for name, value in two.connection().items() if name != "base_url"}
        assert one.base_url != two.base_url


def test_starts_within_a_second():
    """A sandbox with 300 tickets answers within a second of being asked for."""
    start = time.perf_counter()
    with Sandbox(seed=1, tickets=300) as sandbox:
        assert '"id":300' in read(sandbox, "tickets/300")
        assert time.perf_counter() - start < 1


def test_leaves_nothing_behind():
    """After the block there is neither a thread nor anybody listening."""
    with Sandbox(tickets=5) as sandbox:
        port = int(sandbox.base_url.rpartition(":")[2])
        assert any(thread.name == "plugbay-sandbox" for thread in threading.enumerate())

    assert not any(thread.name == "plugbay-sandbox" for thread in threading.enumerate())
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_port_can_be_chosen_and_used_again():
    """A chosen port is the one listened on, and it is free again afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for _ in range(2):
        with Sandbox(tickets=1, port=port) as sandbox:
            assert sandbox.base_url == f"http://127.0.0.1:{port}"
            read(sandbox, "tickets")


def test_taken_port_is_an_error():
    """A port that somebody else listens on is an OSError, and leaves nothing open."""
    with Sandbox(tickets=1) as first:
        port = int(first.base_url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"), Sandbox(tickets=1, port=port):
            pass


async def test_async_block():
    """The block works in a running event loop without blocking it."""
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.001)

    ticking = asyncio.create_task(tick())
    async with Sandbox(tickets=5) as sandbox, httpx.AsyncClient() as http:
        answer = await http.get(f"{sandbox.base_url}/api/v2/users/me")
        assert answer.json()["user"]["name"] == "Anonymous user"
    ticking.cancel()

    assert ticks > 5


def test_async_block_without_a_plugin():
    """The block works under asyncio.run as well."""

    async def use() -> int:
        async with Sandbox(tickets=2) as sandbox, httpx.AsyncClient() as http:
            return (await http.get(sandbox.base_url)).status_code

    assert asyncio.run(use()) == 404


def test_many_requests_at_once():
    """A hundred concurrent writes make a hundred tickets."""

    async def use() -> int:
        async with Sandbox(tickets=0, plan=None) as sandbox, httpx.AsyncClient(base_url=sandbox.base_url) as http:
            headers = {"authorization": f"Bearer {sandbox.access_token}"}
            body = {"ticket": {"subject": "s", "comment": {"body": "b"}}}
            posts = [http.post("/api/v2/tickets", json=body, headers=headers) for _ in range(100)]
            ids = {answer.json()["ticket"]["id"] for answer in await asyncio.gather(*posts)}
            return len(ids) if len(sandbox.account.tickets) == 100 else -1

    assert asyncio.run(use()) == 100


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_serve(how):
    """The blocking entry prints one line of JSON when it is ready, and ends cleanly on a signal."""
    code = "from plugbay.sandbox import serve; serve(0, 1, 5, None, True)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment) as process:
        try:
            line = json.loads(process.stdout.readline())
            headers = {"authorization": f"Bearer {line['access_token']}"}
            me = httpx.get(f"{line['base_url']}/api/v2/users/me", headers=headers).json()["user"]
            assert me["email"] == line["email"]
            assert list(line) == [
                "base_url", "subdomain", "access_token", "email", "api_token", "client_id", "client_secret", "refresh_token",
            ]  # fmt: skip
        finally:
            process.send_signal(how)
        assert process.wait(10) == 0
        assert process.stdout.read() == b""


def test_serve_for_people():
    """Without JSON the entry prints the same names as readable text."""
    code = "from plugbay.sandbox import serve; serve(0, 1, 5, None, False)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment, text=True) as process:
        lines = [process.stdout.readline() for _ in range(10)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0

    assert lines[2].split()[0] == "base_url"
    assert lines[2].split()[1].startswith("http://127.0.0.1:")
    assert lines[-1].split()[0] == "refresh_token"


def test_serve_only_on_loopback():
    """Another host than loopback is refused."""
    from plugbay.sandbox import serve

    with pytest.raises(ValueError, match="loopback"):
        serve(0, 1, 1, None, True, host="0.0.0.0")


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_missing_extra(missing):
    """Without its dependencies the package says what to install."""
    code = f"import sys; sys.modules['{missing}'] = None; import plugbay.sandbox"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)

    assert 'pip install "plugbay[sandbox]"' in done.stderr.splitlines()[-1]
    assert done.stderr.splitlines()[-1].startswith("ImportError")


def test_imports_nothing_else_of_the_library():
    """The sandbox's modules import no other part of plugbay, so that both sides are written independently."""
    import ast
    from pathlib import Path

    import plugbay.sandbox

    modules = list(Path(plugbay.sandbox.__file__).parent.glob("*.py"))
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [n for n in names if n.split(".")[0] == "plugbay" and not n.startswith("plugbay.sandbox")]
    assert len(modules) > 20


def test_around_wraps_every_request():
    """Whatever is put into the seam for faults sees each request of both hosts, and what it answers is recorded."""
    from starlette.responses import Response

    sandbox = Sandbox(tickets=1)

    def broken(inner):
        async def application(scope, receive, send):
            if scope["path"] == "/api/v2/tickets":
                await Response(status_code=503)(scope, receive, send)
            else:
                await inner(scope, receive, send)

        return application

    sandbox._around = broken
    with sandbox:
        assert httpx.get(f"{sandbox.base_url}/api/v2/tickets").status_code == 503
        assert httpx.get(f"{sandbox.base_url}/api/v2/users/me").status_code == 200
        assert [request.status for request in sandbox.requests] == [503, 200]
