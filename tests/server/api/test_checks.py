"""Checks of credentials, kept or not."""

from __future__ import annotations

from .conftest import CONNECTORS


def body_of(**credentials):
    """A request to check credentials."""
    return {"connector_type": "zendesk-support", "credentials": credentials}


async def test_good_credentials_succeed_and_nothing_is_kept(api):
    """A check of new credentials says whose they are, and leaves nothing."""
    answer = await api.ok("POST", f"{CONNECTORS}/check", body_of(access_token=api.running.sandbox.access_token))
    assert ("succeeded", None) == (answer["status"], answer["id"])
    assert api.running.sandbox.email == answer["identity"]["user"]["email"]
    assert [] == (await api.ok("GET", "/api/v1/workspaces"))["data"]


async def test_bad_credentials_fail_with_the_reason(api):
    """Refused credentials are a check that failed, with a word and a sentence."""
    answer = await api.ok("POST", f"{CONNECTORS}/check", body_of(access_token="wrong"))
    assert ("failed", "authentication", None) == (answer["status"], answer["failure_reason"], answer["identity"])
    assert answer["error_message"]


async def test_an_api_token_for_nobody_fails(api):
    """Zendesk's "Anonymous user" with status 200 is not taken for a success."""
    answer = await api.ok("POST", f"{CONNECTORS}/check", body_of(email="nobody@acme.example", api_token="wrong"))
    assert "failed" == answer["status"]


async def test_a_check_does_not_spend_a_refresh_token(api):
    """An expired pair fails the check, and its refresh token is as good as before."""
    sandbox = api.running.sandbox
    pair = {"access_token": sandbox.token(expires_in=-5), "refresh_token": sandbox.refresh_token}
    client = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    assert "failed" == (await api.ok("POST", f"{CONNECTORS}/check", body_of(**pair, **client)))["status"]
    assert [] == [request for request in sandbox.requests if request.path == "/oauth/tokens"]


async def test_a_refresh_token_alone_is_not_spent_for_a_check(api):
    """Of credentials without an access token a check fails with the reason, and asks Zendesk nothing."""
    sandbox = api.running.sandbox
    client = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    answer = await api.ok("POST", f"{CONNECTORS}/check", body_of(refresh_token=sandbox.refresh_token, **client))
    assert ("failed", "authentication") == (answer["status"], answer["failure_reason"])
    assert "access_token" in answer["error_message"]
    assert [] == sandbox.requests


async def test_a_connectors_check_is_kept_as_its_status(api, connector_id):
    """A check that fails makes the connector need a new consent; one that succeeds makes it active."""
    path = f"{CONNECTORS}/{connector_id}/check"
    first = await api.ok("POST", path)
    assert ("succeeded", connector_id) == (first["status"], first["id"])
    fault = api.running.sandbox.fail("/api/v2/users/me*", times=None, status=401)
    assert "failed" == (await api.ok("POST", path))["status"]
    assert "needs_reauth" == (await api.ok("GET", f"{CONNECTORS}/{connector_id}"))["status"]
    fault.stop()
    await api.ok("POST", path)
    assert "active" == (await api.ok("GET", f"{CONNECTORS}/{connector_id}"))["status"]


async def test_a_check_that_tells_nothing_changes_nothing(api, connector_id):
    """If Zendesk is down the check is inconclusive, and the connector stays active."""
    api.running.sandbox.fail("/api/v2/users/me*", times=None, status=503)
    answer = await api.ok("POST", f"{CONNECTORS}/{connector_id}/check")
    assert ("inconclusive", "service_error") == (answer["status"], answer["failure_reason"])
    assert "active" == (await api.ok("GET", f"{CONNECTORS}/{connector_id}"))["status"]
