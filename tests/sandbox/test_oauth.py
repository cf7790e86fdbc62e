from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

BACK = "http://127.0.0.1:53682/callback"
VERIFIER = "a-verifier-of-more-than-forty-three-characters-long"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


def page(sandbox, **changes):
    """Ask for the consent page of the confidential client."""
    params = {
        "response_type": "code",
        "client_id": sandbox.client_id,
        "redirect_uri": BACK,
        "scope": "read write",
        "state": "a&b=c",
    } | changes
    params = {name: value for name, value in params.items() if value is not None}
    return httpx.get(f"{sandbox.base_url}/oauth/authorizations/new", params=params)


def press(sandbox, shown, decision="allow"):
    """Press a button of the page, and give the query of the address it leads to."""
    fields = {
        name: value for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', shown.text) if name != "decision"
    }
    fields["state"] = fields["state"].replace("&amp;", "&")
    answer = httpx.post(f"{sandbox.base_url}/oauth/authorizations", data=fields | {"decision": decision})
    return landed(answer)


def landed(answer):
    assert answer.status_code == 302
    target = urlsplit(answer.headers["location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == BACK
    return {name: values[0] for name, values in parse_qs(target.query).items()}


def code(sandbox, **changes):
    return press(sandbox, page(sandbox, **changes))["code"]


def ask(sandbox, as_form=False, **body):
    body = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret} | body
    body = {name: value for name, value in body.items() if value is not None}
    return httpx.post(f"{sandbox.base_url}/oauth/tokens", **({"data": body} if as_form else {"json": body}))


def exchange(sandbox, value, **body):
    return ask(sandbox, **({"grant_type": "authorization_code", "code": value, "redirect_uri": BACK} | body))


def works(sandbox, token):
    answer = httpx.get(f"{sandbox.base_url}/api/v2/tickets/1", headers={"authorization": f"Bearer {token}"})
    return answer.status_code == 200


def error_of(answer):
    assert answer.status_code in (400, 401)
    assert answer.json()["error_description"]
    return answer.json()["error"]


@pytest.mark.parametrize("as_form", [True, False])
def test_code_flow(sandbox, as_form):
    """Allow leads back with a code and the state, and the code is good for a working token with the asked scope."""
    back = press(sandbox, page(sandbox))
    assert back["state"] == "a&b=c"
    answer = exchange(sandbox, back["code"], as_form=as_form)

    assert answer.status_code == 201
    token = answer.json()
    assert set(token) == {
        "access_token", "refresh_token", "token_type", "scope", "expires_in", "refresh_token_expires_in",
    }  # fmt: skip
    assert (token["token_type"], token["scope"]) == ("bearer", "read write")
    assert (token["expires_in"], token["refresh_token_expires_in"]) == (1800, 2_592_000)
    assert answer.headers["cache-control"] == "no-store"
    assert works(sandbox, token["access_token"])


def test_deny(sandbox):
    """Deny leads back with access_denied and the state."""
    back = press(sandbox, page(sandbox), "deny")

    assert (back["error"], back["state"]) == ("access_denied", "a&b=c")
    assert "code" not in back


def test_code_works_once(sandbox):
    """A code is worth nothing the second time."""
    value = code(sandbox)
    assert exchange(sandbox, value).status_code == 201

    assert error_of(exchange(sandbox, value)) == "invalid_grant"


def test_code_lives_two_minutes(sandbox):
    """A code dies after 120 seconds, and not before."""
    early, late = code(sandbox), code(sandbox)
    sandbox.clock.advance(seconds=115)
    assert exchange(sandbox, early).status_code == 201
    sandbox.clock.advance(seconds=6)

    assert error_of(exchange(sandbox, late)) == "invalid_grant"


def test_redirect_must_match(sandbox):
    """The exchange must name the redirect address of the authorization."""
    assert error_of(exchange(sandbox, code(sandbox), redirect_uri="http://127.0.0.1/callback")) == "invalid_grant"


def test_client_must_match(sandbox):
    """A code of one client is worth nothing to another."""
    sandbox.add_client("another", secret="s3cret")
    answer = exchange(sandbox, code(sandbox), client_id="another", client_secret="s3cret")

    assert error_of(answer) == "invalid_grant"


def test_consent_page_is_used_up(sandbox):
    """A consent page cannot be sent in twice."""
    shown = page(sandbox)
    press(sandbox, shown)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', shown.text))

    assert httpx.post(f"{sandbox.base_url}/oauth/authorizations", data=fields).status_code == 400


@pytest.mark.parametrize(
    ("redirect_uri", "fine"),
    [
        ("http://127.0.0.1/callback", True),
        ("http://127.0.0.1:1/callback", True),
        ("http://localhost:9/callback", True),
        ("https://app.larkspur.example/oauth/callback", True),
        ("https://app.larkspur.example:444/oauth/callback", False),
        ("https://app.larkspur.example/oauth/callback/", False),
        ("http://127.0.0.1/other", False),
        ("http://127.0.0.1/callback?x=1", False),
        ("http://user@127.0.0.1/callback", False),
        ("https://127.0.0.1/callback", False),
        ("http://127.0.0.1.evil.example/callback", False),
        ("http://[", False),
        ("urn:ietf:wg:oauth:2.0:oob", False),
        ("", False),
    ],
)
def test_redirect_addresses(sandbox, redirect_uri, fine):
    """An address must be registered exactly, but for the port of a loopback one; otherwise nobody is redirected."""
    answer = page(sandbox, redirect_uri=redirect_uri)

    assert answer.status_code == (200 if fine else 400)
    assert "location" not in answer.headers


def test_unknown_client(sandbox):
    """An unknown client is told on a page."""
    assert page(sandbox, client_id="nobody").status_code == 400


def test_response_type(sandbox):
    """Only the code flow exists."""
    assert landed(page(sandbox, response_type="token"))["error"] == "unsupported_response_type"


def test_scope_outside_the_clients_list(sandbox):
    """A known scope that the client may not have is invalid_scope, at either endpoint."""
    sandbox.add_client("reader", secret="s", scopes=("read",))
    assert landed(page(sandbox, client_id="reader", scope="read write"))["error"] == "invalid_scope"
    answer = ask(sandbox, grant_type="client_credentials", client_id="reader", client_secret="s", scope="write")

    assert (answer.status_code, error_of(answer)) == (400, "invalid_scope")


@pytest.mark.parametrize("scope", ["raed", ["read", "write"], "read,write"])
def test_misspelt_scope_gives_a_useless_token(sandbox, scope):
    """A scope that is no scope is granted, and then reaches nothing."""
    answer = ask(sandbox, grant_type="client_credentials", scope=scope)

    assert answer.status_code == 201
    assert not works(sandbox, answer.json()["access_token"])


def test_public_client_with_pkce(sandbox):
    """A public client gets a token without a secret, by the verifier of its challenge, and can refresh without one."""
    public = {"client_id": sandbox.public_client_id, "client_secret": None}
    value = code(sandbox, client_id=sandbox.public_client_id, code_challenge=CHALLENGE, code_challenge_method="S256")
    first = exchange(sandbox, value, code_verifier=VERIFIER, **public).json()
    assert works(sandbox, first["access_token"])
    second = ask(sandbox, grant_type="refresh_token", refresh_token=first["refresh_token"], **public).json()

    assert works(sandbox, second["access_token"])


@pytest.mark.parametrize(
    ("challenge", "method", "verifier", "fine"),
    [
        (CHALLENGE, "S256", VERIFIER, True),
        (VERIFIER, "plain", VERIFIER, True),
        (VERIFIER, None, VERIFIER, True),
        (CHALLENGE, "S256", "wrong", False),
        (CHALLENGE, "S256", None, False),
        (CHALLENGE, "plain", VERIFIER, False),
        (None, None, VERIFIER, False),
    ],
)
def test_pkce(sandbox, challenge, method, verifier, fine):
    """The verifier must fit the challenge by its method; one without the other is refused."""
    value = code(sandbox, code_challenge=challenge, code_challenge_method=method)
    answer = exchange(sandbox, value, code_verifier=verifier)

    assert answer.status_code == (201 if fine else 400)


def test_public_client_needs_a_challenge(sandbox):
    """Without a challenge, or with an unknown method, a public client is sent back with invalid_request."""
    public = sandbox.public_client_id
    assert landed(page(sandbox, client_id=public))["error"] == "invalid_request"
    strange = page(sandbox, client_id=public, code_challenge="x", code_challenge_method="S512")

    assert landed(strange)["error"] == "invalid_request"


def test_refresh_rotates(sandbox):
    """A refresh kills the access token and the refresh token it replaces, and a replay leaves the new pair alive."""
    first = exchange(sandbox, code(sandbox)).json()
    second = ask(sandbox, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    assert not works(sandbox, first["access_token"])
    assert works(sandbox, second["access_token"])
    replay = ask(sandbox, grant_type="refresh_token", refresh_token=first["refresh_token"])

    assert error_of(replay) == "invalid_grant"
    assert works(sandbox, second["access_token"])


def test_refresh_token_expires(sandbox):
    """A refresh token dies at the end of its lifetime; the access token long before."""
    token = exchange(sandbox, code(sandbox), refresh_token_expires_in=604_800).json()
    sandbox.clock.advance(seconds=1801)
    assert not works(sandbox, token["access_token"])
    sandbox.clock.advance(seconds=604_800)

    assert error_of(ask(sandbox, grant_type="refresh_token", refresh_token=token["refresh_token"])) == "invalid_grant"


def test_refresh_cannot_widen(sandbox):
    """A refresh may ask for less than it has, not for more."""
    token = exchange(sandbox, code(sandbox, scope="read")).json()
    wider = ask(sandbox, grant_type="refresh_token", refresh_token=token["refresh_token"], scope="read write")

    assert error_of(wider) == "invalid_scope"


def test_the_sandboxs_own_refresh_token(sandbox):
    """The refresh token a sandbox hands out works, and does not touch its access token."""
    answer = ask(sandbox, grant_type="refresh_token", refresh_token=sandbox.refresh_token)

    assert answer.status_code == 201
    assert works(sandbox, sandbox.access_token)


def test_client_credentials(sandbox):
    """Client credentials give an access token without a refresh token; a public client gets none."""
    answer = ask(sandbox, grant_type="client_credentials", scope="read").json()
    assert "refresh_token" not in answer
    assert works(sandbox, answer["access_token"])
    public = ask(sandbox, grant_type="client_credentials", client_id=sandbox.public_client_id, client_secret=None)

    assert error_of(public) == "unauthorized_client"


@pytest.mark.parametrize("lifetime", [300, 3600, 172_800, "600"])
def test_lifetime(sandbox, lifetime):
    """A token lives as long as asked for, within the bounds."""
    answer = ask(sandbox, grant_type="client_credentials", expires_in=lifetime).json()

    assert answer["expires_in"] == int(lifetime)


@pytest.mark.parametrize(
    "asked",
    [
        {"expires_in": 299},
        {"expires_in": 172_801},
        {"expires_in": "soon"},
        {"expires_in": True},
        {"refresh_token_expires_in": 604_799},
        {"refresh_token_expires_in": 7_776_001},
    ],
)
def test_lifetime_out_of_bounds(sandbox, asked):
    """A lifetime outside the bounds is invalid_request."""
    assert error_of(ask(sandbox, grant_type="client_credentials", **asked)) == "invalid_request"


@pytest.mark.parametrize("client", [{"client_secret": "wrong"}, {"client_secret": None}, {"client_id": "x"}])
def test_client_authentication(sandbox, client):
    """A wrong or missing secret is 401 invalid_client."""
    answer = ask(sandbox, grant_type="client_credentials", **client)

    assert (answer.status_code, error_of(answer)) == (401, "invalid_client")


def test_grant_types(sandbox):
    """Any other grant type, the retired password grant among them, is unsupported."""
    for kind in ("password", None, ["x"]):
        assert error_of(ask(sandbox, grant_type=kind)) == "unsupported_grant_type"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b"\xff"])
def test_malformed_body(sandbox, body):
    """A body that is no object is invalid_request."""
    assert error_of(httpx.post(f"{sandbox.base_url}/oauth/tokens", content=body)) == "invalid_request"


@pytest.mark.parametrize("root", ["/oauth", "/api/v2/oauth"])
def test_current_token(sandbox, root):
    """A token can look at itself, without its full value, and end itself."""
    token = sandbox.token("read write")
    headers = {"authorization": f"Bearer {token}"}
    shown = httpx.get(f"{sandbox.base_url}{root}/tokens/current", headers=headers).json()["token"]
    assert shown["scopes"] == ["read", "write"]
    assert token.startswith(shown["token"])
    assert len(shown["token"]) < len(token)
    assert httpx.delete(f"{sandbox.base_url}{root}/tokens/current", headers=headers).status_code == 204

    assert not works(sandbox, token)


def test_revoke_by_id(api, sandbox):
    """An administrator can end any token by its id; an agent only their own."""
    token = sandbox.token()
    number = api.get("/api/v2/oauth/tokens/current", token=token).json()["token"]["id"]
    assert api.delete(f"/api/v2/oauth/tokens/{number}", token=sandbox.token(role="agent")).status_code == 403
    assert api.delete(f"/api/v2/oauth/tokens/{number}").status_code == 204
    assert api.delete(f"/api/v2/oauth/tokens/{number}").status_code == 404

    assert not works(sandbox, token)


def test_no_current_token_for_basic(sandbox, basic_header):
    """Basic authentication has no current token."""
    headers = {"authorization": basic_header(f"{sandbox.email}/token", sandbox.api_token)}

    assert httpx.get(f"{sandbox.base_url}/api/v2/oauth/tokens/current", headers=headers).status_code == 404


class Outline(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def test_page_is_accessible_and_safe(sandbox):
    """The page has a language, a title, a heading and real buttons, and shows the client's words as text."""
    sandbox.add_client("<b>evil</b>", secret="s")
    shown = page(sandbox, client_id="<b>evil</b>", scope='"><script>', state='"><script>')
    outline = Outline()
    outline.feed(shown.text)
    names = [tag for tag, _ in outline.tags]

    assert ("html", {"lang": "en"}) in outline.tags
    assert {"title", "h1", "main", "form"} <= set(names)
    assert [attrs["value"] for tag, attrs in outline.tags if tag == "button"] == ["allow", "deny"]
    assert "script" not in names
    assert "b" not in names
