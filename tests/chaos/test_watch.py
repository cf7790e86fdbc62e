"""What is watched during a run is seen."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket

import pytest
from chaos.hand import without_loop
from chaos.watch import LogWatch, Secrets, Strays, leaks, resources

TOKEN = "0123456789abcdef" * 4


@pytest.mark.parametrize("text", [f"Bearer {TOKEN}", f"...?signature={TOKEN}&x=1", "Basic of hunter2-hunter2"])
def test_secrets(text):
    """Tokens, signatures and known secrets are found wherever they stand, and not repeated."""
    shown = Secrets(["hunter2-hunter2"]).shown_by(text)
    assert shown is not None
    assert TOKEN not in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize("text", ["", "an id of 0123456789abcdef0123456789abcdef", f"a{TOKEN}b"])
def test_no_secrets(text):
    """Other numbers are no secrets."""
    assert Secrets([]).shown_by(text) is None


@pytest.mark.parametrize("name", ["plugbay.transport", "httpx", "httpcore.http11"])
def test_log(name):
    """A secret in a record at DEBUG is reported, also one in its traceback."""
    reported = []
    with LogWatch(Secrets([]), reported.append):
        logging.getLogger(name).debug("sent %s", TOKEN)
        logging.getLogger(name).debug("failed", exc_info=ValueError(TOKEN))
        logging.getLogger(name).debug("sent nothing")
    assert 2 == len(reported)


def test_exception_that_nobody_retrieved():
    """A task whose exception nobody asks for is reported."""
    reported = []

    async def fail():
        raise ValueError

    async def leave():
        task = asyncio.ensure_future(fail())
        await asyncio.wait({task})
        del task
        gc.collect()

    with LogWatch(Secrets([]), reported.append):
        asyncio.run(leave())
    (text,) = reported
    assert "never retrieved" in text


def test_socket_that_is_not_closed():
    """A socket that is collected open is reported."""
    reported = []
    with Strays(reported.append):
        socket.socket()
        gc.collect()
    (text,) = reported
    assert text.startswith("ResourceWarning")


def test_leaks():
    """A socket that is open at the end is reported, and one that was open before is not."""
    with socket.socket():
        before = resources()
        assert [] == leaks(before)
        with socket.socket():
            (left,) = leaks(before)
    assert left.startswith("a file is left: socket:")


async def test_unfinished_task():
    """A task that goes on is reported."""
    before = resources()
    task = asyncio.ensure_future(asyncio.Event().wait())
    (left,) = leaks(before)
    task.cancel()
    assert left.startswith("a task is left:")


def test_without_loop():
    """A coroutine that waits for nothing runs without an event loop; one that waits is an error."""

    async def plain():
        return 1

    async def waits():
        await asyncio.sleep(0)

    assert 1 == without_loop(plain())
    with pytest.raises(RuntimeError, match="event loop"):
        without_loop(waits())
