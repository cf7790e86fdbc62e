"""What a program must say to get a consent page, and what it is told when that does not do."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from .conftest import APP, INITIATE
from .person import led_to, query_of
from .test_redirects import TRICKS

CONNECTED = "https://app.example/connected"


def refusal(answer):
    """The status of an answer, the field it is about, and its code."""
    (told,) = answer.json()["errors"]
    return answer.status_code, told["field"], told["error_code"]


WAYS = [
    {"customer_name": "acme", "workspace_name": ..., "connector_type": "Zendesk-Talk"},
    {"external_user_id": "acme", "workspace_name": ...},
    {"connector_type": ..., "definition_id": "79c1aa37-dae3-42ae-b333-d1c105477715"},
    {"connector_type": "ZENDESK_SUPPORT"},
    {"environment": {"subdomain": "acme"}},
    {"oauth_input_configuration": {"subdomain": "acme"}},
    {"environment": {"subdomain": "https://acme.zendesk.com"}, "oauth_input_configuration": {}},
    {"name": "Help desk", "replication_config": {"start_date": "2026-01-01T00:00:00Z"}, "something_new": [1]},
]


async def test_ways_to_ask(hosting):
    """Every spelling of the hosted API gives the address of a page of ours; Talk needs no start date here."""
    for body in WAYS:
        answer = await hosting.initiate(**body)

        assert 200 == answer.status_code, (body, answer.text)
        assert ["consent_url"] == list(answer.json())
        assert f"{hosting.url}/oauth/consent" == answer.json()["consent_url"].partition("?")[0]
        assert ["flow"] == list(query_of(answer.json()["consent_url"]))


MISTAKES = [
    ({"environment": {"subdomain": {"a": 1}}}, "environment.subdomain"),
    ({"workspace_name": ...}, "workspace_name"),
    ({"workspace_name": "  "}, "workspace_name"),
    ({"workspace_name": "a\u202eb"}, "workspace_name"),
    ({"workspace_name": "a\x00b"}, None),
    ({"workspace_name": "x" * 256}, "workspace_name"),
    ({"name": "a\nb"}, "name"),
    ({"name": "x" * 256}, "name"),
    ({"connector_type": ...}, "connector_type"),
    ({"connector_type": "salesforce"}, "connector_type"),
    ({"definition_id": "79c1aa37-dae3-42ae-b333-d1c105477715"}, "connector_type"),
    ({"redirect_url": ...}, "redirect_url"),
    ({"redirect_url": 7}, "redirect_url"),
    ({"redirect_url": "https://a.example/" + "a" * 5000}, "redirect_url"),
    ({"environment": {"subdomain": "evil.example/"}}, "environment.subdomain"),
    ({"environment": {"subdomain": "a"}, "oauth_input_configuration": {"subdomain": "b"}}, "environment.subdomain"),
    ({"replication_config": {"start_date": "yesterday"}}, "replication_config.start_date"),
    ({"environment": "acme"}, "environment"),
]


async def test_what_does_not_fit(hosting):
    """422 names the field, and what was sent is not repeated."""
    for body, field in MISTAKES:
        answer = await hosting.initiate(**body)

        assert 422 == answer.status_code, (body, answer.text)
        assert field in (None, answer.json()["errors"][0]["field"])
        assert "evil" not in answer.text


async def test_subdomain_is_needed(hosting_by, sandbox):
    """Where the operator has no default account, 422 names the missing field."""
    hosting = await hosting_by(sandbox, default_subdomain=None)

    assert (422, "environment.subdomain", "missing") == refusal(await hosting.initiate())
    assert 200 == (await hosting.initiate(environment={"subdomain": "acme"})).status_code


async def test_an_app_is_needed(hosting_by, sandbox):
    """Without an OAuth app, 422 says how to set one, and with which redirect URL."""
    hosting = await hosting_by(sandbox, oauth_clients={})
    answer = await hosting.initiate()

    assert (422, "connector_type", "oauth_app_missing") == refusal(answer)
    hint = answer.json()["error"]["hint"]
    assert "PUT /api/v1/oauth/credentials" in hint
    assert f"{hosting.url}/api/v1/integrations/connectors/oauth/callback" in hint


async def test_for_trying_any_address_is_good_until_there_is_a_list(hosting_by, sandbox):
    """With `any_redirects` a plain https address is taken, a tricky one is not, and a list of one's own ends it."""
    hosting = await hosting_by(sandbox, any_redirects=True)
    assert 200 == (await hosting.initiate(redirect_url=CONNECTED)).status_code
    for trick in ("https://user@app.example/back", "http://app.example/back", "javascript:alert(1)", "//app.example"):
        assert (422, "redirect_url", "redirect_url_refused") == refusal(await hosting.initiate(redirect_url=trick))
    await hosting.server.organizations.set_redirect_urls(hosting.organization_id, ["https://own.example/back"])
    assert (422, "redirect_url", "redirect_url_refused") == refusal(await hosting.initiate(redirect_url=CONNECTED))


async def test_redirects_are_of_the_organizations_list(hosting_by, sandbox):
    """Only what the operator allows for this organization, or for all, is taken; the refusal says how to allow more."""
    everybodys = "https://every.example/back"
    hosting = await hosting_by(sandbox, loopback_redirects=False, allowed_redirects=(everybodys,))
    other, other_headers = await hosting.other_client()
    await hosting.server.organizations.set_redirect_urls(other.id, [CONNECTED, "http://127.0.0.1/back"])

    refused = await hosting.initiate(redirect_url=CONNECTED)
    assert (422, "redirect_url", "redirect_url_refused") == refusal(refused)
    assert "plugbay admin redirect add" in refused.json()["error"]["hint"]
    assert "PLUGBAY_ALLOWED_REDIRECTS" in refused.json()["error"]["hint"]
    tries = [
        (None, everybodys),
        (other_headers, everybodys),
        (other_headers, CONNECTED),
        (other_headers, "http://127.0.0.1:5001/back"),
        (None, "http://127.0.0.1:5001/back"),
        (other_headers, APP),
    ]
    assert [200, 200, 200, 200, 422, 422] == [
        (await hosting.initiate(headers, redirect_url=url)).status_code for headers, url in tries
    ]


async def test_tricks_with_redirects(hosting):
    """None of the many ways to write an address that looks like an allowed one begins anything."""
    await hosting.server.organizations.set_redirect_urls(
        hosting.organization_id, ["https://allowed.example/oauth/callback"]
    )

    assert {422} == {(await hosting.initiate(redirect_url=url)).status_code for url in TRICKS}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="utf-8"), max_size=200))
async def test_any_text_as_redirect(hosting, url):
    """Whatever text is given for an address, the answer is a refusal of that field or a consent, never a failure."""
    answer = await hosting.initiate(redirect_url=url)

    assert 422 == answer.status_code
    assert "redirect_url" == answer.json()["errors"][0]["field"]


async def test_token_is_needed(hosting):
    """Without a token that is good here there is no consent page."""
    body = {"workspace_name": "acme", "connector_type": "zendesk-support", "redirect_url": APP}
    tries = [{}, {"authorization": "Bearer nonsense"}, {"authorization": "Basic YTpi"}]

    assert [401, 401, 401] == [
        (await hosting.http.post(INITIATE, json=body, headers=headers)).status_code for headers in tries
    ]


async def test_scoped_token_connects_its_own_workspace(hosting):
    """A token of one workspace begins for that one, named or not; any other is 404, whether it is there or not."""
    await hosting.scoped("theirs")
    scoped = await hosting.scoped("mine")
    names = [..., "mine", "theirs", "nobodys"]

    assert [200, 200, 404, 404] == [(await hosting.initiate(scoped, workspace_name=name)).status_code for name in names]


async def test_asking_makes_no_connector(hosting):
    """Asking for a consent makes the workspace that it is for, no connector, and sends nothing to Zendesk."""
    flow = await hosting.server.flows.peek(query_of(await hosting.consent_url())["flow"])
    workspace = await hosting.server.workspaces.by_name(hosting.organization_id, "acme")

    assert (workspace.id, [], []) == (flow.workspace_id, await hosting.connectors(), hosting.sandbox.requests)


async def test_a_refused_question_makes_no_workspace(hosting_by, sandbox):
    """A question that is refused, be it the last thing that is looked at, leaves no workspace behind."""
    hosting = await hosting_by(sandbox, oauth_clients={})
    await hosting.initiate()

    assert None is await hosting.server.workspaces.by_name(hosting.organization_id, "acme")


async def test_a_workspace_that_is_switched_off(hosting):
    """For a workspace that is switched off nobody is asked, neither for a new connector nor for one that is there."""
    workspace = await hosting.server.workspaces.ensure(hosting.organization_id, "acme")
    made = await hosting.server.connectors.create(
        hosting.organization_id,
        workspace.id,
        connector_type="zendesk-support",
        name="Support",
        subdomain="sandbox",
        replication_config={},
        auth_kind="oauth",
        secret={"access_token": "t"},
    )
    await hosting.server.workspaces.update(hosting.organization_id, workspace.id, status="inactive")
    answers = [await hosting.initiate(), await hosting.initiate(connector_id=made.id)]

    assert [(403, None, "workspace_inactive")] * 2 == [refusal(answer) for answer in answers]


async def test_the_id_of_a_connector_in_capitals(hosting, person):
    """A connector that is to be authorized anew may be named in capitals (RFC 9562 section 4)."""
    first = led_to(await person.connect(await hosting.consent_url()))[2]["connector_id"]
    again = await person.connect(await hosting.consent_url(connector_id=first.upper()))

    assert {"connector_id": first} == led_to(again)[2]


async def test_nothing_secret_is_kept_in_the_clear(hosting, tmp_path):
    """Neither the ticket nor the verifier of an authorization stands readable in the database."""
    url = await hosting.consent_url()
    ticket = query_of(url)["flow"]
    flow = await hosting.server.flows.peek(ticket)
    path = hosting.server.database.path
    kept = b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*") if not each.name.endswith(".key"))

    assert [False, False] == [text.encode() in kept for text in (ticket, flow.verifier.get_secret_value())]


async def test_own_secret_is_never_told(hosting):
    """No answer about an OAuth app has its secret."""
    body = {"connector_type": "zendesk-support", "configuration": {"client_id": "x", "client_secret": "s3cret-of-mine"}}
    answer = await hosting.http.put("/api/v1/oauth/credentials", json=body, headers=hosting.headers)

    assert 200 == answer.status_code
    assert "s3cret" not in f"{answer.text}{answer.headers}"
    assert (
        SecretStr("s3cret-of-mine")
        == (await hosting.server.oauth_apps.find(hosting.organization_id, "zendesk-support")).client_secret
    )
