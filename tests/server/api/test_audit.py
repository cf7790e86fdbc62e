"""The audit log: what is noted, who sees it, and how it is exported."""

from __future__ import annotations

import json

import pytest

from plugbay.sandbox import Sandbox

from ..serving import serving
from .conftest import CONNECTORS, Api

PATH = "/api/v1/audit"
APP = {"client_id": "ours", "client_secret": "a-client-secret"}


async def test_a_call_is_noted_with_who_what_and_why(api, connector_id):
    """A call leaves a note with its client, connector, action, effect, outcome, intent and request, and no content."""
    answer = await api(
        "POST",
        f"{CONNECTORS}/{connector_id}/execute",
        {"entity": "tickets", "action": "list", "params": {"limit": 1}, "intent": "to see\nwhat is there"},
    )
    note = (await api.ok("GET", PATH, params={"event": "execute"}))["data"][0]
    expected = {
        "connector_id": connector_id,
        "client_id": api.running.client_id,
        "via": "api",
        "entity": "tickets",
        "action": "list",
        "effect": "read",
        "outcome": "ok",
        "fate": None,
        "intent": "to see what is there",
        "request_id": answer.headers["x-request-id"],
        "content": None,
    }
    assert expected == {name: note[name] for name in expected}
    assert note["duration_ms"] >= 0


async def test_failures_and_refusals_are_noted_by_their_code(api, operator, connector_id):
    """What failed, was forbidden, or does not exist is noted as that."""
    await operator.ok("PUT", "/api/v1/policy", {"deny": ["users.*"]})
    for entity, action, params in (
        ("tickets", "get", {"ticket_id": 999_999}),
        ("users", "me", {}),
        ("tickets", "explode", {}),
        ("tickets", "get", {"ticket": "x"}),
    ):
        await api(
            "POST", f"{CONNECTORS}/{connector_id}/execute", {"entity": entity, "action": action, "params": params}
        )
    notes = (await api.ok("GET", PATH, params={"event": "execute"}))["data"]
    assert ["invalid_parameter", "unknown_operation", "policy_denied", "not_found"] == [
        each["outcome"] for each in notes
    ]


async def test_a_write_is_noted_before_it_is_sent(api, connector_id):
    """While Zendesk works on a write its note is there already, as started."""
    seen = []

    def look(request):
        rows = __import__("sqlite3").connect(path).execute("select outcome, effect from audit where action = 'create'")
        seen.extend(rows.fetchall())
        return False

    path = api.running.server.settings.database_url.removeprefix("sqlite:///")
    api.running.sandbox.fail("/api/v2/tickets*", method="POST", match=look, status=500)
    made = await api.execute(connector_id, "tickets", "create", {"subject": "s", "comment": {"body": "b"}})
    assert made["result"]["id"]
    assert [("started", "write")] == seen
    notes = (await api.ok("GET", PATH, params={"action": "create"}))["data"]
    assert ["ok"] == [each["outcome"] for each in notes]


async def test_a_write_of_unknown_fate_is_noted_as_that(api, connector_id):
    """A write whose answer never came may have been done, and the log says so."""
    number = next(n for n, ticket in api.running.sandbox.account.tickets.items() if ticket["status"] == "open")
    api.running.sandbox.fail("/api/v2/tickets/*", method="PUT", times=None, when="after", reset=True)
    call = {"entity": "tickets", "action": "update", "params": {"ticket_id": number, "subject": "x"}}
    await api.refused(502, "POST", f"{CONNECTORS}/{connector_id}/execute", call)
    note = (await api.ok("GET", PATH, params={"action": "update"}))["data"][0]
    assert ("network", "unknown") == (note["outcome"], note["fate"])


async def test_content_is_kept_only_where_that_is_asked_for():
    """With `audit_content` the arguments are kept."""
    with Sandbox(seed=1, tickets=3, calls=0, plan=None) as sandbox:
        async with serving(sandbox, audit_content=True) as running:
            api = Api(running, await running.signed_in())
            await api.execute(await api.create(), "tickets", "get", {"ticket_id": 1})
            note = (await api.ok("GET", PATH, params={"event": "execute"}))["data"][0]
    assert {"params": {"ticket_id": 1}} == note["content"]


async def test_notes_are_found_by_their_filters_and_paged(api, connector_id):
    """Filters narrow, and cursors lead through all notes, the newest first."""
    for number in (1, 2, 3):
        await api.execute(connector_id, "tickets", "get", {"ticket_id": number}, intent=f"n{number}")
    await api.execute(connector_id, "users", "me")
    query = {"entity": "tickets", "connector_id": connector_id, "limit": 2}
    first = await api.ok("GET", PATH, params=query)
    second = await api.ok("GET", PATH, params={**query, "cursor": first["next"]})
    assert ["n3", "n2", "n1"] == [each["intent"] for each in (*first["data"], *second["data"])]
    assert None is second["next"]
    later = await api.ok("GET", PATH, params={"since": first["data"][0]["at"]})
    assert ["users", "tickets"] == [each["entity"] for each in later["data"]]


async def test_a_change_of_settings_is_noted_with_what_it_is_now(api, operator):
    """A changed setting is noted with what it concerns, what it is from then on, and the request."""
    answers = [
        await operator("PUT", "/api/v1/policy", {"deny": ["tickets.update"]}),
        await api("PUT", "/api/v1/oauth/credentials", {"connector_type": "zendesk-talk", "configuration": APP}),
        await api("DELETE", "/api/v1/oauth/credentials/connector_type/zendesk-talk"),
    ]
    notes = (await api.ok("GET", PATH, params={"limit": 3}))["data"][::-1]
    expected = [
        ("policy.set", None, {"policy": {"deny": ["tickets.update"]}}),
        ("oauth_app.set", "zendesk-talk", {"client_id": "ours"}),
        ("oauth_app.removed", "zendesk-talk", None),
    ]
    assert expected == [(note["event"], note["subject"], note["content"]) for note in notes]
    assert [answer.headers["x-request-id"] for answer in answers] == [note["request_id"] for note in notes]
    found = await api.ok("GET", PATH, params={"subject": "zendesk-talk"})
    assert ["oauth_app.removed", "oauth_app.set"] == [note["event"] for note in found["data"]]


async def test_the_export_has_every_note_as_a_line(api, connector_id):
    """The export is JSON lines, the oldest first, under the same filters."""
    for number in (1, 2):
        await api.execute(connector_id, "tickets", "get", {"ticket_id": number}, intent=f"n{number}")
    answer = await api("GET", f"{PATH}/export", params={"entity": "tickets"})
    assert "application/x-ndjson" == answer.headers["content-type"]
    assert ["n1", "n2"] == [json.loads(line)["intent"] for line in answer.text.splitlines()]


@pytest.mark.parametrize(
    "query", [{"since": "soon"}, {"until": "2026-13-01"}, {"limit": 0}, {"cursor": "nonsense"}, {"sinse": "2026-01-01"}]
)
async def test_a_filter_that_is_none_is_refused(api, query):
    """A moment that is none, a limit out of range, a strange cursor or a name with a slip in it is told."""
    await api.refused(422, "GET", PATH, params=query)


async def test_a_scoped_token_sees_the_notes_of_its_workspace(api, connector_id):
    """Notes of other workspaces are not shown to a token of one, nor exported."""
    await api.execute(connector_id, "tickets", "list", {"limit": 1})
    scoped = await api.scoped("mine")
    own = await scoped.create("mine")
    notes = (await scoped.ok("GET", PATH))["data"]
    assert {own, None} == {each["connector_id"] for each in notes}
    exported = (await scoped("GET", f"{PATH}/export")).text
    assert connector_id not in exported


async def test_a_write_that_was_only_tried_is_noted_as_that(api, operator, connector_id):
    """Under a policy of dry runs nothing is sent, and the log does not say that something was done."""
    await operator.ok("PUT", "/api/v1/policy", {"dry_run": True})
    await api.execute(connector_id, "tickets", "update", {"ticket_id": 1, "subject": "x"})
    await api.execute(connector_id, "tickets", "get", {"ticket_id": 1})
    notes = (await api.ok("GET", PATH, params={"event": "execute"}))["data"]
    assert [("get", "ok", None), ("update", "ok", "dry_run")] == [
        (each["action"], each["outcome"], each["fate"]) for each in notes
    ]
