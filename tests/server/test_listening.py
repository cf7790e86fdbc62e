"""The process that listens: its sockets, and its end."""

from __future__ import annotations

import gc
import json
import signal
import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest
from tests.server.command import PATIENCE, served
from tests.server.demo import ENDPOINTS
from tests.server.serving import serving

pytest.importorskip("uvicorn")

from plugbay.server import health
from plugbay.server.listening import keep_what_stays, listen


def test_one_of_several_takes_no_connections_before_it_is_ready():
    """A socket that shares its port is bound, and left out by the system until its process begins to listen."""
    with listen("127.0.0.1", 0, reuse_port=True) as ready:
        ready.listen()
        ready.settimeout(10)
        address = ready.getsockname()
        with listen(*address, reuse_port=True) as coming:
            taken = []
            for _ in range(20):
                with socket.create_connection(address, timeout=10):
                    taken.append(ready.accept()[0])
            for each in taken:
                each.close()
            assert (20, address) == (len(taken), coming.getsockname())


def test_one_that_is_alone_takes_them_at_once():
    """Whoever connects while the only process is on its way up waits for it."""
    with listen("127.0.0.1", 0) as bound, socket.create_connection(bound.getsockname(), timeout=10):
        bound.accept()[0].close()


def test_more_connections_than_files(tmp_path):
    """A process takes as many files as its system allows, and no more connections than leave it some for its work."""
    resource = pytest.importorskip("resource")
    with served(tmp_path / "a.db", files=400) as running, ExitStack() as stack:
        address = urlsplit(running.line["url"])
        for _ in range(600):
            stack.enter_context(socket.create_connection((address.hostname, address.port)))
        given = {name: running.line[name] for name in ("client_id", "client_secret")}
        answer = httpx.post(f"{running.line['url']}/api/v1/account/applications/token", json=given, timeout=60)
        if hasattr(resource, "prlimit"):
            assert (400, 400) == resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE)

    assert 200 == answer.status_code


async def test_notice_of_an_idle_process():
    """A process that is asked to end takes new connections for as long as its notice, though no request runs."""
    async with serving(endpoints=[*ENDPOINTS, *health.ENDPOINTS], notice_seconds=60) as running:
        running.process.ask_to_end()
        goes_on = not await running.process.on_tick(1)
        async with httpx.AsyncClient(base_url=running.url) as new:
            answers = [await new.get(path) for path in ("/api/v1/things", "/ready")]

    assert (0, True) == (running.server.drain.running, goes_on)
    assert [(401, "close"), (503, "close")] == [(each.status_code, each.headers["connection"]) for each in answers]


async def test_no_notice():
    """A process without notice takes no more connections from the next moment on."""
    async with serving(endpoints=ENDPOINTS, notice_seconds=0) as running:
        running.process.ask_to_end()
        assert await running.process.on_tick(1)


async def test_interrupt_gives_no_notice():
    """Ctrl-C does not keep the person waiting who pressed it."""
    async with serving(endpoints=ENDPOINTS, notice_seconds=60) as running:
        running.process.handle_exit(signal.SIGINT, None)
        assert await running.process.on_tick(1)


@pytest.mark.parametrize(("sign", "notice"), [(signal.SIGTERM, "0"), (signal.SIGINT, "60")])
def test_log(tmp_path, sign, notice):
    """The log says where the process listens, why it is about to end, and that it has ended."""
    log = tmp_path / "log"
    with served(tmp_path / "a.db", log=str(log), PLUGBAY_NOTICE_SECONDS=notice) as running:
        running.process.send_signal(sign)
        assert 0 == running.process.wait(PATIENCE)
    lines = [json.loads(line) for line in log.read_text().splitlines()]

    assert [
        {"message": "listening", "address": urlsplit(running.line["url"]).netloc},
        {"message": "draining", "count": 0, "seconds": 0.0, "why": sign.name},
        {"message": "ended"},
    ] == [{name: line[name] for name in line if name not in ("at", "level", "logger")} for line in lines]


def test_what_stays_is_looked_through_no_more():
    """After the start, collections of garbage leave out all that was there by then."""
    try:
        keep_what_stays()
        assert gc.get_freeze_count() > len(gc.get_objects())
    finally:
        gc.unfreeze()
