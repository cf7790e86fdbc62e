"""What a client may ask of a person, what the person sees, and what becomes of the decision."""

from __future__ import annotations

import pytest

from ..browser import Browser, answer_of, form_of
from ..office import REDIRECT


async def signed_in(running, browser, address):
    return await browser.sign_in(running.client_id, running.client_secret, address)


async def test_the_page_says_who_asks_and_for_what(running, office, browser):
    """The page names the client, where the answer goes, the organization and the workspaces, and that nothing can be changed."""
    await office.connect("acme")
    await office.connect("zenith")
    client_id = await office.register("https://claude.example/cb", client_name="Claude <b>&</b>")
    page = await signed_in(running, browser, office.question(client_id, redirect_uri="https://claude.example/cb"))

    assert 200 == page.status_code
    assert "Claude &lt;b&gt;&amp;&lt;/b&gt;" in page.text
    assert "<strong>claude.example</strong>" in page.text
    assert "nobody has checked this name" in page.text
    assert "<strong>default</strong>" in page.text
    assert '<option value="acme">' in page.text
    assert '<option value="zenith">' in page.text
    assert "Change nothing" in page.text


async def test_the_page_says_what_can_be_changed(running, office, browser):
    """Where the organization's policy lets models write, the page names the actions."""
    await office.connect()
    await running.server.organizations.set_policy(running.organization_id, {"allow": ["*.list", "tickets.update"]})
    page = await signed_in(running, browser, office.question(await office.register()))

    assert "Zendesk Support: tickets.update" in page.text
    assert "tickets.create" not in page.text


async def test_the_page_cannot_be_framed(running, office, browser):
    """No page may show the question within itself, and its form leads to us and to the client alone."""
    await office.connect()
    page = await signed_in(running, browser, office.question(await office.register()))
    policy = page.headers["content-security-policy"]

    assert "DENY" == page.headers["x-frame-options"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' http://127.0.0.1:33418" in policy
    assert "no-store" in page.headers["cache-control"]


async def test_a_person_agrees(running, office, browser):
    """After a yes the client gets a code, its state, and who we are."""
    await office.connect()
    page = await signed_in(running, browser, office.question(await office.register()))
    decided = await browser.decide(page, "acme")
    told = answer_of(decided)

    assert decided.headers["location"].startswith(f"{REDIRECT}?")
    assert {"code", "state", "iss"} == set(told)
    assert ("kept", running.server.settings.public_url) == (told["state"], told["iss"])


async def test_a_person_refuses(running, office, browser):
    """After a no the client is told so, with its state and who we are, and there is no grant."""
    await office.connect()
    page = await signed_in(running, browser, office.question(await office.register()))
    told = answer_of(await browser.decide(page, "acme", decision="deny"))

    assert ("access_denied", "kept", running.server.settings.public_url) == (told["error"], told["state"], told["iss"])
    assert "code" not in told


async def test_nobody_is_asked_without_signing_in(running, office, browser):
    """Whoever is not signed in is led to the sign-in, and from there to the question, with nothing of it lost."""
    await office.connect()
    address = office.question(await office.register(), state="a+b&c=ü")
    first = await browser.http.get(address)
    page = await signed_in(running, browser, address)
    told = answer_of(await browser.decide(page, "acme"))

    assert 303 == first.status_code
    assert first.headers["location"].startswith("/sign-in?next=")
    assert "a+b&c=ü" == told["state"]


async def test_a_form_of_somebody_elses_page(running, office, browser):
    """A decision without the form's token, with that of another session, or from another origin, grants nothing."""
    await office.connect()
    page = await signed_in(running, browser, office.question(await office.register()))
    async with Browser(running.url) as other:
        theirs = form_of((await signed_in(running, other, "/")).text, "/sign-out")["csrf"]
    fields = {**form_of(page.text, "/oauth/authorize"), "workspace": "acme", "decision": "allow"}
    headers = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}

    without = await browser.decide(page, "acme", csrf="")
    others = await browser.decide(page, "acme", csrf=theirs)
    elsewhere = await browser.http.post("/oauth/authorize", data=fields, headers=headers)

    assert [403, 403, 403] == [without.status_code, others.status_code, elsewhere.status_code]


@pytest.mark.parametrize("workspace", ["", "nowhere", "theirs"])
async def test_a_workspace_that_is_not_there(running, office, browser, workspace):
    """A workspace that does not exist, or is another organization's, cannot be granted; the person is asked again."""
    await office.connect()
    other = await running.server.organizations.create("Other")
    await running.server.workspaces.ensure(other.id, "theirs")
    page = await signed_in(running, browser, office.question(await office.register()))
    again = await browser.decide(page, workspace)

    assert 422 == again.status_code
    assert "Choose a workspace that exists" in again.text


async def test_an_inactive_workspace(running, office, browser):
    """A workspace that is not active is not offered and cannot be granted."""
    await office.connect()
    found = await running.server.workspaces.by_name(running.organization_id, "acme")
    await running.server.workspaces.update(running.organization_id, found.id, status="inactive")
    page = await signed_in(running, browser, office.question(await office.register()))

    assert '<option value="acme">' not in page.text
    assert 422 == (await browser.decide(page, "acme")).status_code


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": None},
        {"client_id": "pb_mcpd_unknown"},
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": "http://127.0.0.1:33418/callback/../evil"},
        {"redirect_uri": "http://127.0.0.1:33418@evil.example/callback"},
        {"redirect_uri": "http://127.0.0.1:33418/callback#"},
        {"redirect_uri": "javascript:alert(1)"},
    ],
)
async def test_no_answer_to_an_unknown_address(office, person, changed):
    """A request of an unknown client, or for an address it has not registered, ends on a page that leads nowhere."""
    client_id = await office.register()
    answer = await person.http.get(office.question(**{"client_id": client_id, **changed}))

    assert 400 == answer.status_code
    assert "location" not in answer.headers
    assert "evil" not in answer.text
    assert "Go back" not in answer.text


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"resource": "https://other.example/mcp"}, "invalid_target"),
        ({"prompt": "none"}, "interaction_required"),
        ({"request_uri": "https://evil.example/r"}, "request_not_supported"),
    ],
)
async def test_a_request_that_is_not_put_to_a_person(office, person, changed, error):
    """What cannot be granted ends on a page; only the person's click leads back to the client, with the error."""
    client_id = await office.register()
    answer = await person.http.get(office.question(**{"client_id": client_id, **changed}))

    assert 400 == answer.status_code
    assert "location" not in answer.headers
    assert f"<code>{error}</code>" in answer.text
    assert f'href="{REDIRECT}?error={error}&amp;' in answer.text
    assert "state=kept" in answer.text


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "code_challenge", "resource"])
async def test_a_parameter_twice(office, person, name):
    """A parameter that is there twice is refused: two readers might take one each."""
    client_id = await office.register()
    answer = await person.http.get(f"{office.question(client_id)}&{name}=other")

    assert 400 == answer.status_code
    assert "location" not in answer.headers


async def test_any_port_of_loopback(running, office, browser):
    """A program on the person's computer is answered at the port that it has this time."""
    await office.connect()
    page = await signed_in(
        running, browser, office.question(await office.register(), redirect_uri="http://127.0.0.1:5/callback")
    )

    assert (await browser.decide(page, "acme")).headers["location"].startswith("http://127.0.0.1:5/callback?")


async def test_the_form_is_checked_again(running, office, browser):
    """A form whose request was changed on the way is checked like any other: its answer goes to no other address."""
    await office.connect()
    client_id = await office.register()
    page = await signed_in(running, browser, office.question(client_id))
    query = office.question(client_id, redirect_uri="https://evil.example/cb").partition("?")[2]
    answer = await browser.decide(page, "acme", request=query)

    assert 400 == answer.status_code
    assert "location" not in answer.headers


async def test_a_grant_is_in_the_audit_log(running, office, browser):
    """Who granted what is noted."""
    await office.connect()
    await office.granted(browser)
    entries = await running.server.audit.query(running.organization_id)

    assert [running.client_id] == [each.client_id for each in entries.items if each.event == "mcp.granted"]
