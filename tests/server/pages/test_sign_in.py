"""Signing in and out, and what a session is."""

from __future__ import annotations

import pytest

pytest.importorskip("sqlalchemy")

from sqlalchemy import select

from plugbay.server.tables import rates

from .conftest import OPERATOR


async def test_whoever_is_not_signed_in_is_asked_to_and_goes_on_where_they_wanted(running, visitor):
    """A page leads to the sign-in form, and the form on to the page, with its query."""
    guest = await visitor()
    await guest.open("/audit?outcome=ok")
    assert "Sign in" == guest.heading
    await guest.send("/sign-in", client_id=running.client_id, client_secret=running.client_secret)
    assert ("Audit", f"{running.url}/audit?outcome=ok") == (guest.heading, str(guest.answer.url))


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "evil", "/%0a//x\n"]
)
async def test_the_form_leads_to_no_other_site(running, visitor, elsewhere):
    """A link to the sign-in form cannot choose an address outside of this server."""
    guest = await visitor()
    await guest.open("/sign-in", next=elsewhere)
    await guest.send("/sign-in", client_id=running.client_id, client_secret=running.client_secret)
    assert f"{running.url}/" == str(guest.answer.url)


async def test_wrong_credentials_do_not_tell_which_part_is_wrong(running, visitor):
    """An unknown id and a wrong secret get the same answer, and what was typed as secret is not in it."""
    guest = await visitor()
    told = []
    for client_id in (running.client_id, running.organization_id, "no-id"):
        await guest.sign_in(client_id, "a-wrong-secret")
        told.append((guest.answer.status_code, guest.problems))
        assert "a-wrong-secret" not in guest.answer.text
    assert 1 == len(set(told))
    assert 403 == told[0][0]


async def test_the_fields_in_error_say_so(running, visitor):
    """The error is described at both fields, for people who do not see the colour."""
    guest = await (await visitor()).sign_in(running.client_id, "wrong")
    for name in ("client_id", "client_secret"):
        field = guest.page.one("input", id=name)
        assert "true" == field["aria-invalid"]
        assert f"{name}-error" in field["aria-describedby"].split()
        assert "not right" in guest.page.one(id=f"{name}-error").text


async def test_guessing_ends(sandbox):
    """After so many tries in a minute even the right secret is not looked at."""
    from ..serving import serving
    from .visitor import Visitor

    statuses = set()
    async with serving(sandbox, sign_in_per_minute=3) as running:
        for _ in range(2):  # a minute may end between two requests, but not between these too
            guest = Visitor(running.url)
            async with guest.http:
                while guest.answer.status_code != 429:
                    await guest.sign_in(running.client_id, "wrong")
                assert "Too many tries" in guest.problems
                await guest.sign_in(running.client_id, running.client_secret)
                statuses.add(guest.answer.status_code)
    assert 429 in statuses


async def test_the_operator_signs_in_with_the_token(operator, visitor):
    """The operator's token opens the pages, and another does not."""
    assert "Connectors" == operator.heading
    guest = await (await visitor()).sign_in_as_operator(OPERATOR + "x")
    assert (403, "Sign in") == (guest.answer.status_code, guest.heading)


async def test_the_cookie_is_out_of_reach(running, person):
    """No script and no other site can use the session, and it is a token of its own kind, good for nothing in the API."""
    cookie = next(each for each in person.http.cookies.jar if each.name == "plugbay")
    assert (True, "lax") == (cookie.has_nonstandard_attr("HttpOnly"), cookie.get_nonstandard_attr("SameSite").lower())
    headers = {"authorization": f"Bearer {cookie.value}"}
    assert 401 == (await running.http.get("/api/v1/workspaces", headers=headers)).status_code


async def test_a_token_of_the_api_is_no_session(running, visitor):
    """Whoever has a token of a program does not come in as a person."""
    guest = await visitor()
    guest.http.cookies.set("plugbay", await running.bearer())
    await guest.open("/")
    assert "Sign in" == guest.heading


async def test_a_session_cannot_be_planted(running, visitor):
    """A cookie that was there before the sign-in, even a valid one, is replaced, and its session ends."""
    attacker = await (await visitor()).sign_in(running.client_id, running.client_secret)
    planted = attacker.http.cookies["plugbay"]
    victim = await visitor()
    await victim.open("/sign-in")
    fields = {"client_id": running.client_id, "client_secret": running.client_secret}
    form = {"csrf": victim.page.all("input", name="csrf")[0]["value"], **fields}
    victim.http.cookies.set("plugbay", planted)
    answer = await victim.http.post("/sign-in", data=form)
    cookie = next(value for name, value in answer.headers.multi_items() if name == "set-cookie" and "plugbay=" in value)
    assert planted not in cookie
    assert "Sign in" == (await attacker.open("/")).heading


async def test_signing_out_ends_the_session_on_the_server(person):
    """The cookie of somebody who signed out is worth nothing, whoever kept a copy."""
    kept = person.http.cookies["plugbay"]
    await person.send("/sign-out")
    assert "You are signed out." == person.page.one(role="status").text
    person.http.cookies.set("plugbay", kept)
    assert "Sign in" == (await person.open("/")).heading


async def test_a_revoked_client_is_signed_out(running, person):
    """Revoking a client ends what people do with it."""
    await running.server.clients.revoke(running.organization_id, running.client_id)
    assert "Sign in" == (await person.open("/")).heading


async def test_on_https_the_cookie_has_the_strictest_form(sandbox):
    """Behind TLS the cookie is bound to the host, and only sent over TLS."""
    from ..serving import serving
    from .visitor import Visitor

    async with serving(sandbox, public_url="https://plugbay.example") as running:
        guest = Visitor(running.url)
        async with guest.http:
            form = await guest.http.get("/sign-in")
            visit = form.cookies.jar
            names = {each.name: (each.secure, each.path, each.domain_specified) for each in visit}
    assert {"__Host-plugbay-visitor": (True, "/", False)} == names


async def test_sign_ins_are_noted(running, person):
    """The audit log knows who signed in, and how."""
    entries = (await running.server.audit.query(running.organization_id, event="sign_in")).items
    assert [(running.client_id, "web", "ok")] == [(each.client_id, each.via, each.outcome) for each in entries]


async def test_what_is_tried_is_not_remembered(running, visitor):
    """Tries under made-up names of one address are one count in the database, however many they are."""
    guest = await visitor()
    before = {row.client_id for row in await running.server.database.all(select(rates.c.client_id))}
    for number in range(5):
        await guest.sign_in(f"made-up-{number}", "wrong")
    after = {row.client_id for row in await running.server.database.all(select(rates.c.client_id))}
    assert 1 >= len(after - before)
