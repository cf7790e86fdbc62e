"""Connecting an account with what a person typed."""

from __future__ import annotations

import pytest

from .visitor import Visitor


async def test_a_token_connects_and_leads_to_the_connector(running, person, connected):
    """The connector is made, checked, active, and in a new workspace; the page says what comes next."""
    record = await running.server.connectors.get(running.organization_id, connected)
    assert ("Support", "The desk", "zendesk-support", "oauth", "active", "succeeded") == (
        record.workspace_name,
        record.name,
        record.connector_type,
        record.auth_kind,
        record.status,
        record.check_status,
    )
    assert "Connected." in person.page.one(role="status").text


async def test_an_api_token_connects(running, person):
    """An email and an API token are kept as credentials of that kind."""
    owner, token = running.sandbox.email, running.sandbox.api_token
    await person.open("/connect")
    await person.send("/connect", workspace="Support", way="token", email=owner, api_token=token)
    assert "Zendesk-Support" == person.heading
    found = (await running.server.connectors.list(running.organization_id)).items
    assert ["token"] == [each.auth_kind for each in found]


async def test_a_wrong_token_is_told_at_its_field_and_never_shown(running, person):
    """What Zendesk refuses is not kept, the error is beside the token, and what was typed stays but for the secret."""
    await person.open("/connect")
    typed = {"workspace": "Support", "email": "ann@example.com", "api_token": "a-secret-that-is-wrong", "way": "token"}
    await person.send("/connect", **typed, name="Mine")
    assert 400 == person.answer.status_code
    assert "a-secret-that-is-wrong" not in person.answer.text
    field = person.page.one("input", id="api_token")
    assert ("true", "") == (field["aria-invalid"], field["value"])
    assert "not accepted" in person.page.one(id="api_token-error").text
    kept = {name: person.page.one("input", id=name)["value"] for name in ("workspace", "email", "name")}
    assert {"workspace": "Support", "email": "ann@example.com", "name": "Mine"} == kept
    assert "checked" in person.page.one("input", id="way-token").attributes
    assert [] == (await running.server.connectors.list(running.organization_id)).items


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"workspace": ""}, {"workspace"}),
        ({"workspace": "w" * 256}, {"workspace"}),
        ({"workspace": "hid\u200bden"}, {"workspace"}),
        ({"subdomain": ""}, {"subdomain"}),
        ({"subdomain": "evil.example/"}, {"subdomain"}),
        ({"subdomain": "user@evil.example"}, {"subdomain"}),
        ({"connector_type": "other"}, {"connector_type"}),
        ({"connector_type": "zendesk-talk", "start_date": ""}, {"start_date"}),
        ({"start_date": "yesterday"}, {"start_date"}),
        ({"way": "guess"}, {"way"}),
        ({"email": "", "api_token": ""}, {"email", "api_token"}),
        ({"email": "", "subdomain": ""}, {"email", "subdomain"}),
    ],
)
async def test_each_error_is_beside_its_field(person, fields, wrong):
    """What does not fit is said at the field and in the summary, whose links lead to the fields; nothing is sent."""
    good = {"workspace": "Support", "subdomain": "acme", "way": "token", "email": "a@b.example", "api_token": "t"}
    await person.open("/connect")
    await person.send("/connect", **(good | fields))
    links = person.page.one(role="alert").all("a")
    assert (422, {f"#{name}" for name in wrong}) == (person.answer.status_code, {each["href"] for each in links})
    assert wrong == {each["id"].removesuffix("-error") for each in person.page.all("p", class_="error")}
    assert [1] * len(wrong) == [len(person.page.all(id=each["href"][1:])) for each in links]


@pytest.mark.parametrize(
    "typed", ["larkspur", "Larkspur", "larkspur.zendesk.com", "https://larkspur.zendesk.com/agent"]
)
async def test_the_account_may_be_typed_as_it_is_in_the_browser(running, person, typed):
    """The address of the browser names the account as well as its subdomain."""
    await person.open("/connect")
    token = running.sandbox.access_token
    await person.send("/connect", workspace="W", subdomain=typed, way="oauth_tokens", access_token=token)
    found = (await running.server.connectors.list(running.organization_id)).items
    assert ["larkspur"] == [each.subdomain for each in found]


async def test_talk_keeps_its_start_date(running, person):
    """The day that was typed is kept as the moment that the API knows."""
    await person.open("/connect")
    fields = {"workspace": "W", "connector_type": "zendesk-talk", "start_date": "2026-01-31", "way": "oauth_tokens"}
    await person.send("/connect", **fields, access_token=running.sandbox.access_token)
    found = (await running.server.connectors.list(running.organization_id)).items
    assert [{"start_date": "2026-01-31T00:00:00Z"}] == [each.replication_config for each in found]


async def test_oauth_goes_on_to_the_consent(running, person):
    """The form leads to the page where a person agrees; nothing is connected before that."""
    await person.open("/connect")
    await person.send("/connect", workspace="Support", way="oauth")
    assert f"{running.url}/oauth/consent" == str(person.answer.url).partition("?")[0]
    assert [] == (await running.server.connectors.list(running.organization_id)).items


async def test_without_an_oauth_client_the_form_says_so(sandbox):
    """Where no OAuth client is set up, the form tells it beforehand, and its way ends with an error and not a failure."""
    from ..serving import serving

    async with serving(sandbox, oauth_clients={}) as running:
        person = Visitor(running.url)
        async with person.http:
            await person.sign_in(running.client_id, running.client_secret)
            await person.open("/connect")
            assert "No OAuth client is set up" in person.page.text
            await person.send("/connect", workspace="Support", way="oauth")
            assert (422, True) == (person.answer.status_code, "There is no OAuth app" in person.problems)


async def test_words_of_an_address_are_not_shown(person):
    """Anybody can write a link to the page where a consent ends: it shows our words for a code, and no others."""
    await person.open("/connected", error="access_denied", error_description="Call 0800 EVIL")
    assert ("Not connected", False) == (person.heading, "EVIL" in person.answer.text)
    await person.open("/connected", error="<b>Call 0800 EVIL</b>")
    assert "EVIL" not in person.answer.text


async def test_workspaces_are_offered(running, person, connected):
    """The form offers the workspaces that there are, and is filled in when it was opened from one."""
    record = await running.server.connectors.get(running.organization_id, connected)
    await person.open("/connect", workspace=record.workspace_id)
    assert "Support" == person.page.one("input", id="workspace")["value"]
    assert ["Support"] == [each["value"] for each in person.page.one("datalist").all("option")]
