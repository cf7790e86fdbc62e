"""Connectors: made of credentials, listed, read, removed."""

from __future__ import annotations

import pytest

from .conftest import CONNECTORS

SUPPORT = "79c1aa37-dae3-42ae-b333-d1c105477715"
TALK = "c8630570-086d-4a40-99ae-ea5b18673071"


def fields_of(refusal):
    """The fields and codes of a refusal."""
    return [(each["field"], each["error_code"]) for each in refusal["errors"]]


@pytest.mark.parametrize("naming", [{"connector_type": "Zendesk-Support"}, {"definition_id": SUPPORT}])
@pytest.mark.parametrize("workspace", ["workspace_name", "customer_name", "external_user_id"])
async def test_a_connector_is_made_however_it_is_named(api, naming, workspace):
    """The kind may be named by type or definition, the workspace by its newer and older names."""
    body = {workspace: "acme", **naming, "credentials": {"access_token": api.running.sandbox.access_token}}
    made = await api.ok("POST", CONNECTORS, body)
    expected = (
        "acme",
        "zendesk-support",
        "Zendesk-Support",
        "sandbox",
        "active",
        {"status": "succeeded", "error_message": None},
    )
    keys = ("workspace_name", "connector_type", "name", "subdomain", "status", "check")
    assert expected == tuple(made[key] for key in keys)
    assert SUPPORT == made["source_template"]["actor_definition_id"]


async def test_no_answer_shows_a_credential(api, connector_id):
    """Neither reading nor listing nor changing a connector tells anything of what it signs in with."""
    token = api.running.sandbox.access_token
    answers = [
        await api("GET", f"{CONNECTORS}/{connector_id}"),
        await api("GET", CONNECTORS, params={"workspace_name": "acme"}),
        await api("PUT", f"{CONNECTORS}/{connector_id}", {"name": "new"}),
        await api("GET", f"{CONNECTORS}/{connector_id}/inspect"),
    ]
    assert [200] * 4 == [answer.status_code for answer in answers]
    assert not [answer.text for answer in answers if token in answer.text]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"connector_type": None}, ("connector_type", "missing")),
        ({"definition_id": SUPPORT}, ("connector_type", "ambiguous")),
        ({"connector_type": "salesforce"}, ("connector_type", "unknown")),
        ({"workspace_name": None}, ("workspace_name", "missing")),
        ({"workspace_name": "a\nb"}, ("workspace_name", "invalid")),
        ({"workspace_name": "pay\u202egro"}, ("workspace_name", "invalid")),
        ({"credentials": None}, ("credentials", "missing")),
        ({"credentials": {"email": "a@b.example"}}, ("credentials.api_token", "invalid")),
        ({"credentials": {"access_token": "t", "typo": "s3cret-value"}}, ("credentials.typo", "invalid")),
        ({"environment": {"subdomain": "evil.example/#"}}, ("environment.subdomain", "invalid")),
        (
            {"environment": {"subdomain": "one"}, "credentials": {"access_token": "t", "subdomain": "two"}},
            ("environment.subdomain", "ambiguous"),
        ),
        ({"connector_type": "zendesk-talk"}, ("replication_config.start_date", "missing")),
        ({"replication_config": {"start_date": "yesterday"}}, ("replication_config.start_date", "invalid")),
        ({"replication_config": {"note": "x" * 10_000}}, ("replication_config", "invalid")),
        ({"server_side_oauth_secret_id": "x"}, ("server_side_oauth_secret_id", "not_offered")),
    ],
)
async def test_what_does_not_describe_a_connector_is_refused_by_its_field(api, change, field):
    """Each mistake is 422 with its field, before Zendesk is asked anything, and without the credentials."""
    body = {
        "workspace_name": "acme",
        "connector_type": "zendesk-support",
        "credentials": {"access_token": "s3cret-value"},
        **change,
    }
    answer = await api("POST", CONNECTORS, {name: value for name, value in body.items() if value is not None})
    assert (422, [field]) == (answer.status_code, fields_of(answer.json()))
    assert "s3cret-value" not in answer.text
    assert [] == api.running.sandbox.requests


async def test_the_words_for_no_kind_are_the_apis_own(api):
    """Naming no kind is refused in the words that programs know."""
    refusal = await api.refused(422, "POST", CONNECTORS, {"workspace_name": "acme"})
    assert "One of connector_type, definition_id, or source_template_id must be provided" == refusal["message"]


async def test_credentials_that_zendesk_refuses_are_not_kept(api):
    """Refused credentials are 400 with Zendesk's reason, and there is neither a connector nor a workspace after."""
    body = {
        "workspace_name": "acme",
        "connector_type": "zendesk-support",
        "credentials": {"access_token": "wrong-token"},
    }
    answer = await api("POST", CONNECTORS, body)
    assert (400, [("credentials", "credentials_refused")]) == (answer.status_code, fields_of(answer.json()))
    assert "wrong-token" not in answer.text
    assert [] == (await api.ok("GET", "/api/v1/workspaces"))["data"]
    [note] = (await api.ok("GET", "/api/v1/audit", params={"event": "connector.created"}))["data"]
    assert ("zendesk-support", "authentication") == (note["subject"], note["outcome"])


async def test_credentials_that_cannot_be_checked_are_kept_and_the_answer_says_so(api):
    """If Zendesk fails, the connector is made, with a check that is inconclusive."""
    api.running.sandbox.fail("/api/v2/users/me*", times=None, status=503)
    body = {"workspace_name": "acme", "connector_type": "zendesk-support", "credentials": {"access_token": "t"}}
    made = await api.ok("POST", CONNECTORS, body)
    assert "inconclusive" == made["check"]["status"]
    assert "503" in made["check"]["error_message"]


async def test_a_pair_that_was_renewed_for_the_check_is_the_one_that_is_kept(api):
    """Expired credentials with a refresh token are renewed for the check, and what is kept works."""
    sandbox = api.running.sandbox
    pair = {"refresh_token": sandbox.refresh_token, "access_token": sandbox.token(expires_in=-5)}
    client = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    connector_id = await api.create(credentials={**pair, **client})
    assert (await api.execute(connector_id, "tickets", "list", {"limit": 1}))["result"]
    exchanges = [request for request in sandbox.requests if request.path == "/oauth/tokens"]
    assert 1 == len(exchanges)


async def test_a_refresh_token_without_an_access_token_makes_a_connector(api):
    """A refresh token alone is spent once, for a pair that is kept, and the connector works with it."""
    sandbox = api.running.sandbox
    client = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    connector_id = await api.create(credentials={"refresh_token": sandbox.refresh_token, **client})
    assert (await api.execute(connector_id, "tickets", "list", {"limit": 1}))["result"]
    assert 1 == len([request for request in sandbox.requests if request.path == "/oauth/tokens"])


async def test_a_pair_without_a_client_is_renewed_by_the_operators(api):
    """The pages' Support credentials name no client; the operator's OAuth app renews them when they end."""
    sandbox = api.running.sandbox
    pair = {"refresh_token": sandbox.refresh_token, "access_token": sandbox.token(expires_in=1800)}
    connector_id = await api.create(credentials=pair)
    sandbox.clock.advance(seconds=2000)
    assert (await api.execute(connector_id, "tickets", "list", {"limit": 1}))["result"]


async def test_client_credentials_alone_make_a_connector(api):
    """A client's own id and secret are credentials too."""
    sandbox = api.running.sandbox
    connector_id = await api.create(
        credentials={"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    )
    assert (await api.execute(connector_id, "users", "me"))["result"]["id"]


async def test_connectors_are_listed_by_workspace_and_kind(api):
    """A list is of one workspace, by name or id, and of one kind if that is asked for; one of them is needed."""
    first = await api.create("acme")
    second = await api.create(
        "acme", connector_type="zendesk-talk", replication_config={"start_date": "2026-01-01T00:00:00Z"}
    )
    await api.create("other")
    workspace = await api.running.server.workspaces.by_name(api.running.organization_id, "acme")

    async def found(**query):
        return [each["id"] for each in (await api.ok("GET", CONNECTORS, params=query))["data"]]

    assert [first, second] == await found(workspace_name="acme")
    assert [first, second] == await found(customer_name="acme")
    assert [first, second] == await found(workspace_id=workspace.id)
    assert [second] == await found(workspace_name="acme", definition_id=TALK)
    assert [] == await found(workspace_name="nowhere")
    assert "missing" == (await api.refused(400, "GET", CONNECTORS))["errors"][0]["error_code"]


async def test_pages_of_connectors_hold_each_once(api):
    """The cursors lead through all connectors of a workspace."""
    expected = [await api.create("acme", name=f"c{number}") for number in range(5)]
    first = await api.ok("GET", CONNECTORS, params={"workspace_name": "acme", "limit": 3})
    rest = await api.ok("GET", CONNECTORS, params={"workspace_name": "acme", "limit": 3, "cursor": first["next"]})
    assert expected == [each["id"] for each in (*first["data"], *rest["data"])]
    assert None is rest["next"]


async def test_a_removed_connector_is_gone_with_its_secret(api, connector_id):
    """After DELETE, which names the note of it, neither the connector nor its credentials are there."""
    answer = await api("DELETE", f"{CONNECTORS}/{connector_id}")
    assert 202 == answer.status_code
    notes = (await api.ok("GET", "/api/v1/audit", params={"event": "connector.deleted"}))["data"]
    assert [(answer.json()["job_id"], connector_id)] == [(each["id"], each["connector_id"]) for each in notes]
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/inspect"), ("POST", "/check")):
        await api.refused(404, method, f"{CONNECTORS}/{connector_id}{path}")
    assert None is await api.running.server.secrets.get(api.running.organization_id, f"connector/{connector_id}")


@pytest.mark.parametrize(
    "connector_id", ["..", "1", "a" * 300, "00000000-0000-4000-8000-000000000000", "%2e%2e", "x y"]
)
async def test_an_id_that_is_none_is_404(api, connector_id):
    """Whatever stands in an id's place that is none is not found, and nothing else."""
    answer = await api("GET", f"{CONNECTORS}/{connector_id}/inspect")
    assert 404 == answer.status_code


@pytest.mark.parametrize("unknown", ["front-desk", "00000000-0000-4000-8000-000000000000"])
async def test_what_is_not_found_is_named(api, unknown):
    """The refusal names the id, and says what may have become of the connector."""
    refusal = await api.refused(404, "GET", f"{CONNECTORS}/{unknown}")
    assert (f"There is no connector {unknown}.", "connector_not_found") == (
        refusal["message"],
        refusal["errors"][0]["error_code"],
    )
    hint = "It may have been deleted, or belong to another workspace or organization."
    assert hint == refusal["error"]["hint"]


async def test_an_id_in_capitals_is_the_same(api, connector_id):
    """A connector and a workspace are found by their ids in capitals (RFC 9562 section 4), and told as they are."""
    capitals = f"{CONNECTORS}/{connector_id.upper()}"
    workspace_id = (await api.ok("GET", capitals))["workspace_id"]
    listed = (await api.ok("GET", CONNECTORS, params={"workspace_id": workspace_id.upper()}))["data"]
    call = await api.ok("POST", f"{capitals}/execute", {"entity": "tickets", "action": "list"})
    found = [
        (await api.ok("PUT", capitals, {"name": "Front desk"}))["id"],
        (await api.ok("GET", f"{capitals}/inspect"))["connector_id"],
        (await api.ok("POST", f"{capitals}/check"))["id"],
        call["execution_metadata"]["connector_instance_id"],
        *(each["id"] for each in listed),
    ]
    assert [connector_id] * 5 == found
    await api.ok("DELETE", capitals)
    await api.refused(404, "GET", f"{CONNECTORS}/{connector_id}")


async def test_a_workspace_that_is_switched_off_gets_no_connector(api, connector_id):
    """Nothing is made in an inactive workspace, and Zendesk is not asked."""
    workspace_id = (await api.ok("GET", f"{CONNECTORS}/{connector_id}"))["workspace_id"]
    await api.ok("PUT", f"/api/v1/workspaces/{workspace_id}", {"status": "inactive"})
    api.running.sandbox.requests.clear()
    body = {"workspace_name": "acme", "connector_type": "zendesk-support", "credentials": {"access_token": "t"}}
    refusal = await api.refused(403, "POST", CONNECTORS, body)
    assert ("workspace_inactive", []) == (refusal["errors"][0]["error_code"], api.running.sandbox.requests)


async def test_a_scoped_token_makes_connectors_in_its_own_workspace_alone(api):
    """A token of a workspace makes, sees and removes its connectors, and none of another."""
    theirs = await api.create("other")
    scoped = await api.scoped("mine")
    own = await scoped.create("mine")
    assert [own] == [
        each["id"] for each in (await scoped.ok("GET", CONNECTORS, params={"workspace_name": "mine"}))["data"]
    ]
    assert [] == (await scoped.ok("GET", CONNECTORS, params={"workspace_name": "other"}))["data"]
    body = {"workspace_name": "other", "connector_type": "zendesk-support", "credentials": {"access_token": "t"}}
    await scoped.refused(404, "POST", CONNECTORS, body)
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/inspect"), ("POST", "/check")):
        await scoped.refused(404, method, f"{CONNECTORS}/{theirs}{path}")
    await scoped.ok("DELETE", f"{CONNECTORS}/{own}")
