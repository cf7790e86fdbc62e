"""What is in the log, and what is not."""

from __future__ import annotations

import asyncio
import io
import json
import logging

import pytest

pytest.importorskip("sqlalchemy")

from plugbay.server.logs import configure


@pytest.fixture
def log():
    """The lines that are logged meanwhile."""
    root = logging.getLogger()
    before, level, own = root.handlers[:], root.level, logging.getLogger("plugbay").level
    stream = io.StringIO()
    configure("debug", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)
    logging.getLogger("plugbay").setLevel(own)


async def test_a_failure_that_nobody_waits_for_is_logged_without_its_words(log):
    """Asyncio tells of a lost exception with all that it says; the log has its kind and where it came from."""

    async def fail() -> None:
        raise LookupError("hunter2")

    task = asyncio.ensure_future(fail())
    await asyncio.wait([task])
    del task
    [line] = log()
    assert ("asyncio", "LookupError") == (line["logger"], line["error"])
    assert "Task exception was never retrieved" == line["message"]
    assert "hunter2" not in json.dumps(line)
