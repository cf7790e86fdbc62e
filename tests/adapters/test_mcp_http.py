"""FastMCP over HTTP for many: each request is shown its own tools, and nobody keeps a session."""

from __future__ import annotations

from contextlib import asynccontextmanager

import httpx
import pytest

pytest.importorskip("fastmcp")

from plugbay.tools import execute_specs
from plugbay_adapters.mcp_http import http_app

from .seen import GET, NAME
from .zendesk import SHORT, Zendesk

HEADERS = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25"}


class Tools:
    """The tools of one connector, or none."""

    def __init__(self, *specs):
        self.specs = specs

    async def list(self):
        return self.specs

    async def find(self, name):
        return next((spec for spec in self.specs if spec.name == name), None)


async def ask(app, method, params=None, **headers):
    """The result of one message."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://here") as http:
        answer = await http.post("/tools", json=body, headers={**HEADERS, **headers})
    assert 200 == answer.status_code, answer.text
    assert "mcp-session-id" not in answer.headers
    return answer.json()["result"]


@pytest.fixture
def zendesk():
    return Zendesk()


@asynccontextmanager
async def serving(zendesk):
    """Shows whoever is called `somebody` one connector's tool, and all others nothing."""
    mine = Tools(*execute_specs([zendesk.connector()]))
    made = http_app("/tools", lambda scope: mine if (b"x-who", b"somebody") in scope["headers"] else Tools())
    async with made.lifespan():
        yield made


async def test_each_request_is_shown_its_own(zendesk):
    """Whose tools are listed and found is asked anew for each request."""
    async with serving(zendesk) as app:
        mine = await ask(app, "tools/list", **{"x-who": "somebody"})
        theirs = await ask(app, "tools/list", **{"x-who": "nobody"})

    assert [NAME] == [tool["name"] for tool in mine["tools"]]
    assert [] == theirs["tools"]


async def test_a_call_ends_as_the_adapters_own(zendesk):
    """A success has structured content, a failure isError; a tool of somebody else is unknown."""
    call = {"name": NAME, "arguments": GET}
    wrong = {**call, "arguments": {**GET, "entity": "tiket"}}
    async with serving(zendesk) as app:
        good = await ask(app, "tools/call", call, **{"x-who": "somebody"})
        bad = await ask(app, "tools/call", wrong, **{"x-who": "somebody"})
        gone = await ask(app, "tools/call", call, **{"x-who": "nobody"})

    assert {"data": SHORT, "meta": {}} == good["structuredContent"]
    assert bad["isError"]
    assert '"unknown_operation"' in bad["content"][0]["text"]
    assert gone["isError"]


async def test_equal_calls_of_different_requests_are_different(zendesk):
    """Clients number their messages from one, so two requests of one number are still two calls."""
    async with serving(zendesk) as app:
        for _ in range(2):
            await ask(app, "tools/call", {"name": NAME, "arguments": GET}, **{"x-who": "somebody"})

    assert 2 == len(set(zendesk.call_ids))


async def test_starting_is_quiet(caplog):
    """Nothing is listed or warned of before somebody asks."""
    made = http_app("/tools", lambda scope: Tools())
    async with made.lifespan():
        pass

    assert [] == [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]
