"""The page of one connector, and what can be done with it there."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from plugbay.server.connecting import check_connector


async def audited(running, event):
    """The entries of an event: by whom, by which way, with which outcome."""
    entries = (await running.server.audit.query(running.organization_id, event=event)).items
    return [(each.client_id, each.via, each.outcome) for each in entries]


async def test_a_check_tells_whose_the_credentials_are(running, person, connected):
    """The check asks Zendesk, and the page names the person it answered with."""
    await person.open(f"/connectors/{connected}")
    await person.send(f"/connectors/{connected}/check")
    told = person.page.one(role="status").text
    assert (True, True) == ("Zendesk accepts the credentials" in told, running.sandbox.email in told)
    assert (running.client_id, "web", "succeeded") in await audited(running, "connector.checked")
    await person.open(f"/connectors/{connected}/check")
    assert ("The desk", f"{running.url}/connectors/{connected}") == (person.heading, str(person.answer.url))


async def test_a_check_that_fails_says_so(running, person, connected):
    """Credentials that Zendesk no longer accepts are told as such, and the connector needs to be authorized again."""
    from plugbay.connectors.zendesk.auth import OAuthConfig
    from plugbay.server.credentials import sealed

    secret = sealed(OAuthConfig(access_token="revoked-at-zendesk"))
    await running.server.connectors.replace_secret(running.organization_id, connected, secret, auth_kind="oauth")
    await person.open(f"/connectors/{connected}")
    await person.send(f"/connectors/{connected}/check")
    assert "Zendesk does not accept the credentials" in person.problems
    assert "Needs re-authorization" in person.page.text
    assert "revoked-at-zendesk" not in person.answer.text


async def test_it_can_be_renamed(running, person, connected):
    """The new name is kept and noted; one that cannot be is refused at its field, and the old one stays."""
    path = f"/connectors/{connected}"
    await person.open(path)
    await person.send(f"{path}/rename", name="Front desk")
    assert ("Front desk", "The connector has its new name.") == (person.heading, person.page.one(role="status").text)
    await person.send(f"{path}/rename", name="hid\u200bden")
    assert (422, "Front desk") == (person.answer.status_code, person.heading)
    assert "name-error" in person.page.one("input", id="name")["aria-describedby"]
    assert [(running.client_id, "web", "ok")] == await audited(running, "connector.renamed")


async def test_it_keeps_its_name_if_that_cannot_be_noted(running, person, connected):
    """While the audit log cannot be written there is no new name."""
    path = f"/connectors/{connected}"
    await person.open(path)
    async with running.server.database.begin() as connection:
        await connection.execute(text("ALTER TABLE audit RENAME TO away"))
    await person.send(f"{path}/rename", name="Front desk")
    record = await running.server.connectors.get(running.organization_id, connected)
    assert (503, "The desk") == (person.answer.status_code, record.name)


async def test_it_is_disconnected_after_a_question(running, person, connected):
    """Only the form of the page that asks removes it, with its secret; its entries in the log stay."""
    path = f"/connectors/{connected}/disconnect"
    await person.open(path)
    assert "Disconnect The desk?" == person.heading
    assert await running.server.connectors.get(running.organization_id, connected) is not None
    await person.send(path)
    assert "Disconnected." in person.page.one(role="status").text
    assert await running.server.connectors.get(running.organization_id, connected) is None
    assert await running.server.secrets.get(running.organization_id, f"connector/{connected}") is None
    assert [(running.client_id, "web", "ok")] == await audited(running, "connector.deleted")


async def test_it_leads_to_the_consent_that_renews_it(running, person, connected):
    """The page of a connector with OAuth begins an authorization for this very connector."""
    await person.open(f"/connectors/{connected}")
    await person.send(f"/connectors/{connected}/authorize")
    assert f"{running.url}/oauth/consent" == str(person.answer.url).partition("?")[0]
    assert "Renew the access" in person.heading


async def test_it_says_how_to_call_it(running, person, connected):
    """The examples have the real ids and addresses, and no secret."""
    await person.open(f"/connectors/{connected}")
    shell, python = [each.text for each in person.page.all("pre")]
    url = running.server.settings.public_url
    assert f"{url}/api/v1/integrations/connectors/{connected}/execute" in shell
    assert (True, True) == (f'connector_id="{connected}"' in python, f'api_url="{url}"' in python)
    assert (False, False) == (
        running.client_secret in person.answer.text,
        running.sandbox.access_token in person.answer.text,
    )


async def test_the_example_in_python_runs(running, person, connected, monkeypatch, capsys):
    """The program on the page, as it stands there, makes a call."""
    import asyncio

    await person.open(f"/connectors/{connected}")
    block = person.page.all("pre")[1]
    program = "".join(part for part in block.parts if isinstance(part, str))
    monkeypatch.setenv("AIRBYTE_CLIENT_ID", running.client_id)
    monkeypatch.setenv("AIRBYTE_CLIENT_SECRET", running.client_secret)
    await asyncio.to_thread(exec, compile(program, "page", "exec"), {})
    assert "'subject'" in capsys.readouterr().out
    entries = (await running.server.audit.query(running.organization_id, event="execute")).items
    assert [("api", "tickets", "list", "ok")] == [
        (each.via, each.entity, each.action, each.outcome) for each in entries
    ]


async def test_what_others_did_is_shown(running, person, connected):
    """The page lists the last entries of the log for this connector, whoever made them."""
    from plugbay.server.caller import Caller

    record = await running.server.connectors.get(running.organization_id, connected)
    await check_connector(running.server, Caller(running.organization_id, None, is_admin=True), record)
    await person.open(f"/connectors/{connected}")
    first = person.page.one("tbody").all("tr")[0]
    assert ["connector.checked", "succeeded", "operator by api"] == [each.text for each in first.all("td")[:3]]


async def test_other_credentials_take_the_place_of_the_old_ones(running, person, connected):
    """The connector keeps its id, is active again, and works with what was typed."""
    await running.server.connectors.set_status(running.organization_id, connected, "needs_reauth", "Revoked.")
    path = f"/connectors/{connected}"
    await person.open(f"{path}/credentials")
    await person.send(f"{path}/credentials", email=running.sandbox.email, api_token=running.sandbox.api_token)
    assert ("The desk", "The new credentials are in place.") == (person.heading, person.page.one(role="status").text)
    record = await running.server.connectors.get(running.organization_id, connected)
    assert ("token", "active", "succeeded") == (record.auth_kind, record.status, record.check_status)
    await person.send(f"{path}/check")
    assert "Zendesk accepts the credentials" in person.page.one(role="status").text


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({"email": "a@b.example", "api_token": "a-wrong-token"}, 400, "api_token"),
        ({"way": "oauth_tokens", "access_token": "a-wrong-token"}, 400, "access_token"),
        ({"email": "", "api_token": "a-wrong-token"}, 422, "email"),
        ({"way": "oauth"}, 422, "way"),
    ],
)
async def test_credentials_that_are_wrong_change_nothing(running, person, connected, fields, status, field):
    """What Zendesk refuses, or what is incomplete, is told at its field, and the old credentials stay."""
    path = f"/connectors/{connected}/credentials"
    before = await running.server.secrets.get(running.organization_id, f"connector/{connected}")
    await person.open(path)
    await person.send(path, **fields)
    assert (status, False) == (person.answer.status_code, "a-wrong-token" in person.answer.text)
    assert 1 == len(person.page.all("p", id=f"{field}-error"))
    after = await running.server.secrets.get(running.organization_id, f"connector/{connected}")
    assert (before.version, before.value) == (after.version, after.value)
