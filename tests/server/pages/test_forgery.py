"""Forms of other sites change nothing."""

from __future__ import annotations

import pytest

from .visitor import values_of

RENAME = {"name": "Renamed"}


async def post(person, connected, headers=None, **fields):
    """Sends the form that renames the connector."""
    await person.open(f"/connectors/{connected}")
    action = f"/connectors/{connected}/rename"
    form = values_of(person.form(action)) | RENAME | fields
    return await person.http.post(
        action, data={name: value for name, value in form.items() if value is not None}, headers=headers
    )


async def name_of(running, connected):
    """The connector's name as it is stored."""
    return (await running.server.connectors.get(running.organization_id, connected)).name


@pytest.mark.parametrize("token", [None, "", "0" * 64, "é"])
async def test_a_form_without_its_token_is_refused(running, person, connected, token):
    """Without the session's token nothing is changed, and the page says why."""
    answer = await post(person, connected, csrf=token)
    assert (403, "The desk") == (answer.status_code, await name_of(running, connected))
    assert "This form was not accepted" in answer.text


async def test_the_token_of_another_session_is_refused(running, person, connected, stranger):
    """A token that somebody got for themselves does not work in another's browser."""
    await stranger.open("/access")
    theirs = stranger.page.all("input", name="csrf")[0]["value"]
    assert 403 == (await post(person, connected, csrf=theirs)).status_code
    assert "The desk" == await name_of(running, connected)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_form_that_the_browser_says_is_of_another_site_is_refused(running, person, connected, headers):
    """What a browser tells of the origin counts even if the token is right."""
    assert 403 == (await post(person, connected, headers=headers)).status_code
    assert "The desk" == await name_of(running, connected)


async def test_a_form_of_ours_is_accepted(running, person, connected):
    """With the token and the origin of our own page it does what it says."""
    headers = {"origin": running.url.rstrip("/"), "sec-fetch-site": "same-origin"}
    assert 303 == (await post(person, connected, headers=headers)).status_code
    assert "Renamed" == await name_of(running, connected)


async def test_nobody_is_signed_in_by_another_site(running, visitor):
    """The sign-in form is guarded as well: a victim must not work in an attacker's organization unknowingly."""
    guest = await visitor()
    fields = {"client_id": running.client_id, "client_secret": running.client_secret}
    answer = await guest.http.post("/sign-in", data=fields)
    assert (403, None) == (answer.status_code, answer.cookies.get("plugbay"))


async def test_every_form_that_changes_something_is_guarded(running, operator, person, connected):
    """Each POST form of each page has a token, so none can be forgotten."""
    pages = (
        "/",
        "/connect",
        f"/connectors/{connected}",
        f"/connectors/{connected}/try",
        f"/connectors/{connected}/disconnect",
    )
    for path in (*pages, "/access", "/organizations", "/audit"):
        await operator.open(path)
        forms = operator.page.all("form", method="post")
        assert forms, path
        assert [1] * len(forms) == [len(form.all("input", type="hidden", name="csrf")) for form in forms]


async def test_every_post_route_refuses_a_bare_form(running, operator, connected):
    """Whatever changes something is reached with the token alone, whichever route it is."""
    from plugbay.server.pages import ROUTES

    paths = [route.path for route in ROUTES if "POST" in route.methods]
    assert 13 <= len(paths)
    for path in paths:
        url = path.format(connector_id=connected, client_id=running.client_id, grant_id=connected)
        assert 403 == (await operator.http.post(url, data={})).status_code, url
