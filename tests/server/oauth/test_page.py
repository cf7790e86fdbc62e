"""Our own page: what it tells, whom it obeys, and what strangers cannot do with it."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import APP
from .person import led_to, query_of

CONSENT = "/oauth/consent"


async def test_it_tells_who_asks_for_what(hosting, person):
    """The page names the organization, the workspace, the account, the connector, the rights, and where it ends."""
    organization, headers = await hosting.other_client("Larkspur Ltd")
    url = await hosting.consent_url(
        headers, workspace_name="Help desk team", name="Tickets", environment={"subdomain": "larkspur"}
    )
    page = await person.open(url)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))

    assert organization.name == "Larkspur Ltd"
    for fact in (
        "Larkspur Ltd",
        "Help desk team",
        "larkspur.zendesk.com",
        "Zendesk-Support",
        "Tickets",
        "read everything that you may read",
        "write in your name",
        "a program on this computer (127.0.0.1:9)",
        "Continue to Zendesk",
        "Cancel",
    ):
        assert fact in text


async def test_it_needs_no_script_and_cannot_be_framed(hosting, person):
    """The page has no script, its policy allows none, no page may frame it, and its address is told to nobody."""
    page = await person.open(await hosting.consent_url())
    policy = dict(part.strip().partition(" ")[::2] for part in page.headers["content-security-policy"].split(";"))

    assert ("'none'", "'none'", "'none'", "'self'") == (
        policy["default-src"],
        policy["frame-ancestors"],
        policy["base-uri"],
        policy["style-src"],
    )
    assert "script-src" not in policy
    assert ("DENY", "nosniff", "no-store") == tuple(
        page.headers[name] for name in ("x-frame-options", "x-content-type-options", "cache-control")
    )
    assert page.headers["referrer-policy"] in ("no-referrer", "same-origin")
    assert [] == re.findall(r"<script|javascript:|\son\w+\s*=|style=", page.text)


async def test_form_may_lead_where_it_must(hosting, person):
    """The policy for forms lets the redirects pass that follow: to Zendesk, to any https sign-in, and back to the program."""
    page = await person.open(await hosting.consent_url())
    targets = re.search(r"form-action ([^;]*)", page.headers["content-security-policy"])[1].split()

    assert {"'self'", "https:", hosting.sandbox.base_url, "http://127.0.0.1:9"} == set(targets)


async def test_redirects_tell_no_address(hosting, person):
    """Every answer that leads on is kept by nobody and tells nobody where the browser was."""
    page = await person.open(await hosting.consent_url())
    on = await person.press(page, decision="continue")
    back = await person.open(await person.allow(on.headers["location"]))

    assert [(303, "no-referrer", "no-store")] * 2 == [
        (answer.status_code, answer.headers["referrer-policy"], answer.headers["cache-control"])
        for answer in (on, back)
    ]


@pytest.mark.parametrize(("public_url", "name", "is_secure"), [
    (None, "plugbay-consent", False),
    ("https://connect.example", "__Host-plugbay-consent", True),
])  # fmt: skip
async def test_cookie(hosting_by, sandbox, person, public_url, name, is_secure):
    """The cookie is for this host alone, for no script, and over https for https alone."""
    hosting = await hosting_by(sandbox, **({"public_url": public_url} if public_url else {}))
    ticket = query_of(await hosting.consent_url())["flow"]
    answer = await person.open(f"{hosting.running.url.rstrip('/')}{CONSENT}?flow={ticket}")
    cookie = answer.headers["set-cookie"]
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}

    assert name == cookie.partition("=")[0]
    assert {"httponly", "samesite=lax", "path=/", "max-age=1200"} <= attributes
    assert is_secure == ("secure" in attributes)
    assert not [part for part in attributes if part.startswith("domain")]


async def sent_by(hosting, person, page, *, headers=None, **changes):
    """The answer to a page's form with other fields or headers."""
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
    fields = {name: fields[name] for name in ("flow", "csrf")} | {"decision": "continue"} | changes
    known = {"origin": hosting.url, "sec-fetch-site": "same-origin"}
    fields = {name: value for name, value in fields.items() if value is not ...}
    return await person.http.post(f"{hosting.url}{CONSENT}", data=fields, headers=known | (headers or {}))


async def test_form_without_a_cookie(hosting, person, stranger):
    """A form that comes without the browser's cookie, or with another browser's, is not obeyed; the page stays good."""
    page = await person.open(await hosting.consent_url())
    without = await sent_by(hosting, stranger, page)
    await stranger.open(await hosting.consent_url())
    with_anothers = await sent_by(hosting, stranger, page)

    assert [403, 403] == [without.status_code, with_anothers.status_code]
    assert 303 == (await sent_by(hosting, person, page)).status_code


FORGED = [
    {"csrf": ...},
    {"csrf": ""},
    {"csrf": "0" * 64},
    {"csrf": "ä"},
    {"decision": ...},
    {"decision": "allow"},
    {"decision": ""},
    {"flow": "another"},
    {"flow": ""},
    {"flow": "x" * 100_000},
]


async def test_forms_that_are_not_ours(hosting, person):
    """A form without its token, with another page's, or with an answer that it does not offer, is not obeyed."""
    page = await person.open(await hosting.consent_url())
    for changes in FORGED:
        assert 403 == (await sent_by(hosting, person, page, **changes)).status_code, changes

    assert 303 == (await sent_by(hosting, person, page)).status_code


async def test_token_of_another_page(hosting, person):
    """The token of one page is worth nothing for another, even in the same browser."""
    one = await person.open(await hosting.consent_url())
    two = await person.open(await hosting.consent_url())
    token = re.search(r'name="csrf" value="([^"]*)"', two.text)[1]

    assert 403 == (await sent_by(hosting, person, one, csrf=token)).status_code


ELSEWHERE = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1.evil.example"},
]


async def test_forms_of_other_sites(hosting, person):
    """A browser that says a form comes from another site is believed."""
    page = await person.open(await hosting.consent_url())
    for headers in ELSEWHERE:
        assert 403 == (await sent_by(hosting, person, page, headers=headers)).status_code, headers


TICKETS = [
    "",
    "nonsense",
    "x" * 501,
    "x" * 5000,
    "%00",
    "%ff",
    "<script>",
    "' OR '1'='1",
]


async def test_pages_that_are_not_there(hosting, person):
    """An address with a made-up ticket is a page that says so, and repeats nothing of it."""
    for ticket in TICKETS:
        answer = await person.http.get(f"{hosting.url}{CONSENT}", params={"flow": ticket})

        assert 410 == answer.status_code
        assert "no longer valid" in answer.text
        assert "nonsense" not in answer.text
        assert "<script" not in answer.text


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&{{7*7}}{% raw %}"


async def test_markup_in_names_is_text(hosting, person):
    """Names with markup, quotes and template signs are shown as they are written, and are nothing but text."""
    organization, headers = await hosting.other_client(HOSTILE)
    page = await person.open(await hosting.consent_url(headers, workspace_name=HOSTILE, name=HOSTILE))

    assert organization.name == HOSTILE
    assert "<script" not in page.text
    assert "<img" not in page.text
    assert page.text.count("{{7*7}}") >= 3
    assert page.text.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3


async def test_hidden_characters_in_names_are_gone(hosting, person):
    """Characters that turn or hide text are not in the page: what a person reads is in the order in which it stands."""
    hidden = "\u202e\u2066\u200b\u0007\x1b[31m\U000e0041\ufeff"
    _, headers = await hosting.other_client(f"Evil{hidden}Corp")
    page = await person.open(await hosting.consent_url(headers))

    assert "Evil[31mCorp" in page.text
    assert [] == [character for character in hidden if ord(character) > 127 and character in page.text]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=80))
async def test_any_organization_has_a_page(hosting, person, name):
    """Whatever an organization is called, its page comes, and the name opens no element."""
    _, headers = await hosting.other_client(name)
    page = await person.open(await hosting.consent_url(headers))
    plain = await person.open(await hosting.consent_url())

    assert 200 == page.status_code
    assert re.findall(r"<[a-z/!]+", plain.text) == re.findall(r"<[a-z/!]+", page.text)


async def test_other_methods(hosting, person):
    """Only looking and answering is offered."""
    url = await hosting.consent_url()
    answers = [await person.http.request(method, url) for method in ("PUT", "DELETE", "PATCH")]

    assert [405] * 3 == [answer.status_code for answer in answers]


async def test_ticket_in_the_address_of_a_form_counts_for_nothing(hosting, person):
    """Only the form's own ticket is answered: one in the address is not looked at."""
    page = await person.open(await hosting.consent_url())
    other = query_of(await hosting.consent_url())["flow"]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text)) | {"decision": "cancel"}
    answer = await person.http.post(f"{hosting.url}{CONSENT}?flow={other}", data=fields)

    assert (303, APP) == led_to(answer)[:2]
    assert None is not await hosting.server.flows.peek(other)
