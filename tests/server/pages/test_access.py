"""Clients, addresses, the policy, and the organization's own OAuth client."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plugbay.server.mcp.grants import Grants, new_grant

from .visitor import values_of

FACTS = dict.fromkeys(
    ("organization_id", "workspace_id", "client_id", "mcp_client_id", "mcp_client_name", "resource"), ""
)


async def told(running):
    """What the audit log has of people's work, the oldest first: event, subject and content, but for who came in."""
    entries = (await running.server.audit.query(running.organization_id)).items
    return [
        (each.event, each.subject, each.content)
        for each in entries[::-1]
        if each.event not in ("sign_in", "token.issued")
    ]


async def test_a_new_client_is_shown_its_secret_once(running, operator):
    """The secret is on the page that follows, works, and is on no page after that."""
    await operator.open("/access")
    await operator.send("/access/clients", client_name="Night shift")
    client_id, secret = (operator.page.one("code", id=name).text for name in ("client-id", "client-secret"))
    assert (await running.bearer(client_id, secret)).startswith("pb_app_")
    await operator.open("/access")
    assert (True, False) == (client_id in operator.answer.text, secret in operator.answer.text)
    assert [("client.created", client_id, {"name": "Night shift"})] == await told(running)


async def test_a_client_is_revoked_after_a_question(running, operator):
    """Revoking ends the client and its tokens at once."""
    token = await running.bearer()
    path = f"/access/clients/{running.client_id}/revoke"
    await operator.open(path)
    assert "Revoke default?" == operator.heading
    await operator.send(path)
    assert "revoked" in operator.page.all("tbody")[0].text
    headers = {"authorization": f"Bearer {token}"}
    assert 401 == (await running.http.get("/api/v1/workspaces", headers=headers)).status_code
    assert [("client.revoked", running.client_id, None)] == await told(running)


async def test_the_policy_is_kept_and_holds(running, operator):
    """What is saved is what the API reads, and rules that the form does not show stay."""
    await running.server.organizations.set_policy(running.organization_id, {"confirm": ["users.get"]})
    await operator.open("/access")
    await operator.send("/access/policy", read_only="yes", allow="tickets.*\r\n\r\n *.get ", deny="tickets.update")
    organization = await running.server.organizations.get(running.organization_id)
    expected = {
        "read_only": True,
        "allow": ["tickets.*", "*.get"],
        "deny": ["tickets.update"],
        "confirm": ["users.get"],
    }
    assert expected == organization.policy
    assert [("policy.set", None, {"policy": expected})] == await told(running)
    assert ("tickets.* *.get", True) == (
        operator.page.one(id="allow").text,
        "checked" in operator.page.one(id="read_only").attributes,
    )
    await operator.send("/access/policy", read_only="", allow="", deny="")
    assert {"confirm": ["users.get"]} == (await running.server.organizations.get(running.organization_id)).policy


@pytest.mark.parametrize("name", ["allow", "deny"])
async def test_a_pattern_that_is_none_is_told_at_its_field(running, operator, name):
    """A line that is no pattern is refused, nothing is saved, and what was typed stays."""
    await operator.open("/access")
    await operator.send("/access/policy", **{name: "tickets.*\nall tickets"})
    assert (422, "tickets.* all tickets") == (operator.answer.status_code, operator.page.one(id=name).text)
    assert "all tickets is not a pattern" in operator.page.one(id=f"{name}-error").text
    assert {} == (await running.server.organizations.get(running.organization_id)).policy


async def test_addresses_are_kept_once_each(running, operator):
    """The addresses are what a consent may lead back to."""
    await operator.open("/access")
    await operator.send(
        "/access/redirects", redirect_urls="https://a.example/x\nhttps://b.example/\nhttps://a.example/x\n"
    )
    organization = await running.server.organizations.get(running.organization_id)
    assert ["https://a.example/x", "https://b.example/"] == organization.redirect_urls
    assert [("redirects.set", None, {"redirect_urls": organization.redirect_urls})] == await told(running)


@pytest.mark.parametrize(
    "url", ["http://a.example/", "https://u@a.example/", "javascript:alert(1)", "https://A.example", "a"]
)
async def test_an_address_that_cannot_be_is_refused(running, operator, url):
    """An address that could lead a browser astray is not saved."""
    await operator.open("/access")
    await operator.send("/access/redirects", redirect_urls=f"https://a.example/\n{url}")
    assert (422, True) == (operator.answer.status_code, url in operator.page.one(id="redirect_urls-error").text)
    assert [] == (await running.server.organizations.get(running.organization_id)).redirect_urls


async def test_the_own_oauth_client_is_set_and_removed(running, person):
    """Its secret is kept and on no page; without it the operator's is used again."""
    await person.open("/access")
    fields = {"oauth_type": "zendesk-talk", "oauth_client_id": "ours", "oauth_client_secret": "a-client-secret"}
    await person.send("/access/oauth", **fields)
    app = await running.server.oauth_apps.find(running.organization_id, "zendesk-talk")
    assert ("ours", "a-client-secret") == (app.client_id, app.client_secret.get_secret_value())
    assert (True, False) == ("ours" in person.page.text, "a-client-secret" in person.answer.text)
    await person.send("/access/oauth/remove")
    assert await running.server.oauth_apps.find(running.organization_id, "zendesk-talk") is None
    assert [
        ("oauth_app.set", "zendesk-talk", {"client_id": "ours"}),
        ("oauth_app.removed", "zendesk-talk", None),
    ] == await told(running)


async def test_an_incomplete_oauth_client_is_refused(running, person):
    """What is missing is told at its field, and the secret is not shown again."""
    await person.open("/access")
    await person.send("/access/oauth", oauth_client_id="", oauth_client_secret="a-client-secret")
    assert (422, False) == (person.answer.status_code, "a-client-secret" in person.answer.text)
    assert "true" == person.page.one("input", id="oauth_client_id")["aria-invalid"]
    assert await running.server.oauth_apps.find(running.organization_id, "zendesk-support") is None


@pytest.mark.parametrize("action", ["clients", "clients/{client_id}/revoke", "redirects", "policy"])
async def test_a_client_does_not_widen_what_it_may_do(running, person, action):
    """Only the operator changes clients, addresses and the policy; others see them, and a form of theirs is refused."""
    path = f"/access/{action.format(client_id=running.client_id)}"
    await person.open("/access")
    assert [] == person.page.all("form", action=path)
    token = person.page.all("input", name="csrf")[0]["value"]
    answer = await person.http.post(path, data={"csrf": token, "client_name": "x", "deny": "tickets.*"})
    assert 403 == answer.status_code
    organization = await running.server.organizations.get(running.organization_id)
    clients = await running.server.clients.list(running.organization_id)
    assert ({}, [None]) == (organization.policy, [each.revoked_at for each in clients])


async def granted(running, name):
    """A grant that somebody gave a client of MCP, with tokens."""
    workspace = await running.server.workspaces.ensure(running.organization_id, "acme")
    grants = Grants(running.server.database)
    grant = new_grant(
        organization_id=running.organization_id,
        workspace_id=workspace.id,
        client_id=running.client_id,
        mcp_client_id="client",
        mcp_client_name=name,
        resource=f"{running.url}/mcp",
    )
    await grants.redeem(await grants.open(grant, redirect_uri="https://app.example/cb", challenge="c" * 43))
    await grants.renew(grant.organization_id, grant.id, old=None, new="first")
    return grant


async def test_what_was_granted_to_assistants_is_seen_and_ended(running, person):
    """A grant is shown with its client and workspace, and ends for good when a person says so."""
    grant = await granted(running, "<b>Helper</b>")
    await person.open("/access")
    assert ("<b>Helper</b>", True) == (
        person.page.one("section", **{"aria-labelledby": "grants-heading"}).all("th")[-1].text,
        "acme" in person.answer.text,
    )
    await person.send(f"/access/grants/{grant.id}/end")
    assert None is await Grants(running.server.database).get(grant.organization_id, grant.id)
    await person.open("/access")
    assert "grants-heading" not in person.answer.text
    assert ["mcp.revoked"] == [event for event, _, _ in await told(running)]


async def test_the_grants_of_another_organization_are_not_there(running, person):
    """Nobody sees or ends what was granted in another organization."""
    other = await running.server.organizations.create("other")
    workspace = await running.server.workspaces.ensure(other.id, "theirs")
    grant = await granted(running, "Theirs")
    foreign = replace(
        grant, id=new_grant(**FACTS).id, organization_id=other.id, workspace_id=workspace.id, client_id=None
    )
    grants = Grants(running.server.database)
    await grants.redeem(await grants.open(foreign, redirect_uri="https://app.example/cb", challenge="c" * 43))
    await person.open("/access")
    assert foreign.id not in person.answer.text
    form = person.form(f"/access/grants/{grant.id}/end")
    answer = await person.http.post(f"/access/grants/{foreign.id}/end", data=values_of(form))
    assert 404 == answer.status_code
    assert foreign.id == (await grants.get(other.id, foreign.id)).id
