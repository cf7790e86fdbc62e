"""The sockets of processes that share a port."""

from __future__ import annotations

import socket

import pytest

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
