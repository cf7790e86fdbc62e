"""The log of requests."""

from __future__ import annotations

import io
import json
import logging

import pytest
from tests.server.demo import ENDPOINTS, TOKEN, fail
from tests.server.serving import serving

from plugbay.server.logs import configure


@pytest.fixture
def lines():
    """The lines that are logged from now on; the process's own logging is put back afterwards."""
    root, ours = logging.getLogger(), logging.getLogger("plugbay")
    before = root.handlers[:], root.level, ours.level
    stream = io.StringIO()
    configure("info", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])


async def test_line(lines):
    """A request is one line: method, the path's template, status, time, client and request id."""
    async with serving(endpoints=[*ENDPOINTS, TOKEN]) as running:
        headers = {**await running.signed_in(), "x-request-id": "request-1234"}
        await running.http.get("/api/v1/things/secret-id?limit=hunter2", headers=headers)

    line = [each for each in lines() if each["logger"] == "plugbay.access"][-1]
    expected = {
        "level": "info",
        "logger": "plugbay.access",
        "message": "request",
        "request_id": "request-1234",
        "method": "GET",
        "route": "/api/v1/things/{thing_id}",
        "status": 200,
        "client_id": running.client_id,
    }
    assert expected == {name: line[name] for name in expected}
    assert {"at", "ms"} == line.keys() - expected.keys()


async def test_nothing_said(lines):
    """No line has a word of a query, a header, a body, a path that leads nowhere, or a made-up method."""
    async with serving(endpoints=[*ENDPOINTS, TOKEN, fail]) as running:
        await running.http.request("PURGE", "/hunter2/hunter2?hunter2=hunter2", headers={"hunter2": "hunter2"})
        await running.http.post(TOKEN.path, json={"client_id": "hunter2", "client_secret": "hunter2"})
        await running.http.get("/api/v1/failures/unexpected")

    text = json.dumps(lines())
    assert '"method": "_OTHER", "route": "unmatched"' in text
    assert "hunter2" not in text
    assert "PURGE" not in text


async def test_unexpected(lines):
    """An exception that nobody expected is logged by its kind and where it came from, with the request's id."""
    async with serving(endpoints=[fail]) as running:
        answer = await running.http.get("/api/v1/failures/unexpected")

    line = next(line for line in lines() if line["level"] == "error")
    assert ("KeyError", answer.headers["x-request-id"]) == (line["error"], line["request_id"])
    assert any("demo.py" in frame for frame in line["stack"])
