"""The whole way of a consent: from the program's request over two pages to a connector that works."""

from __future__ import annotations

import json

import pytest
from tests.server.serving import CALLBACK

from plugbay.auth.pkce import new_challenge
from plugbay.server.oauth.problems import TEXTS

from .conftest import APP
from .person import led_to, query_of


@pytest.mark.parametrize("kind", ["Zendesk-Support", "zendesk-talk"])
async def test_consent_makes_a_connector_that_works(hosting, person, kind):
    """After both pages the browser is back with the id of a connector that reads from Zendesk."""
    answer = await person.connect(await hosting.consent_url(connector_type=kind, name="Help desk"))
    status, place, query = led_to(answer)
    (record,) = await hosting.connectors()

    assert (303, APP, {"connector_id": record.id}) == (status, place, query)
    assert ("Help desk", "acme", "sandbox", "oauth", "active", "succeeded") == (
        record.name,
        record.workspace_name,
        record.subdomain,
        record.auth_kind,
        record.status,
        record.check_status,
    )
    check = await hosting.http.post(
        f"/api/v1/integrations/connectors/{record.id}/check", json={}, headers=hosting.headers
    )
    assert ("succeeded", hosting.sandbox.email) == (check.json()["status"], check.json()["identity"]["user"]["email"])


async def test_nothing_else_was_sent_to_zendesk(hosting, person):
    """One consent costs one exchange, sent to the token endpoint as JSON, with S256 and both parts of the proof."""
    url = await hosting.consent_url()
    zendesk = await person.agree(url)
    await person.open(await person.allow(zendesk))
    query = query_of(zendesk)
    (exchange,) = [sent for sent in hosting.sandbox.requests if sent.path == "/oauth/tokens"]
    body = json.loads(exchange.body)

    assert ("S256", "code", "read write", "sandbox_app", f"{hosting.url}{CALLBACK}") == (
        query["code_challenge_method"],
        query["response_type"],
        query["scope"],
        query["client_id"],
        query["redirect_uri"],
    )
    assert query["code_challenge"] == new_challenge(body["code_verifier"])
    assert ("authorization_code", query["redirect_uri"], 201) == (
        body["grant_type"],
        body["redirect_uri"],
        exchange.status,
    )


async def test_verifier_never_meets_the_browser(hosting, person):
    """What the browser sees of the proof is its digest alone."""
    page = await person.open(await hosting.consent_url())
    zendesk = (await person.press(page, decision="continue")).headers["location"]
    flow = await hosting.server.flows.peek(query_of(zendesk)["state"])

    assert flow.verifier.get_secret_value() not in f"{page.text}{page.headers}{zendesk}"


async def test_what_was_said_is_kept(hosting, person):
    """The workspace, the name, the account and the start date of the request are the connector's."""
    await person.connect(
        await hosting.consent_url(
            workspace_name="Kundin Ä & Söhne",
            connector_type="zendesk-talk",
            name='Café "calls"',
            replication_config={"start_date": "2026-01-01T00:00:00Z"},
            environment={"subdomain": "acme", "region": "eu"},
        )
    )
    (record,) = await hosting.connectors()

    assert (
        "Kundin Ä & Söhne",
        "zendesk-talk",
        'Café "calls"',
        {"start_date": "2026-01-01T00:00:00Z"},
        "acme",
    ) == (
        record.workspace_name,
        record.connector_type,
        record.name,
        record.replication_config,
        record.subdomain,
    )


async def test_query_of_the_redirect_is_kept(hosting, person):
    """An address with parameters of its own keeps them, before ours."""
    answer = await person.connect(await hosting.consent_url(redirect_url=f"{APP}?tenant=7&next=%2Fhome"))
    (record,) = await hosting.connectors()

    assert f"{APP}?tenant=7&next=%2Fhome&connector_id={record.id}" == answer.headers["location"]


async def test_cancel_goes_back(hosting, person):
    """Cancelling at our page leads back with access_denied, and Zendesk is never asked."""
    page = await person.open(await hosting.consent_url())
    answer = await person.press(page, decision="cancel")

    assert (303, APP, "access_denied") == (*led_to(answer)[:2], led_to(answer)[2]["error"])
    assert [] == hosting.sandbox.requests
    assert 410 == (await person.open(str(page.url))).status_code


async def test_denied_at_zendesk(hosting, person):
    """A no at Zendesk's page leads back with access_denied and our words, and nothing is exchanged or kept."""
    callback = await person.allow(await person.agree(await hosting.consent_url()), "deny")
    answer = await person.open(callback)

    assert (303, APP, {"error": "access_denied", "error_description": TEXTS["access_denied"]}) == led_to(answer)
    assert ([], []) == (hosting.exchanges(), await hosting.connectors())


async def test_credentials_renew_themselves(hosting, person):
    """The connector that a consent made renews its token when that ends."""
    answer = await person.connect(await hosting.consent_url())
    hosting.sandbox.clock.advance(seconds=1801)
    path = f"/api/v1/integrations/connectors/{led_to(answer)[2]['connector_id']}/execute"
    done = await hosting.http.post(
        path, json={"entity": "tickets", "action": "list", "params": {"limit": 1}}, headers=hosting.headers
    )

    assert (200, [201, 201]) == (done.status_code, hosting.exchanges())


async def test_authorizing_anew(hosting, person):
    """A connector whose credentials are dead works again after a new consent, under its old id, name and settings."""
    first = await person.connect(await hosting.consent_url(name="Help desk"))
    identifier = led_to(first)[2]["connector_id"]
    hosting.sandbox.account.tokens.clear()
    path = f"/api/v1/integrations/connectors/{identifier}"
    failed = await hosting.http.post(f"{path}/check", json={}, headers=hosting.headers)
    dead = await hosting.server.connectors.get(hosting.organization_id, identifier)
    again = await person.connect(await hosting.consent_url(connector_id=identifier, name="ignored"))
    (record,) = await hosting.connectors()
    alive = await hosting.http.post(f"{path}/check", json={}, headers=hosting.headers)

    assert ("failed", "needs_reauth", "succeeded") == (failed.json()["status"], dead.status, alive.json()["status"])
    assert (303, APP, {"connector_id": identifier}) == led_to(again)
    assert (identifier, "Help desk", "active", None) == (record.id, record.name, record.status, record.status_reason)


async def test_anew_without_naming_anything(hosting, person):
    """For a connector that is there, its id and where to go back are enough."""
    first = await person.connect(await hosting.consent_url())
    identifier = led_to(first)[2]["connector_id"]
    answer = await hosting.initiate(workspace_name=..., connector_type=..., connector_id=identifier)

    assert 200 == answer.status_code


OTHERS = [
    ({"environment": {"subdomain": "other"}}, 422),
    ({"oauth_input_configuration": {"subdomain": "other"}}, 422),
    ({"connector_type": "zendesk-talk"}, 422),
    ({"workspace_name": "other"}, 404),
    ({"connector_id": "11111111-1111-4111-8111-111111111111"}, 404),
    ({"connector_id": "nonsense"}, 404),
    ({"connector_id": "' OR 1=1 --"}, 404),
]


async def test_anew_is_for_the_same_account(hosting, person):
    """Another account, kind or workspace than the connector's is refused before anybody is asked."""
    first = await person.connect(await hosting.consent_url())
    for body, status in OTHERS:
        answer = await hosting.initiate(**({"connector_id": led_to(first)[2]["connector_id"]} | body))

        assert status == answer.status_code, body


async def test_removed_meanwhile(hosting, person):
    """A connector that was removed while the person agreed is not made again."""
    first = await person.connect(await hosting.consent_url())
    identifier = led_to(first)[2]["connector_id"]
    callback = await person.callback_for(await hosting.consent_url(connector_id=identifier))
    await hosting.server.connectors.delete(hosting.organization_id, identifier)

    assert "connector_not_found" == led_to(await person.open(callback))[2]["error"]
    assert [] == await hosting.connectors()


async def test_two_at_once_in_one_browser(hosting, person):
    """Two consents in two tabs do not get into each other's way."""
    one, two = [await hosting.consent_url(workspace_name=name) for name in ("one", "two")]
    zendesk_one, zendesk_two = await person.agree(one), await person.agree(two)
    for zendesk in (zendesk_two, zendesk_one):
        await person.open(await person.allow(zendesk))

    assert {"one", "two"} == {record.workspace_name for record in await hosting.connectors()}


async def test_it_is_audited(hosting, person):
    """The audit has the beginning and the new connector, with the client and the way, and no secret."""
    await person.connect(await hosting.consent_url())
    entries = (await hosting.server.audit.query(hosting.organization_id)).items
    known = {(entry.event, entry.via, entry.client_id) for entry in entries}
    client_id = hosting.running.client_id

    assert {("authorization.begun", "api", client_id), ("connector.created", "web", client_id)} <= known
    tokens = [token for each in hosting.sandbox.account.tokens.values() for token in (each.access, each.refresh or "-")]
    assert not any(token in repr(entries) for token in tokens if token != "-")
