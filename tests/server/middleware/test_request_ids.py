"""The id of a request."""

from __future__ import annotations

import re

import pytest
from tests.server.demo import ENDPOINTS
from tests.server.serving import serving


@pytest.fixture
async def running():
    async with serving(endpoints=ENDPOINTS) as running:
        yield running


async def test_made(running):
    """Each answer, a refusal too, has an id that no other has."""
    found = [(await running.http.get(path)).headers["x-request-id"] for path in ("/nowhere", "/openapi.json")]

    assert 2 == len(set(found))
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in found)


async def test_given(running):
    """A plain id that the client gives is kept, so that its logs and ours can be laid side by side."""
    answer = await running.http.get("/openapi.json", headers={"x-request-id": "build-7.2026_11"})

    assert ["build-7.2026_11"] == answer.headers.get_list("x-request-id")


@pytest.mark.parametrize("given", ["short", "a" * 65, "with space here", 'a"b{}cdefgh', "<script>alert"])
async def test_odd(running, given):
    """One that could forge a line of a log, or be of any length, is replaced."""
    answer = await running.http.get("/openapi.json", headers={"x-request-id": given})

    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])
