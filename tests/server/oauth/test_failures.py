"""What Zendesk may do when it is asked for tokens, and what the program that waits is told of it."""

from __future__ import annotations

import io
import logging

import pytest

from plugbay.server import logs
from plugbay.server.oauth.problems import TEXTS

from .conftest import APP
from .person import led_to, query_of

TOKENS = "/oauth/tokens"
WHO = "/api/v2/users/me"
EVIL = "https://evil.example/oauth/tokens"


def refused(error, status=400):
    return {"status": status, "body": {"error": error, "error_description": "<b>secret words</b>"}}


FAILURES = [
    ({"status": 500}, "temporarily_unavailable"),
    ({"status": 503, "headers": {"retry-after": "0"}}, "temporarily_unavailable"),
    ({"status": 429, "headers": {"retry-after": "0"}}, "temporarily_unavailable"),
    ({"redirect": EVIL, "status": 307}, "temporarily_unavailable"),
    ({"redirect": EVIL, "status": 302}, "temporarily_unavailable"),
    ({"redirect": "/oauth/tokens", "status": 308}, "temporarily_unavailable"),
    ({"status": 200, "body": "<html>hello</html>"}, "temporarily_unavailable"),
    ({"status": 200, "body": {"token_type": "bearer"}}, "temporarily_unavailable"),
    ({"status": 200, "body": {"access_token": "a\nb"}}, "temporarily_unavailable"),
    ({"status": 200, "body": [1]}, "temporarily_unavailable"),
    ({"truncate": 10}, "temporarily_unavailable"),
    ({"shape": "broken"}, "temporarily_unavailable"),
    ({"reset": True}, "temporarily_unavailable"),
    ({"close": True, "when": "after"}, "temporarily_unavailable"),
    (refused("invalid_grant"), "invalid_grant"),
    (refused("invalid_client", 401), "invalid_client"),
    (refused("invalid_scope"), "invalid_scope"),
    (refused("unauthorized_client"), "unauthorized_client"),
    (refused("<script>"), "invalid_request"),
    ({"status": 404, "body": ""}, "invalid_request"),
    ({"status": 200, "body": {"access_token": "x", "scope": "read"}}, "invalid_scope"),
]


async def test_token_endpoint(hosting, person):
    """Whatever the token endpoint does, it is asked once, and the browser goes back with a code and our own words."""
    for failure, code in FAILURES:
        callback = await person.callback_for(await hosting.consent_url())
        hosting.sandbox.requests.clear()
        hosting.sandbox.fail(TOKENS, times=None, **failure)
        answer = await person.open(callback)
        hosting.sandbox.heal()

        assert (303, APP, {"error": code, "error_description": TEXTS[code]}) == led_to(answer), failure
        assert ([], 1) == (await hosting.connectors(), len(hosting.exchanges())), failure


@pytest.mark.parametrize("failure", [{"status": 401}, {"status": 403}, {"shape": "no_record"}])
async def test_tokens_that_belong_to_nobody(hosting, person, failure):
    """Tokens that Zendesk gives and then does not accept make no connector."""
    callback = await person.callback_for(await hosting.consent_url())
    if "shape" in failure:
        failure = {"status": 200, "body": {"user": {"id": None, "name": "Anonymous user"}}}
    hosting.sandbox.fail(WHO, times=None, **failure)
    answer = await person.open(callback)

    assert (303, "account_refused") == (answer.status_code, led_to(answer)[2]["error"])
    assert [] == await hosting.connectors()


async def test_tokens_that_are_not_kept_are_revoked(hosting, person):
    """Tokens that made no connector are ended at Zendesk, so that nobody can use them."""
    callback = await person.callback_for(await hosting.consent_url())
    before = set(hosting.sandbox.account.tokens)
    hosting.sandbox.fail(WHO, times=None, status=403)
    answer = await person.open(callback)

    assert ([201], before) == (hosting.exchanges(), set(hosting.sandbox.account.tokens))
    assert "account_refused" == led_to(answer)[2]["error"]


async def test_account_that_cannot_be_asked(hosting, person):
    """Tokens that could not be checked are kept, since the code is spent, and the connector says so."""
    callback = await person.callback_for(await hosting.consent_url())
    hosting.sandbox.fail(WHO, times=None, status=500)
    answer = await person.open(callback)
    (record,) = await hosting.connectors()

    assert (record.id, "inconclusive", "active") == (
        led_to(answer)[2]["connector_id"],
        record.check_status,
        record.status,
    )


REFUSALS = [
    ("access_denied", "access_denied"),
    ("invalid_scope", "invalid_scope"),
    ("unauthorized_client", "unauthorized_client"),
    ("temporarily_unavailable", "temporarily_unavailable"),
    ("server_error", "temporarily_unavailable"),
    ("unsupported_response_type", "invalid_request"),
    ("%3Cscript%3E", "invalid_request"),
    ("", "invalid_request"),
    ("x" * 3000, "invalid_request"),
]


async def test_refusals_in_the_browser(hosting, person):
    """A refusal comes back under one of our codes with our words; Zendesk's own words are not passed on."""
    callback = f"{hosting.url}/api/v1/integrations/connectors/oauth/callback"
    for error, code in REFUSALS:
        state = query_of(await person.agree(await hosting.consent_url()))["state"]
        answer = await person.open(f"{callback}?error={error}&error_description=Call+0900+evil&state={state}")

        assert (303, APP, {"error": code, "error_description": TEXTS[code]}) == led_to(answer), error


async def test_app_is_taken_away_meanwhile(hosting, person):
    """An app that is not the one that the person was asked for is not used to redeem the code."""
    before_page = await person.open(await hosting.consent_url())
    callback = await person.callback_for(await hosting.consent_url())
    await hosting.server.oauth_apps.put(hosting.organization_id, "zendesk-support", "another", "s")
    answer = await person.open(callback)

    assert ("oauth_app_changed", []) == (led_to(answer)[2]["error"], hosting.exchanges())
    assert "oauth_app_changed" == led_to(await person.press(before_page, decision="continue"))[2]["error"]


async def test_app_is_removed_before_the_answer(hosting_by, sandbox, person):
    """Where no app is left when the person goes on, the browser goes back and says so."""
    hosting = await hosting_by(sandbox, oauth_clients={})
    await hosting.server.oauth_apps.put(hosting.organization_id, "zendesk-support", "sandbox_app", "s")
    page = await person.open(await hosting.consent_url())
    await hosting.server.oauth_apps.delete(hosting.organization_id, "zendesk-support")

    assert "oauth_app_changed" == led_to(await person.press(page, decision="continue"))[2]["error"]


async def test_failure_of_our_own(hosting, person):
    """If the database fails at the last step, the browser still goes back, with server_error."""
    callback = await person.callback_for(await hosting.consent_url())
    async with hosting.server.database.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE workspaces RENAME COLUMN status TO lost")
    answer = await person.open(callback)

    assert (303, APP, {"error": "server_error", "error_description": TEXTS["server_error"]}) == led_to(answer)


def test_descriptions_are_of_the_standards_characters():
    """Every description has only the characters that RFC 6749 section 4.1.2.1 allows."""
    allowed = {chr(number) for number in range(0x20, 0x7F)} - {'"', "\\"}

    assert [] == [code for code, text in TEXTS.items() if not set(text) <= allowed]


@pytest.fixture
def log():
    """What the server logs at its most talkative, set up as it is by the command that runs it."""
    root, ours, access = (logging.getLogger(name) for name in (None, "plugbay", "uvicorn.access"))
    before = (root.handlers[:], root.level, ours.level, access.disabled)
    written = io.StringIO()
    logs.configure("debug", written)
    yield written
    root.handlers[:], access.disabled = before[0], before[3]
    root.setLevel(before[1])
    ours.setLevel(before[2])


async def test_logs_have_no_secret(hosting, person, log):
    """No line of the log has a ticket, a state, a code, a verifier, a cookie, a secret or a token, also when it fails."""
    url = await hosting.consent_url()
    zendesk = await person.agree(url)
    flow = await hosting.server.flows.peek(query_of(zendesk)["state"])
    callback = await person.allow(zendesk)
    await person.open(callback)
    token = max(hosting.sandbox.account.tokens.values(), key=lambda each: each.id)
    failing = await person.callback_for(await hosting.consent_url())
    hosting.sandbox.fail(TOKENS, status=400, body={"error": query_of(failing)["code"]})
    await person.open(failing)
    secrets = {
        "ticket": query_of(url)["flow"],
        "state": query_of(callback)["state"],
        "code": query_of(callback)["code"],
        "failing state": query_of(failing)["state"],
        "failing code": query_of(failing)["code"],
        "verifier": flow.verifier.get_secret_value(),
        "cookie": next(iter(person.http.cookies.values())),
        "client secret": hosting.sandbox.client_secret,
        "access token": token.access,
        "refresh token": token.refresh,
    }

    assert [] == [name for name, secret in secrets.items() if secret in log.getvalue()]
    assert 2 == log.getvalue().count('"route":"/api/v1/integrations/connectors/oauth/callback"')
    assert 1 == len(await hosting.connectors())
