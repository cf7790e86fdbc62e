"""Tokens: got once for a code, renewed once by each refresh token, and ended for good."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text, update

from plugbay.server.mcp.tables import mcp_codes, mcp_grants

from ..browser import Browser, answer_of
from ..office import REDIRECT, VERIFIER, verifier


async def test_a_pair_for_a_code(running, office, browser):
    """A code with its verifier gives a bearer for fifteen minutes and a refresh token, which nobody may store."""
    await office.connect()
    client_id, code = await office.granted(browser)
    answer = await office.exchange(client_id, code)
    pair = answer.json()

    assert 200 == answer.status_code
    assert "no-store" == answer.headers["cache-control"]
    assert ("Bearer", 900, "tools") == (pair["token_type"], pair["expires_in"], pair["scope"])
    assert pair["access_token"].startswith("pb_mcp_")
    assert pair["refresh_token"].startswith("pb_mcpr_")
    assert ["zendesk_support_execute"] == list(await office.tools(pair["access_token"]))


async def test_nothing_can_be_used_that_is_in_the_database(running, office, browser):
    """Codes and tokens are kept as digests only."""
    await office.connect()
    _, code = await office.granted(browser)
    _, pair = await office.tokens(browser)
    kept = [
        str(row)
        for table in ("mcp_codes", "mcp_grants", "bearers")
        for row in await running.server.database.all(text(f"SELECT * FROM {table}"))
    ]

    assert kept
    for secret in (code, pair["access_token"], pair["refresh_token"]):
        assert not [row for row in kept if secret in row]


async def test_a_code_that_is_used_twice(running, office, browser):
    """A second use of a code is refused, and ends the tokens that the first one gave."""
    await office.connect()
    client_id, code = await office.granted(browser)
    pair = (await office.exchange(client_id, code)).json()
    again = await office.exchange(client_id, code)

    assert (400, "invalid_grant") == (again.status_code, again.json()["error"])
    assert 401 == (await office.call(pair["access_token"])).status_code
    assert 400 == (await office.refresh(client_id, pair["refresh_token"])).status_code


async def test_of_many_tries_at_once_none_keeps_a_token(running, office, browser):
    """Of several exchanges of one code at the same time at most one gets tokens, and they do not outlive the others."""
    await office.connect()
    client_id, code = await office.granted(browser)
    answers = await asyncio.gather(*(office.exchange(client_id, code) for _ in range(8)))
    pairs = [answer.json() for answer in answers if answer.status_code == 200]

    assert 1 >= len(pairs)
    assert [401 for _ in pairs] == [(await office.call(pair["access_token"])).status_code for pair in pairs]


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_verifier": None}, "invalid_grant"),
        ({"code_verifier": VERIFIER[:-1] + "w"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:33419/callback"}, "invalid_grant"),
        ({"client_id": "pb_mcpd_another"}, "invalid_grant"),
        ({"client_id": None}, "invalid_client"),
        ({"code": "pb_mcpc_unknown"}, "invalid_grant"),
        ({"code": None}, "invalid_grant"),
        ({"resource": "https://other.example/mcp"}, "invalid_target"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": None}, "unsupported_grant_type"),
    ],
)
async def test_a_code_is_bound(running, office, browser, changed, error):
    """A code is good only with its verifier, for its client, its redirect URI and our resource."""
    await office.connect()
    client_id, code = await office.granted(browser)
    answer = await office.exchange(**{"client_id": client_id, "code": code, **changed})

    assert error == answer.json()["error"]
    assert answer.status_code in (400, 401)
    assert "no-store" == answer.headers["cache-control"]


async def test_a_code_does_not_outlive_a_wrong_try(running, office, browser):
    """Whoever has a code without its verifier has one try, and then nobody has any."""
    await office.connect()
    client_id, code = await office.granted(browser)
    await office.exchange(client_id, code, code_verifier=verifier()[0])

    assert 400 == (await office.exchange(client_id, code)).status_code


async def test_a_code_expires(running, office, browser):
    """A code that was not given back within its time gives nothing."""
    await office.connect()
    client_id, code = await office.granted(browser)
    async with running.server.database.begin() as connection:
        await connection.execute(update(mcp_codes).values(expires_at=1.0))

    assert 400 == (await office.exchange(client_id, code)).status_code


async def test_refresh_tokens_take_turns(running, office, browser):
    """Each refresh gives a new pair, and the access token before it stays good for its time."""
    await office.connect()
    client_id, first = await office.tokens(browser)
    second = (await office.refresh(client_id, first["refresh_token"])).json()
    third = (await office.refresh(client_id, second["refresh_token"])).json()

    assert 3 == len({first["refresh_token"], second["refresh_token"], third["refresh_token"]})
    for pair in (first, second, third):
        assert 200 == (await office.call(pair["access_token"])).status_code


async def test_a_refresh_token_that_is_used_twice(running, office, browser):
    """A refresh token that was given up and comes back ends the grant with all its tokens."""
    await office.connect()
    client_id, first = await office.tokens(browser)
    second = (await office.refresh(client_id, first["refresh_token"])).json()
    again = await office.refresh(client_id, first["refresh_token"])

    assert (400, "invalid_grant") == (again.status_code, again.json()["error"])
    assert 401 == (await office.call(second["access_token"])).status_code
    assert 400 == (await office.refresh(client_id, second["refresh_token"])).status_code


async def test_of_many_refreshes_at_once_one_succeeds(running, office, browser):
    """Of several refreshes with one token at the same time at most one gets a pair."""
    await office.connect()
    client_id, pair = await office.tokens(browser)
    answers = await asyncio.gather(*(office.refresh(client_id, pair["refresh_token"]) for _ in range(8)))

    assert 1 >= [answer.status_code for answer in answers].count(200)


async def test_another_clients_refresh_token(running, office, browser):
    """A refresh token is good for its own client only, whose grant another's try does not end."""
    await office.connect()
    client_id, pair = await office.tokens(browser)
    other = await office.register()

    assert 400 == (await office.refresh(other, pair["refresh_token"])).status_code
    assert 200 == (await office.refresh(client_id, pair["refresh_token"])).status_code


async def test_a_refresh_for_another_resource(running, office, browser):
    """A refresh that asks for another audience is refused."""
    await office.connect()
    client_id, pair = await office.tokens(browser)
    answer = await office.refresh(client_id, pair["refresh_token"], resource="https://other.example/mcp")

    assert "invalid_target" == answer.json()["error"]


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_revoking_either_token_ends_both(running, office, browser, kind):
    """A client that gives up one of its tokens has given up the grant."""
    await office.connect()
    client_id, pair = await office.tokens(browser)
    answer = await office.post("/oauth/revoke", {"token": pair[kind], "client_id": client_id})

    assert 200 == answer.status_code
    assert 401 == (await office.call(pair["access_token"])).status_code
    assert 400 == (await office.refresh(client_id, pair["refresh_token"])).status_code


async def test_revoking_what_is_not_there(running, office):
    """A token that is unknown, or is no token of ours to a client, is as good as revoked; a form without one is not."""
    scoped = await office.scoped()
    unknown = await office.post("/oauth/revoke", {"token": "pb_mcp_unknown"})
    others = await office.post("/oauth/revoke", {"token": scoped})
    empty = await office.post("/oauth/revoke", {})

    assert [200, 200, 400] == [unknown.status_code, others.status_code, empty.status_code]
    assert 200 == (await office.call(scoped)).status_code


async def test_another_client_cannot_revoke(running, office, browser):
    """A client that names itself ends no grant of another."""
    await office.connect()
    _, pair = await office.tokens(browser)
    await office.post("/oauth/revoke", {"token": pair["refresh_token"], "client_id": await office.register()})

    assert 200 == (await office.call(pair["access_token"])).status_code


async def test_whoever_granted_is_revoked(running, office):
    """When the client of the API that granted is revoked, so is what it granted."""
    await office.connect()
    made, secret = await running.server.clients.create(running.organization_id, "Second")
    async with Browser(running.url) as browser:
        client_id = await office.register()
        page = await browser.sign_in(made.id, secret, office.question(client_id))
        pair = (await office.exchange(client_id, answer_of(await browser.decide(page, "acme"))["code"])).json()
    before = (await office.call(pair["access_token"])).status_code
    await running.server.clients.revoke(running.organization_id, made.id)

    assert 200 == before
    assert 401 == (await office.call(pair["access_token"])).status_code
    assert 400 == (await office.refresh(client_id, pair["refresh_token"])).status_code


async def test_the_workspace_is_deleted(running, office, browser):
    """With its workspace a grant is gone."""
    await office.connect()
    client_id, pair = await office.tokens(browser)
    found = await running.server.workspaces.by_name(running.organization_id, "acme")
    await running.server.workspaces.delete(running.organization_id, found.id)

    assert 401 == (await office.call(pair["access_token"])).status_code
    assert 400 == (await office.refresh(client_id, pair["refresh_token"])).status_code
    assert [] == list(await running.server.database.all(mcp_grants.select()))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"grant_type": "refresh_token"}', "application/json"),
        (b"grant_type=refresh_token&grant_type=authorization_code", "application/x-www-form-urlencoded"),
        (b"", "application/x-www-form-urlencoded"),
    ],
)
async def test_what_is_no_token_request(running, content, kind):
    """A body of another kind, with a field twice, or empty, is refused as the specifications say."""
    answer = await running.http.post("/oauth/token", content=content, headers={"content-type": kind})

    assert answer.status_code in (400, 401)
    assert answer.json()["error"] in ("invalid_request", "invalid_client")


async def test_the_port_that_was_asked_for_is_the_one_that_counts(running, office, browser):
    """A code that was asked for with another port is redeemed with that port."""
    await office.connect()
    other = REDIRECT.replace("33418", "4711")
    client_id, code = await office.granted(browser, redirect_uri=other)

    assert 200 == (await office.exchange(client_id, code, redirect_uri=other)).status_code
