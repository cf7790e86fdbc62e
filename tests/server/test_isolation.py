"""Whatever one organization does, nothing of another is seen or changed by it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

pytest.importorskip("sqlalchemy")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from plugbay.sandbox import Sandbox
from plugbay.server import tables

from .api.conftest import CONNECTORS, Api
from .serving import serving

MARK = "belongs-to-bee"
KEPT = (tables.workspaces, tables.connectors, tables.secrets, tables.oauth_apps, tables.flows, tables.clients)
"""What must stay as it is, to the byte."""


class Two:
    """Two organizations on one server: one acts, the other has something of each kind."""

    def __init__(self, acting: Api, other: Api, ids: dict[str, str]) -> None:
        self.acting = acting
        self.other = other
        self.ids = ids

    @classmethod
    async def made(cls, running: Any) -> Two:
        """Both, with a connector, a workspace, an OAuth app and notes of the other."""
        acting = Api(running, await running.signed_in())
        other = await acting.other(MARK)
        connector = await other.create(MARK, name=MARK, environment={"subdomain": "sandbox", "note": MARK})
        await other.execute(connector, "tickets", "list", {"limit": 1}, intent=MARK)
        organization = (await other.ok("GET", "/api/v1/workspaces"))["data"][0]["organization_id"]
        workspace = (await other.ok("GET", "/api/v1/workspaces"))["data"][0]["id"]
        app = {"connector_type": "zendesk-support", "configuration": {"client_id": MARK, "client_secret": MARK}}
        await other.ok("PUT", "/api/v1/oauth/credentials", app)
        note = (await other.ok("GET", "/api/v1/audit"))["data"][0]["id"]
        await acting.create("own", name="own")
        ids = {"connector": connector, "workspace": workspace, "organization": organization, "note": note}
        return cls(acting, other, ids)

    async def kept(self) -> list[Any]:
        """Everything of the other organization that nobody else may change."""
        database = self.acting.running.server.database
        found = []
        for table in KEPT:
            rows = await database.all(select(table).where(table.c.organization_id == self.ids["organization"]))
            found.append(sorted(repr(tuple(row)) for row in rows))
        return found


IDS = st.sampled_from(["connector", "workspace", "organization", "note"])
NAMES = st.sampled_from([MARK, "own", "new"])
WORDS = st.sampled_from(["tickets", "users", MARK])

PATHS = st.sampled_from(
    [
        "/api/v1/workspaces/{id}",
        CONNECTORS + "/{id}",
        CONNECTORS + "/{id}/inspect",
        CONNECTORS + "/{id}/check",
        CONNECTORS + "/{id}/execute",
        CONNECTORS + "/{id}/download",
        CONNECTORS,
        "/api/v1/workspaces",
        "/api/v1/audit",
        "/api/v1/audit/export",
        "/api/v1/policy",
        "/api/v1/account/applications/scoped-token",
        "/api/v1/oauth/credentials",
        "/api/v1/oauth/credentials/connector_type/zendesk-support",
        CONNECTORS + "/oauth/initiate",
    ]
)

QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "workspace_name": NAMES,
        "workspace_id": IDS,
        "connector_id": IDS,
        "client_id": IDS,
        "name_contains": st.sampled_from([MARK, "%", "_", "own"]),
        "outcome": st.just("ok"),
        "entity": WORDS,
        "limit": st.integers(1, 100),
    },
)

BODIES = st.fixed_dictionaries(
    {},
    optional={
        "workspace_name": NAMES,
        "connector_type": st.just("zendesk-support"),
        "connector_id": IDS,
        "name": NAMES,
        "status": st.sampled_from(["active", "inactive"]),
        "entity": WORDS,
        "action": st.sampled_from(["list", "get", "update"]),
        "params": st.just({"ticket_id": 1, "subject": "x"}),
        "redirect_url": st.just("http://127.0.0.1:9/back"),
        "credentials": st.just({"access_token": "not-a-token"}),
        "configuration": st.just({"client_id": "own", "client_secret": "own"}),
    },
)

HEADERS = st.sampled_from([{}, {"x-organization-id": "organization"}, {"x-workspace-name": MARK}])

REQUESTS = st.tuples(st.sampled_from(["GET", "POST", "PUT", "DELETE"]), PATHS, IDS, QUERIES, BODIES, HEADERS)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(requests=st.lists(REQUESTS, min_size=5, max_size=25))
def test_random_requests_never_reach_another_organization(requests):
    """After any requests of one organization the other's rows are as before, and no answer held anything of it."""

    async def run() -> None:
        with Sandbox(seed=1, tickets=5, calls=0, plan=None) as sandbox:
            async with serving(sandbox, database_url="sqlite://") as running:
                two = await Two.made(running)
                before = await two.kept()
                for request in requests:
                    await one(two, *request)
                assert before == await two.kept()
                notes = (await two.other.ok("GET", "/api/v1/audit"))["data"]
                assert {MARK} >= {note["intent"] for note in notes if note["intent"]}

    asyncio.run(run())


async def one(two: Two, method: str, path: str, which: str, query: Any, body: Any, headers: Any) -> None:
    """One request of the acting organization, which must not get anything of the other."""

    def real(value: Any) -> Any:
        return two.ids.get(value, value) if isinstance(value, str) else value

    answer = await two.acting(
        method,
        path.replace("{id}", two.ids[which]),
        {name: real(value) for name, value in body.items()} if method in {"POST", "PUT"} else None,
        params={name: real(value) for name, value in query.items()},
        headers={name: real(value) for name, value in headers.items()},
    )
    assert answer.status_code < 500, (method, path, answer.text)
    given = json.dumps([query, body, headers]) + path
    seen = answer.text
    for name, value in {**two.ids, "name": MARK}.items():
        # What the request itself said may come back; nothing else of the other may.
        if value in seen:
            assert MARK in given or name in given or value in path, (method, path, name, seen[:500])
            assert not answer.is_success or value == MARK, (method, path, name, seen[:500])
    if "x-organization-id" in headers:
        assert answer.status_code in {401, 403, 404, 405}, (method, path, seen[:300])
