"""How a process ends, and how much it takes at once."""

from __future__ import annotations

import asyncio

import pytest
from tests.server.demo import Gate
from tests.server.middleware.wire import connected
from tests.server.serving import serving

from plugbay.server import health

READY = b"GET /ready HTTP/1.1\r\nhost: a\r\n\r\n"


@pytest.fixture
async def gate():
    gate = Gate()
    yield gate
    gate.open.set()


async def test_end(gate):
    """Once the end has begun the process is not ready, answers what comes and closes, and what runs is finished."""
    async with serving(endpoints=[*gate.endpoints(), *health.ENDPOINTS], notice_seconds=60) as running:
        async with connected(running) as kept:
            await kept.send(READY)
            before = await kept.answer()
            running_request = asyncio.create_task(running.http.get("/api/v1/gate"))
            await gate.entered.wait()
            running.process.ask_to_end()
            await kept.send(READY)
            after = await kept.answer()
            assert b"" == await kept.rest()
        new = await running.http.get("/ready")
        gate.open.set()
        finished = await running_request

    assert (200, None) == (before[0], before[1].get("connection"))
    assert (503, "close") == (after[0], after[1]["connection"])
    assert (503, "close") == (new.status_code, new.headers["connection"])
    assert (200, "Waited") == (finished.status_code, finished.json()["name"])


async def test_too_many(gate):
    """A process that has as many requests as it may answers more at once, with 503 and when to come again."""
    async with serving(endpoints=gate.endpoints(), max_requests=1) as running:
        first = asyncio.create_task(running.http.get("/api/v1/gate"))
        await gate.entered.wait()
        refused = await running.http.get("/openapi.json")
        gate.open.set()

        assert (503, "2") == (refused.status_code, refused.headers["retry-after"])
        assert 200 == (await first).status_code
        assert 200 == (await running.http.get("/openapi.json")).status_code
