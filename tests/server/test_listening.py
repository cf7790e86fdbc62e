"""The sockets of processes that share a port."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest
from tests.server.command import served

pytest.importorskip("uvicorn")

from plugbay.server.listening import listen


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
