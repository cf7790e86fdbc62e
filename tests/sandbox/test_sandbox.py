from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone

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


def test_same_hour_same_data(monkeypatch):
    """Without `now`, sandboxes of one seed give the same answers for a whole hour, and others in the next hour."""
    real = datetime(2026, 6, 17, 9, 0, 2, tzinfo=UTC)

    def begun(**later: int) -> Sandbox:
        monkeypatch.setattr("plugbay.sandbox.sandbox.real_time", lambda: real + timedelta(**later))
        return Sandbox(seed=7, tickets=40)

    paths = (*LISTS, "tickets/1/comments", "search?query=created:today")
    paths += tuple(
        f"channels/voice/stats/{name}" for name in ("agents_activity", "agents_overview", "account_overview")
    )
    with begun() as one, begun(minutes=59) as two, begun(hours=1) as other:
        for path in paths:
            assert read(one, path) == read(two, path)
        assert read(one, "tickets") != read(other, "tickets")
        assert one.connection() | {"base_url": ""} == two.connection() | {"base_url": ""}


def test_clock_shows_real_time_over_the_data_of_the_hour(monkeypatch):
    """Without `now` the clock shows the real time, though nothing in the data is younger than the hour."""
    real = datetime(2026, 6, 17, 9, 41, 7, tzinfo=UTC)
    monkeypatch.setattr("plugbay.sandbox.sandbox.real_time", lambda: real)
    sandbox = Sandbox(seed=7)

    assert timedelta(0) <= sandbox.clock.now() - real < timedelta(seconds=10)
    for records in (sandbox.account.tickets.values(), sandbox.account.users.values(), sandbox.account.calls):
        assert max(record["updated_at"] for record in records) <= "2026-06-17T09:00:00Z"
    assert any(call["created_at"] >= "2026-06-17" for call in sandbox.account.calls)
    assert any(ticket["updated_at"] >= "2026-06-17" for ticket in sandbox.account.tickets.values())


def test_now_is_exact():
    """The clock starts at an explicit `now` to the second, in UTC whatever its zone."""
    now = datetime(2026, 6, 17, 9, 41, 7, tzinfo=timezone(timedelta(hours=2)))
    clock = Sandbox(tickets=1, calls=0, now=now).clock

    assert timedelta(0) <= clock.now() - now < timedelta(seconds=10)
    assert clock.stamp().startswith("2026-06-17T07:41")


def test_redirect_uris():
    """The registered redirect addresses hold for both clients and are among what a client needs to connect."""
    sandbox = Sandbox(tickets=1, calls=0)
    clients = sandbox.account.clients

    assert "http://127.0.0.1/callback" in sandbox.redirect_uris
    assert clients[sandbox.client_id].redirect_uris == sandbox.redirect_uris
    assert clients[sandbox.public_client_id].redirect_uris == sandbox.redirect_uris
    assert sandbox.connection()["redirect_uris"] == sandbox.redirect_uris


def test_is_ready_when_entered():
    """A sandbox answers as soon as its block is entered, with as many tickets as were asked for."""
    with Sandbox(seed=1, tickets=300) as sandbox:
        assert '"id":300' in read(sandbox, "tickets/300")


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


@pytest.mark.parametrize("port", [65_536, 99_999, -1])
def test_impossible_port_is_an_error(port):
    """A port that does not exist is an OSError that names it, and never an overflow."""
    with (
        pytest.raises(OSError, match=rf"port {port}: a port is a number from 0 to 65535"),
        Sandbox(port=port, tickets=1),
    ):
        pass


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
                "redirect_uris",
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
        lines = [process.stdout.readline() for _ in range(11)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0

    assert lines[2].split()[0] == "base_url"
    assert lines[2].split()[1].startswith("http://127.0.0.1:")
    assert lines[-1].split()[0] == "redirect_uris"
    assert lines[-1].split()[1] == "http://127.0.0.1/callback"


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


@pytest.mark.parametrize("client", ["sandbox_app", "sandbox_public"])
def test_allow_redirect(client):
    """An address that was allowed is one that OAuth leads back to, for both clients; another path of it is not."""
    with Sandbox(tickets=1, calls=1) as sandbox:
        before = sandbox.redirect_uris
        for _ in range(2):
            sandbox.allow_redirect("https://plugbay.example/callback")

        def ask(redirect: str) -> int:
            params = {
                "response_type": "code",
                "client_id": client,
                "redirect_uri": redirect,
                "scope": "read",
                "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                "code_challenge_method": "S256",
            }
            return httpx.get(f"{sandbox.base_url}/oauth/authorizations/new", params=params).status_code

        assert sandbox.redirect_uris == (*before, "https://plugbay.example/callback")
        assert ask("https://plugbay.example/callback") == 200
        assert ask("https://plugbay.example/callback/other") == 400
        assert ask(before[0]) == 200
