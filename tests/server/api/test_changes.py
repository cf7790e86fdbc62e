"""Connectors that are there, changed: their settings and credentials, and nothing that makes them what they are."""

from __future__ import annotations

import pytest

from .conftest import CONNECTORS

SUPPORT = "79c1aa37-dae3-42ae-b333-d1c105477715"
TALK = "c8630570-086d-4a40-99ae-ea5b18673071"
WRONG = "a-wrong-token"


async def kept(api, connector_id):
    """The credentials of a connector."""
    return await api.running.server.secrets.get(api.running.organization_id, f"connector/{connector_id}")


async def events(api):
    """What was done, the newest first."""
    return [each["event"] for each in (await api.ok("GET", "/api/v1/audit"))["data"]]


def token(api):
    """Credentials of another kind than the connector's."""
    return {"email": api.running.sandbox.email, "api_token": api.running.sandbox.api_token}


async def test_settings_are_changed_and_the_rest_stays(api, connector_id):
    """Name, replication and entities are changed by PUT; what is not given is as before."""
    before = await api.ok("GET", f"{CONNECTORS}/{connector_id}")
    change = {
        "name": "Front desk",
        "replication_config": {"start_date": "2026-02-03T00:00:00Z"},
        "entities": ["tickets"],
    }
    changed = await api.ok("PUT", f"{CONNECTORS}/{connector_id}", change)
    assert {**before, **change, "updated_at": changed["updated_at"]} == changed
    assert changed == await api.ok("PUT", f"{CONNECTORS}/{connector_id}", {})


async def test_what_was_read_can_be_sent_back(api, connector_id):
    """Whoever sends a connector back as it was told, or names it as it was made, changes nothing that it is."""
    known = await api.ok("GET", f"{CONNECTORS}/{connector_id}")
    same = {
        **known,
        "customer_name": " acme ",
        "connector_type": "Zendesk-Support",
        "definition_id": SUPPORT.upper(),
        "environment": {"subdomain": "https://sandbox.zendesk.com"},
        "entities": None,
    }
    changed = await api.ok("PUT", f"{CONNECTORS}/{connector_id}", same)
    assert {**known, "updated_at": changed["updated_at"]} == changed


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"workspace_name": "other"}, "workspace_name"),
        ({"customer_name": "other"}, "customer_name"),
        ({"external_user_id": "other"}, "external_user_id"),
        ({"connector_type": "zendesk-talk"}, "connector_type"),
        ({"connector_type": "salesforce"}, "connector_type"),
        ({"definition_id": TALK}, "definition_id"),
        ({"source_template_id": "x"}, "source_template_id"),
        ({"environment": {"subdomain": "other"}}, "environment.subdomain"),
        ({"credentials": {"access_token": WRONG, "subdomain": "other"}}, "credentials.subdomain"),
    ],
)
async def test_what_a_connector_is_cannot_be_changed(api, connector_id, change, field):
    """What is known of creation and would make it another connector is 422 at its field, and says what to do."""
    before = await api.ok("GET", f"{CONNECTORS}/{connector_id}")
    refusal = await api.refused(422, "PUT", f"{CONNECTORS}/{connector_id}", {"name": "x", **change})
    assert [(field, "unchangeable")] == [(each["field"], each["error_code"]) for each in refusal["errors"]]
    assert f"POST {CONNECTORS}" in refusal["error"]["hint"]
    assert before == await api.ok("GET", f"{CONNECTORS}/{connector_id}")


async def test_what_stays_is_not_noted_and_what_is_large_is_cut(api, connector_id):
    """A change to what is there already leaves no note, and a large setting is in its note by its size alone."""
    change = {"name": "Front desk", "replication_config": {"x": "x" * 3_000}}
    for _ in range(3):
        await api.ok("PUT", f"{CONNECTORS}/{connector_id}", change)
    notes = (await api.ok("GET", "/api/v1/audit", params={"event": "connector.changed"}))["data"]
    assert [{"name": "Front desk", "replication_config": "[3008 bytes]"}] == [note["content"] for note in notes]


async def test_other_credentials_take_the_place_of_the_old_ones(api, connector_id):
    """Credentials that Zendesk accepts are the connector's from then on, which is active again, and the check is told."""
    api.running.sandbox.account.tokens.clear()
    await api.ok("POST", f"{CONNECTORS}/{connector_id}/check")
    assert "needs_reauth" == (await api.ok("GET", f"{CONNECTORS}/{connector_id}"))["status"]
    answer = await api("PUT", f"{CONNECTORS}/{connector_id}", {"credentials": token(api), "name": "Front desk"})
    changed = answer.json()
    assert (connector_id, "Front desk", "active", {"status": "succeeded", "error_message": None}) == tuple(
        changed[name] for name in ("id", "name", "status", "check")
    )
    assert api.running.sandbox.api_token not in answer.text
    assert api.running.sandbox.api_token == (await kept(api, connector_id)).value["api_token"]
    assert (await api.execute(connector_id, "tickets", "list", {"limit": 1}))["result"]
    assert {"credentials.set", "connector.changed"} <= set(await events(api))


async def test_refused_credentials_change_nothing(api, connector_id):
    """What Zendesk refuses is 400 with its reason: neither the credentials nor the name beside them are changed."""
    before = await api.ok("GET", f"{CONNECTORS}/{connector_id}"), await kept(api, connector_id)
    change = {"credentials": {"access_token": WRONG}, "name": "Front desk"}
    answer = await api("PUT", f"{CONNECTORS}/{connector_id}", change)
    assert (400, "credentials_refused", False) == (
        answer.status_code,
        answer.json()["errors"][0]["error_code"],
        WRONG in answer.text,
    )
    assert before == (await api.ok("GET", f"{CONNECTORS}/{connector_id}"), await kept(api, connector_id))
    assert (await api.execute(connector_id, "tickets", "list", {"limit": 1}))["result"]
    [note] = (await api.ok("GET", "/api/v1/audit", params={"event": "credentials.set"}))["data"]
    assert (connector_id, "authentication") == (note["connector_id"], note["outcome"])


@pytest.mark.parametrize(
    ("credentials", "field"),
    [({}, "credentials"), ({"email": "a@b.example"}, "credentials.api_token"), ({"typo": WRONG}, "credentials.typo")],
)
async def test_incomplete_credentials_are_told_at_their_field(api, connector_id, credentials, field):
    """What are no credentials is 422 as at creation, without what was sent, and Zendesk is not asked."""
    api.running.sandbox.requests.clear()
    answer = await api("PUT", f"{CONNECTORS}/{connector_id}", {"credentials": credentials})
    assert (422, field, False) == (answer.status_code, answer.json()["errors"][0]["field"], WRONG in answer.text)
    assert [] == api.running.sandbox.requests


async def test_credentials_that_cannot_be_checked_are_kept_and_the_answer_says_so(api, connector_id):
    """If Zendesk fails, the new credentials are in place, with a check that is inconclusive."""
    api.running.sandbox.fail("/api/v2/users/me*", times=None, status=503)
    changed = await api.ok("PUT", f"{CONNECTORS}/{connector_id}", {"credentials": token(api)})
    assert "inconclusive" == changed["check"]["status"]
    assert "api_token" in (await kept(api, connector_id)).value


async def test_a_scoped_token_changes_its_own_connectors_alone(api):
    """A token of a workspace gives its connectors other credentials, and those of another workspace none."""
    theirs, scoped = await api.create("other"), await api.scoped("mine")
    own = await scoped.create("mine")
    await scoped.refused(404, "PUT", f"{CONNECTORS}/{theirs}", {"credentials": token(api)})
    changed = await scoped.ok("PUT", f"{CONNECTORS}/{own}", {"credentials": token(api)})
    assert "succeeded" == changed["check"]["status"]
