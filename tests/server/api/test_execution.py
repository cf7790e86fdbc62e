"""Calls of actions: what they answer, how they fail, and what is noted of them."""

from __future__ import annotations

import asyncio

import pytest

from .conftest import CONNECTORS

OTHER_CODE = 422


def path_of(connector_id):
    """The address of a connector's calls."""
    return f"{CONNECTORS}/{connector_id}/execute"


async def test_a_list_is_answered_with_its_paging(api, connector_id):
    """A list is a success with its records, whether there are more, and the cursor that goes on."""
    first = await api.execute(connector_id, "tickets", "list", {"limit": 3})
    paging = first["connector_metadata"]["pagination"]
    assert ("success", 3, True) == (first["status"], paging["count"], paging["has_more"])
    second = await api.execute(connector_id, "tickets", "list", {"limit": 3, "cursor": paging["cursor"]})
    assert [1, 2, 3, 4, 5, 6] == [each["id"] for each in (*first["result"], *second["result"])]
    assert connector_id == first["execution_metadata"]["connector_instance_id"]


async def test_the_vendors_pages_are_those_of_its_numbers(api, connector_id):
    """`page` and `per_page` read the list in pages of that size, whatever paging is under it."""
    found = []
    for page in (1, 2, 3):
        answer = await api.execute(connector_id, "tickets", "list", {"page": page, "per_page": 15})
        found += [each["id"] for each in answer["result"]]
    assert sorted(api.running.sandbox.account.tickets) == found


async def test_the_vendors_names_and_nested_bodies_are_taken(api, connector_id):
    """An id as text under `id`, and a body nested under the record's name, do what ours do."""
    tickets = api.running.sandbox.account.tickets
    number = next(number for number, ticket in tickets.items() if ticket["status"] == "open")
    read = await api.execute(connector_id, "tickets", "get", {"id": str(number)})
    assert number == read["result"]["id"]
    change = {"ticket_id": str(number), "ticket": {"subject": "New"}}
    changed = await api.execute(connector_id, "tickets", "update", change)
    assert "New" == changed["result"]["subject"] == tickets[number]["subject"]


@pytest.mark.parametrize(
    "params", [{"page": 0}, {"page": "two"}, {"page": 2, "cursor": "x"}, {"page": 999_999}, {"page": True}]
)
async def test_a_page_that_is_none_is_refused(api, connector_id, params):
    """A page number that leads nowhere is told by its field before anything is sent."""
    api.running.sandbox.requests.clear()
    call = {"entity": "tickets", "action": "list", "params": params}
    refusal = await api.refused(422, "POST", path_of(connector_id), call)
    assert ("invalid_parameter", ["page"]) == (refusal["error"]["code"], list(refusal["error"]["details"]["fields"]))
    assert [] == api.running.sandbox.requests


@pytest.mark.parametrize("name", ["select_fields", "exclude_fields"])
async def test_very_long_field_names(api, connector_id, name):
    """A field's name has an end."""
    call = {"entity": "tickets", "action": "list", name: ["a." * 101]}
    refusal = await api.refused(422, "POST", path_of(connector_id), call)
    assert f"{name}.0" == refusal["errors"][0]["field"]


async def test_fields_are_chosen_and_texts_cut_on_the_server(api, connector_id):
    """`select_fields`, `exclude_fields` and `skip_truncation` shape the result before it leaves the server."""
    chosen = await api.execute(connector_id, "tickets", "get", {"id": 1}, select_fields=["id", "via.channel"])
    assert {"id", "via"} == chosen["result"].keys()
    left = await api.execute(connector_id, "tickets", "get", {"id": 1}, exclude_fields=["description"])
    assert "description" not in left["result"]
    api.running.sandbox.account.tickets[1]["description"] = "x" * 5000
    cut = await api.execute(connector_id, "tickets", "get", {"id": 1}, skip_truncation=False)
    assert cut["result"]["description"].endswith("[3000 more characters]")


@pytest.mark.parametrize(
    ("status", "call", "code"),
    [
        (422, {"entity": "ticket", "action": "list"}, "unknown_operation"),
        (422, {"entity": "tickets", "action": "lst"}, "unknown_operation"),
        (422, {"entity": "tickets", "action": "get"}, "invalid_parameter"),
        (422, {"entity": "tickets", "action": "list", "params": {"statsu": "open"}}, "invalid_parameter"),
        (404, {"entity": "tickets", "action": "get", "params": {"ticket_id": 999_999}}, "not_found"),
        (422, {"entity": "attachments", "action": "download", "params": {}}, "invalid_parameter"),
        (422, {"entity": "tickets", "action": "download"}, "unknown_operation"),
    ],
)
async def test_a_failed_call_is_told_as_the_engine_tells_it(api, connector_id, status, call, code):
    """Each failure has its status and the engine's own payload, and tells clients not to try again themselves."""
    answer = await api("POST", path_of(connector_id), call)
    assert (status, code, "false") == (
        answer.status_code,
        answer.json()["error"]["code"],
        answer.headers["x-should-retry"],
    )
    assert answer.json()["message"] == answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"status": 500}, 502, "service_error"),
        ({"status": 403}, 403, "permission_denied"),
        ({"status": 429, "headers": {"retry-after": "600"}}, 429, "rate_limited"),
        ({"status": 409}, 409, "conflict"),
    ],
)
async def test_zendesks_failures_keep_their_kind(api, connector_id, fault, status, code):
    """What Zendesk answers is told by its kind; a wait that it asks for is told on."""
    api.running.sandbox.fail("/api/v2/tickets/1", times=None, **fault)
    call = {"entity": "tickets", "action": "get", "params": {"ticket_id": 1}}
    answer = await api("POST", path_of(connector_id), call)
    assert (status, code) == (answer.status_code, answer.json()["error"]["code"])
    assert (code == "rate_limited") == ("retry-after" in answer.headers)


async def test_a_lost_grant_is_a_conflict_and_the_connector_says_so(api, connector_id):
    """When Zendesk accepts the credentials no more it is 409, not 401, and the connector needs a new consent."""
    api.running.sandbox.account.tokens.clear()
    call = {"entity": "tickets", "action": "list"}
    refusal = await api.refused(409, "POST", path_of(connector_id), call)
    assert ("authentication", "needs_reauth") == (
        refusal["error"]["code"],
        refusal["error"]["details"]["connector_status"],
    )
    known = await api.ok("GET", f"{CONNECTORS}/{connector_id}")
    assert "needs_reauth" == known["status"]
    assert known["status_reason"]
    inspected = await api.ok("GET", f"{CONNECTORS}/{connector_id}/inspect")
    assert 1 == len(inspected["warnings"])


async def test_a_connector_that_works_again_is_active_again(api, connector_id):
    """A call that succeeds puts right what an earlier refusal had noted."""
    server, organization = api.running.server, api.running.organization_id
    await server.connectors.set_status(organization, connector_id, "needs_reauth", "for the test")
    await api.execute(connector_id, "tickets", "list", {"limit": 1})
    assert "active" == (await api.ok("GET", f"{CONNECTORS}/{connector_id}"))["status"]


async def test_a_create_under_a_key_is_made_once(api, connector_id):
    """The same create sent twice under one Idempotency-Key makes one ticket; another key makes another."""
    before = set(api.running.sandbox.account.tickets)
    call = {"entity": "tickets", "action": "create", "params": {"subject": "Once", "comment": {"body": "hello"}}}
    made = [
        (await api.ok("POST", path_of(connector_id), call, headers={"idempotency-key": key}))["result"]["id"]
        for key in ("first-key", "first-key", "other-key")
    ]
    assert made[0] == made[1] != made[2]
    assert {made[0], made[2]} == set(api.running.sandbox.account.tickets) - before


async def test_the_keys_of_two_clients_do_not_meet(api, running, connector_id):
    """Two clients that choose the same key mean two calls."""
    client, secret = await running.server.clients.create(running.organization_id, "second")
    second = await running.bearer(client.id, secret)
    call = {"entity": "tickets", "action": "create", "params": {"subject": "Same", "comment": {"body": "hello"}}}
    headers = {"idempotency-key": "same"}
    one = await api.ok("POST", path_of(connector_id), call, headers=headers)
    two = await api.ok("POST", path_of(connector_id), call, headers={**headers, "authorization": f"Bearer {second}"})
    assert one["result"]["id"] != two["result"]["id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\u00e9"])
async def test_a_key_that_zendesk_would_not_take_is_refused(api, connector_id, key):
    """An empty, overlong or non-ASCII key is told by its name."""
    call = {"entity": "tickets", "action": "list"}
    refusal = await api.refused(422, "POST", path_of(connector_id), call, headers={"idempotency-key": key.encode()})
    assert "Idempotency-Key" == refusal["errors"][0]["field"]


async def test_the_policy_holds_for_every_call(api, operator, connector_id):
    """A read-only organization reads and writes nothing, and a denied pattern is denied; only the operator changes that."""
    await api.refused(403, "PUT", "/api/v1/policy", {"read_only": False})
    await operator.ok("PUT", "/api/v1/policy", {"read_only": True, "deny": ["users.*"]})
    await api.execute(connector_id, "tickets", "get", {"ticket_id": 1})
    api.running.sandbox.requests.clear()
    for entity, action, params in (("tickets", "update", {"ticket_id": 1, "subject": "x"}), ("users", "me", {})):
        call = {"entity": entity, "action": action, "params": params}
        assert "policy_denied" == (await api.refused(403, "POST", path_of(connector_id), call))["error"]["code"]
    assert [] == api.running.sandbox.requests
    await operator.ok("PUT", "/api/v1/policy", {"dry_run": True})
    dry = await api.execute(connector_id, "tickets", "update", {"ticket_id": 1, "subject": "x"})
    assert {"PUT"} == {dry["result"]["would_send"]["method"]}
    assert True is dry["connector_metadata"]["dry_run"]
    assert [] == api.running.sandbox.requests


async def test_a_policy_that_is_none_is_refused(operator):
    """A pattern that names no action is told, and the policy stays as it was."""
    await operator.ok("PUT", "/api/v1/policy", {"deny": ["tickets.update"]})
    await operator.refused(422, "PUT", "/api/v1/policy", {"deny": ["tickets"]})
    assert ["tickets.update"] == (await operator.ok("GET", "/api/v1/policy"))["deny"]


async def test_twenty_calls_with_an_expired_token_make_one_exchange(api):
    """However many calls find the token expired, the refresh token is spent once and all succeed."""
    sandbox = api.running.sandbox
    client = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    pair = {"access_token": sandbox.token(expires_in=1800), "refresh_token": sandbox.refresh_token}
    connector_id = await api.create(credentials={**pair, **client})
    sandbox.clock.advance(seconds=2000)
    sandbox.requests.clear()
    calls = [api.execute(connector_id, "tickets", "get", {"ticket_id": 1}) for _ in range(20)]
    assert {"success"} == {answer["status"] for answer in await asyncio.gather(*calls)}
    assert 1 == len([request for request in sandbox.requests if request.path == "/oauth/tokens"])


async def test_two_servers_renew_a_pair_once(api, running):
    """Two processes on one database spend a refresh token once, and the other's new token serves both."""
    from ..serving import serving

    sandbox = api.running.sandbox
    client = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    pair = {"access_token": sandbox.token(expires_in=1800), "refresh_token": sandbox.refresh_token}
    connector_id = await api.create(credentials={**pair, **client})
    async with serving(sandbox, database_url=running.server.settings.database_url) as second:
        call = {"entity": "tickets", "action": "get", "params": {"ticket_id": 1}}

        async def ask(http):
            return (await http.post(path_of(connector_id), json=call, headers=api.headers)).status_code

        assert [200, 200] == [await ask(running.http), await ask(second.http)]
        sandbox.clock.advance(seconds=2000)
        sandbox.requests.clear()
        statuses = await asyncio.gather(*(ask(http) for http in (running.http, second.http) for _ in range(5)))
    assert [200] * 10 == statuses
    assert 1 == len([request for request in sandbox.requests if request.path == "/oauth/tokens"])


async def test_the_secret_of_an_app_is_not_spent_for_a_stranger(api, sandbox):
    """Who names the operator's OAuth client beside a small token is let in with that token alone, and not as the client."""
    token = sandbox.token("read", role="light-agent")
    small = {"access_token": token, "client_id": sandbox.client_id, "expires_in": 1}
    connector_id = await api.create(credentials=small)
    known = sandbox.account.tokens
    known.pop(next(number for number, each in known.items() if each.access == token))
    sandbox.requests.clear()
    call = {"entity": "users", "action": "me"}
    refusal = await api.refused(409, "POST", path_of(connector_id), call)
    assert "authentication" == refusal["error"]["code"]
    assert "/oauth/tokens" not in {request.path for request in sandbox.requests}


async def test_the_keys_of_two_workspaces_do_not_meet(api, connector_id):
    """Two holders of one client's scoped tokens who choose the same key mean two calls, at the same account too."""
    one, two = await api.scoped("acme"), await api.scoped("globex")
    second = await two.create("globex")
    call = {"entity": "tickets", "action": "create", "params": {"subject": "Same", "comment": {"body": "hello"}}}
    headers = {"idempotency-key": "same"}
    made = await one.ok("POST", path_of(connector_id), call, headers=headers)
    other = await two.ok("POST", path_of(second), call, headers=headers)
    assert made["result"]["id"] != other["result"]["id"]
