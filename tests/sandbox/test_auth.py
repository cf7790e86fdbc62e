from __future__ import annotations

import httpx
import pytest

LIST = "/api/v2/tickets"


def ask(sandbox, header, path=LIST):
    return httpx.get(sandbox.base_url + path, headers={"authorization": header} if header else {})


def test_api_token(sandbox, basic_header):
    """Basic authentication with email/token and the API token acts as the user of that address."""
    answer = ask(sandbox, basic_header(f"{sandbox.email}/token", sandbox.api_token), "/api/v2/users/me")

    assert answer.json()["user"]["email"] == sandbox.email
    agent = sandbox.user("agent")["email"]
    answer = ask(sandbox, basic_header(f"{agent.upper()}/token", sandbox.api_token), "/api/v2/users/me")
    assert answer.json()["user"]["email"] == agent


@pytest.mark.parametrize("path", [LIST, "/api/v2/users/me"])
def test_wrong_api_token(sandbox, basic_header, path):
    """A wrong API token is 401 everywhere, users/me included."""
    answer = ask(sandbox, basic_header(f"{sandbox.email}/token", "wrong"), path)

    assert (answer.status_code, answer.json()) == (401, {"error": "Couldn't authenticate you"})


@pytest.mark.parametrize("header", [None, "Basic cm9iaW46cHc=", "Basic !!!", "Basic", "Digest x", ""])
def test_anonymous(sandbox, header):
    """Nobody, and anybody with a password, is refused on a list but called "Anonymous user" by users/me."""
    assert ask(sandbox, header).json() == {"error": "Couldn't authenticate you"}
    me = ask(sandbox, header, "/api/v2/users/me.json")

    assert me.status_code == 200
    assert (me.json()["user"]["id"], me.json()["user"]["name"]) == (None, "Anonymous user")


@pytest.mark.parametrize("path", [LIST, "/api/v2/users/me"])
def test_wrong_bearer_token(sandbox, path):
    """An unknown bearer token is 401 invalid_token with a description."""
    answer = ask(sandbox, "Bearer wrong", path)

    assert answer.status_code == 401
    assert answer.json() == {
        "error": "invalid_token",
        "error_description": ("The access token provided is expired, revoked, malformed or invalid for other reasons."),
    }


def test_token_expires(sandbox):
    """A token with a lifetime works until the clock passes it."""
    token = sandbox.token(expires_in=600)
    assert ask(sandbox, f"bearer {token}").status_code == 200
    sandbox.clock.advance(seconds=601)

    assert ask(sandbox, f"Bearer {token}").json()["error"] == "invalid_token"


@pytest.mark.parametrize(
    ("scope", "method", "path", "missing"),
    [
        ("read", "GET", LIST, None),
        ("read", "PUT", f"{LIST}/1", "write"),
        ("write", "GET", LIST, "read"),
        ("tickets:read", "GET", LIST, None),
        ("tickets:read", "GET", "/api/v2/users", "read"),
        ("tickets:read", "GET", "/api/v2/search?query=x", "read"),
        ("tickets:write", "DELETE", f"{LIST}/999999", None),
        ("users:read organizations:read", "GET", "/api/v2/organizations", None),
        ('["read"]', "GET", LIST, "read"),
        ("raed", "GET", "/api/v2/users/me", "read"),
        ("raed", "GET", "/oauth/tokens/current", None),
    ],
)
def test_scopes(api, scope, method, path, missing):
    """A token reaches what its scopes say, and the refusal names the broad scope that is missing."""
    answer = api.send(method, path, token=api.sandbox.token(scope), json={"ticket": {}} if method == "PUT" else None)

    if missing is None:
        assert answer.status_code in (200, 404)
    else:
        assert answer.status_code == 403
        text = f"You are missing the following required scopes: {missing}"
        assert answer.json() == {"error": "Forbidden", "description": text}


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        ("agent", LIST, 200),
        ("light-agent", LIST, 200),
        ("end-user", LIST, 403),
        ("end-user", "/api/v2/users/me", 200),
        ("agent", "/api/v2/incremental/tickets/cursor?start_time=0", 403),
        ("admin", "/api/v2/incremental/tickets/cursor?start_time=0", 200),
        ("agent", "/api/v2/channels/voice/stats/incremental/calls?start_time=0", 403),
        ("agent", "/api/v2/channels/voice/stats/agents_activity", 200),
    ],
)
def test_roles(api, role, path, status):
    """End users reach themselves, agents the help desk, administrators the exports; the rest is 403."""
    answer = api.get(path, token=api.sandbox.token(role=role))

    assert answer.status_code == status
    if status == 403:
        assert answer.json()["error"]["title"] == "Forbidden"


def test_suspended_user(api):
    """The token of a suspended user stops working."""
    user = api.post("/api/v2/users", {"user": {"name": "Gone Soon", "email": "gone@example.com"}}).json()["user"]
    token = api.sandbox.token(user_id=user["id"])
    assert api.get("/api/v2/users/me", token=token).status_code == 200
    api.put(f"/api/v2/users/{user['id']}", {"user": {"suspended": True}})

    assert api.get("/api/v2/users/me", token=token).status_code == 401
