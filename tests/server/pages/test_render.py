"""Words of strangers on a page are words, whatever is in them."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError
from starlette.requests import Request

from plugbay.server.pages.forms import Form
from plugbay.server.pages.render import page
from plugbay.server.store import AuditEntry

from .document import document

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 * 7 }}"


def request():
    """A request for a page, of nobody."""
    return Request({"type": "http", "method": "GET", "path": "/x", "headers": [], "query_string": b"", "state": {}})


async def test_names_and_intents_are_shown_as_they_are(running, person, connected):
    """Markup in names, intents and actions is shown as text on every page that has it, and starts nothing."""
    server = running.server
    await server.connectors.update(running.organization_id, connected, name=HOSTILE)
    record = await server.connectors.get(running.organization_id, connected)
    await server.workspaces.update(running.organization_id, record.workspace_id, name=HOSTILE)
    entry = {"connector_id": connected, "event": "execute", "entity": HOSTILE, "action": HOSTILE, "outcome": HOSTILE}
    await server.audit.record(AuditEntry(organization_id=running.organization_id, intent=HOSTILE, **entry))
    await server.organizations.set_redirect_urls(running.organization_id, [HOSTILE])
    await server.clients.create(running.organization_id, HOSTILE)
    for path in ("/", "/audit", "/access", f"/connectors/{connected}", f"/connectors/{connected}/try", "/connect"):
        await person.open(path)
        assert [] == person.page.all("script") + person.page.all("img"), path
        assert HOSTILE in person.page.text or HOSTILE in {
            each.attributes.get("value") for each in person.page.walk()
        }, path


async def test_what_was_typed_is_shown_as_it_is(person):
    """Markup in a form that is shown again stays in its fields."""
    await person.open("/connect")
    await person.send("/connect", workspace=HOSTILE, subdomain=HOSTILE, way="token", email=HOSTILE, api_token="t")
    assert [] == person.page.all("script") + person.page.all("img")
    assert [HOSTILE] * 3 == [person.page.one("input", id=name)["value"] for name in ("workspace", "subdomain", "email")]


async def test_hidden_characters_are_not_shown(running, person, connected):
    """Characters that nobody sees, and that could turn a name around, are not on the page."""
    name = "in\u202evoice\u200b\U000e0041 \x1b[31m"
    await running.server.connectors.update(running.organization_id, connected, name=name)
    await person.open("/")
    assert "invoice [31m" == person.page.one("tbody").one("th").text


async def test_records_of_zendesk_are_shown_as_they_are(running, person, connected):
    """A ticket with markup in it is text in the result of a call."""
    import httpx

    sandbox = running.sandbox
    body = {"ticket": {"subject": HOSTILE, "comment": {"body": "x"}}}
    headers = {"authorization": f"Bearer {sandbox.access_token}"}
    async with httpx.AsyncClient(timeout=20) as http:
        made = await http.post(f"{sandbox.base_url}/api/v2/tickets", json=body, headers=headers)
    ticket_id = made.json()["ticket"]["id"]
    await person.open(f"/connectors/{connected}/try", action="tickets.get")
    await person.send(f"/connectors/{connected}/try", params=f'{{"ticket_id": {ticket_id}}}')
    assert [] == person.page.all("script") + person.page.all("img")
    assert "<script>alert(1)</script>" in person.page.all("pre")[-1].text


def test_a_name_that_a_template_is_not_given_is_an_error():
    """A template never shows an empty place where something was forgotten."""
    with pytest.raises(UndefinedError):
        page(request(), "failed.html", heading="x")


def test_an_origin_that_a_form_leads_to_is_named():
    """The policy lets forms lead to us, and to what a page names."""
    told = page(
        request(), "failed.html", heading="x", text="", hint="", reference="", form_targets=["https://a.example"]
    )
    assert told.headers["content-security-policy"].endswith("form-action 'self' https://a.example")


def test_a_page_without_anybody_signed_in_has_no_menu():
    """The frame of an error needs no session."""
    shown = document(
        bytes(page(request(), "failed.html", 500, heading="x", text="", hint="", reference="").body).decode()
    )
    assert ([], "x") == (shown.all("nav"), shown.one("h1").text)


def test_secrets_of_a_form_are_not_shown_again():
    """Neither a field's value nor the form's own text has what was typed as a secret."""
    form = Form({"api_token": "secret-1", "email": "a@b.example"}, secrets=("api_token",))
    assert ("", "a@b.example", False) == (form.shown("api_token"), form.shown("email"), "secret-1" in repr(form))
