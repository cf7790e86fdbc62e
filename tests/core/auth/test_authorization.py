"""The authorization code grant: asking, reading the answer, redeeming the code; by itself, and with the sandbox."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import traceback
from contextlib import contextmanager
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugbay.auth import TokenAnswer, pkce
from plugbay.auth.authorization import CodeGrant, missing_scopes, new_state, read_callback
from plugbay.connectors.zendesk.authorization import ZendeskAuthorization
from plugbay.errors import (
    AuthenticationError,
    ConfigurationError,
    InvalidParameterError,
    NetworkError,
    PermissionDeniedError,
    PlugbayError,
    RateLimitedError,
    ResponseIntegrityError,
    ServiceError,
)
from plugbay.sandbox import Sandbox

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CALLBACK = "http://127.0.0.1:8765/callback"
SECRET, CODE = "client-s3cret", "c0de-of-the-person"
FORM = re.compile(r'name="consent" value="([^"]+)"')


def grant(**parts):
    known = {
        "authorization_url": "https://acme.example.com/oauth/authorizations/new",
        "token_path": "/oauth/tokens",
        "client_id": "app",
        "redirect_uri": CALLBACK,
        "scope": "read write",
    }
    return CodeGrant(**(known | parts))


class Answers:
    """A token endpoint that gives one answer; use it as the `Exchange`."""

    def __init__(self, status, body):
        self.answer = TokenAnswer(status, body)
        self.posted = []

    async def __call__(self, path, body):
        self.posted.append((path, dict(body)))
        return self.answer


def test_url_asks_for_everything():
    """The browser is sent away with all parameters of RFC 6749 4.1.1 and RFC 7636 4.3, encoded, and no secret."""
    url = grant(client_secret=SECRET).url("st&te", VERIFIER)

    assert "https://acme.example.com/oauth/authorizations/new" == url.partition("?")[0]
    assert dict(parse_qsl(urlsplit(url).query, strict_parsing=True)) == {
        "response_type": "code",
        "client_id": "app",
        "redirect_uri": CALLBACK,
        "scope": "read write",
        "state": "st&te",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }


def test_url_keeps_the_query_of_the_page():
    """A page that has a query already keeps it."""
    url = grant(authorization_url="https://acme.example.com/authorize?tenant=7").url("s", VERIFIER)

    assert ["7"] == parse_qs(urlsplit(url).query)["tenant"]


async def test_public_client_sends_no_secret():
    """A client without a secret redeems with its verifier alone."""
    exchange = Answers(201, {"access_token": "a1", "token_type": "bearer"})
    await grant().redeem(CODE, VERIFIER, exchange)

    assert [
        (
            "/oauth/tokens",
            {
                "grant_type": "authorization_code",
                "code": CODE,
                "redirect_uri": CALLBACK,
                "client_id": "app",
                "code_verifier": VERIFIER,
                "scope": "read write",
            },
        )
    ] == exchange.posted


async def test_tokens_have_their_end_and_scope():
    """The answer's lifetime becomes a moment, and its scope is kept."""
    answer = {
        "access_token": "a1",
        "refresh_token": "r1",
        "token_type": "Bearer",
        "expires_in": 1800,
        "scope": "write read",
    }
    tokens = await grant(clock=lambda: 1000.0).redeem(CODE, VERIFIER, Answers(201, answer))

    assert ("a1", "r1", 2800.0, "write read") == (
        tokens.access_token.get_secret_value(),
        tokens.refresh_token.get_secret_value(),
        tokens.expires_at,
        tokens.scope,
    )


async def test_silence_about_scope_means_what_was_asked():
    """An answer without a scope grants what was asked for (RFC 6749 section 5.1)."""
    tokens = await grant().redeem(CODE, VERIFIER, Answers(200, {"access_token": "a1"}))

    assert "read write" == tokens.scope


async def test_less_than_was_asked_is_an_error():
    """A narrower grant fails and names what is missing."""
    with pytest.raises(PermissionDeniedError) as caught:
        await grant().redeem(CODE, VERIFIER, Answers(200, {"access_token": "a1", "scope": "read"}))

    assert {"missing": ["write"]} == caught.value.details
    assert "a1" not in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "granted", "missing"),
    [
        ("read write", "write read", []),
        ("read write", "read write impersonate", []),
        ("read", '["read"]', ["read"]),
        ("b a", None, ["a", "b"]),
        (None, "read", []),
        ("Read", "read", ["Read"]),
    ],
)
def test_missing_scopes(asked, granted, missing):
    """Scopes are words, compared exactly and in any order."""
    assert missing == missing_scopes(asked, granted)


@pytest.mark.parametrize("error", ["invalid_grant", "invalid_client", "invalid_scope", "unauthorized_client"])
async def test_refusals_have_the_services_code(error):
    """The endpoint's error code is kept, and its other words, which may quote a secret, are not."""
    body = {"error": error, "error_description": f"{CODE} {SECRET} {VERIFIER}"}
    with pytest.raises(AuthenticationError) as caught:
        await grant(client_secret=SECRET).redeem(CODE, VERIFIER, Answers(400, body))

    assert {"status": 400, "error": error} == caught.value.details
    assert shows_no_secret(caught.value)


@pytest.mark.parametrize(
    "body", [None, [], "no", {}, {"error": {"message": CODE}}, {"error": f"{CODE} {SECRET}"}, {"error": "x" * 65}]
)
async def test_refusals_without_a_code(body):
    """What is no error code is not repeated; the status is told instead."""
    with pytest.raises(AuthenticationError) as caught:
        await grant(client_secret=SECRET).redeem(CODE, VERIFIER, Answers(401, body))

    assert {"status": 401, "error": None} == caught.value.details
    assert shows_no_secret(caught.value)


@pytest.mark.parametrize(
    "body",
    [None, [], {}, {"access_token": ""}, {"access_token": 7}, {"access_token": "a\r\nb"}]
    + [{"access_token": "a", "token_type": kind} for kind in ("mac", None, 1)],
)
async def test_answers_without_tokens(body):
    """A success without a usable bearer token is an error of its own."""
    with pytest.raises(ResponseIntegrityError):
        await grant().redeem(CODE, VERIFIER, Answers(201, body))


def shows_no_secret(error):
    text = f"{error} {error!r} {error.payload()} {''.join(traceback.format_exception(error))}"
    return not any(secret in text for secret in (CODE, SECRET, VERIFIER))


async def test_no_repr_shows_the_secret():
    """Neither a grant nor what is made of it shows the client's secret."""
    zendesk = ZendeskAuthorization("app", CALLBACK, client_secret=SECRET, subdomain="acme")

    assert SECRET not in f"{zendesk!r} {zendesk} {zendesk.grant!r}"


def test_code_of_an_answer():
    """A browser that comes back with its own state brings the code."""
    state = new_state()
    query = {"code": CODE, "state": state.get_secret_value()}

    assert CODE == read_callback(query, state=state).get_secret_value()


@pytest.mark.parametrize(
    "query",
    [
        {"code": CODE},
        {"code": CODE, "state": ""},
        {"code": CODE, "state": "other"},
        {"code": CODE, "state": "\udce4"},
        {"state": "mine"},
        {"state": "mine", "code": ""},
        {"state": "mine", "code": "a\nb"},
        {"state": "mine", "code": "ä"},
        {"state": "mine", "code": "x" * 4097},
        {"state": "mine", "code": CODE, "iss": "https://evil.example.com"},
        {"state": "mine", "code": CODE, "iss": ""},
        {"state": "other", "error": "access_denied"},
        {"state": "mine", "error": "access_denied", "iss": "https://evil.example.com"},
    ],
)
def test_answers_that_are_not_ours(query):
    """Another state, another issuer, or no code in the answer: refused, without a word of it."""
    with pytest.raises(InvalidParameterError) as caught:
        read_callback(query, state="mine", issuer="https://acme.example.com")

    assert CODE not in str(caught.value)


def test_issuer_is_compared_when_it_is_sent():
    """An answer with the right issuer is taken, as is one without any (RFC 9207 section 2.4)."""
    query = {"state": "mine", "code": CODE}
    issuer = "https://acme.example.com"

    assert [CODE, CODE] == [
        read_callback(given, state="mine", issuer=issuer).get_secret_value()
        for given in (query, query | {"iss": issuer})
    ]


@given(st.text(), st.text())
def test_denials_have_a_code_and_no_words_of_the_service(error, description):
    """Whatever a service says in its refusal, only a plain code of it comes through."""
    with pytest.raises(AuthenticationError) as caught:
        read_callback({"state": "s", "error": error, "error_description": description}, state="s")

    is_code = re.fullmatch("[A-Za-z_]{1,64}", error)
    assert {"error": error if is_code else None} == (caught.value.details or {"error": None})


def consented(url, decision="allow"):
    """What the browser is sent back with by the sandbox's page."""
    with httpx.Client() as browser:
        page = browser.get(url)
        assert 200 == page.status_code, page.text
        base = httpx.URL(url)
        form = {
            "consent": FORM.search(page.text)[1],
            "state": dict(base.params).get("state", ""),
            "decision": decision,
        }
        answer = browser.post(base.copy_with(path="/oauth/authorizations", query=None), data=form)
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(tickets=1, calls=1, plan=None) as sandbox:
        yield sandbox


@pytest.fixture(params=["confidential", "public"])
def zendesk(request, sandbox):
    public = request.param == "public"
    return ZendeskAuthorization(
        sandbox.public_client_id if public else sandbox.client_id,
        CALLBACK.replace("/callback", urlsplit(sandbox.redirect_uris[0]).path),
        client_secret=None if public else sandbox.client_secret,
        subdomain="acme",
        base_url=sandbox.base_url,
    )


async def test_person_lets_the_program_in(sandbox, zendesk):
    """Asking, consenting and redeeming give a pair that works, for confidential and for public clients."""
    state, verifier = new_state(), pkce.new_verifier()
    answer = await asyncio.to_thread(consented, zendesk.url(state, verifier))
    tokens = await zendesk.redeem(read_callback(answer, state=state, issuer=zendesk.issuer), verifier)

    given = next(
        token for token in sandbox.account.tokens.values() if token.access == tokens.access_token.get_secret_value()
    )
    assert ("read write", given.refresh) == (tokens.scope, tokens.refresh_token.get_secret_value())


async def test_code_works_once(zendesk):
    """A code that was redeemed is refused the next time."""
    state, verifier = new_state(), pkce.new_verifier()
    code = read_callback(await asyncio.to_thread(consented, zendesk.url(state, verifier)), state=state)
    await zendesk.redeem(code, verifier)
    with pytest.raises(AuthenticationError) as caught:
        await zendesk.redeem(code, verifier)

    assert "invalid_grant" == caught.value.details["error"]


async def test_tokens_can_be_given_back(sandbox, zendesk):
    """Tokens that are revoked are gone at the service, and the second time it does not know them."""
    state, verifier = new_state(), pkce.new_verifier()
    code = read_callback(await asyncio.to_thread(consented, zendesk.url(state, verifier)), state=state)
    before = set(sandbox.account.tokens)
    tokens = await zendesk.redeem(code, verifier)
    await zendesk.revoke(tokens)

    assert before == set(sandbox.account.tokens)
    with pytest.raises(AuthenticationError):
        await zendesk.revoke(tokens)


async def test_code_needs_its_verifier(zendesk):
    """A code that somebody else caught is worth nothing without the verifier."""
    state = new_state()
    code = read_callback(await asyncio.to_thread(consented, zendesk.url(state, pkce.new_verifier())), state=state)
    with pytest.raises(AuthenticationError) as caught:
        await zendesk.redeem(code, pkce.new_verifier())

    assert "invalid_grant" == caught.value.details["error"]


async def test_person_says_no(zendesk):
    """A refused consent is an error that says so."""
    state = new_state()
    answer = await asyncio.to_thread(consented, zendesk.url(state, pkce.new_verifier()), "deny")
    with pytest.raises(AuthenticationError) as caught:
        read_callback(answer, state=state)

    assert {"error": "access_denied"} == caught.value.details


@contextmanager
def raw_server(*answers):
    """A server that gives these bytes, one per connection, and keeps what it was sent."""
    seen = []
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)

    def serve():
        for answer in answers:
            connection, _ = listener.accept()
            with connection:
                seen.append(connection.recv(65_536))
                if answer:
                    connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
    finally:
        listener.close()
        thread.join()


def http(status, body=b"", *headers):
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


HOSTILE = [
    (http("500 Oops", CODE.encode()), ServiceError),
    (http("503 Busy", b"", "retry-after: 0"), ServiceError),
    (http("429 Slow", b"", "retry-after: 0"), RateLimitedError),
    (http("307 Away", b"", "location: https://evil.example.com/oauth/tokens"), ResponseIntegrityError),
    (http("302 Away", b"", "location: /elsewhere"), ResponseIntegrityError),
    (http("201 Created", b"<html>"), ResponseIntegrityError),
    (http("201 Created", b'{"access_token": "a'), ResponseIntegrityError),
    (b"garbage\r\n\r\n", PlugbayError),
    (b"", NetworkError),
]


@pytest.mark.parametrize(("answer", "kind"), HOSTILE, ids=[str(answer[:20]) for answer, _ in HOSTILE])
async def test_code_is_sent_once_whatever_comes(answer, kind):
    """Failures, redirects and garbage are named errors without secrets, and the code is never sent again."""
    with raw_server(answer) as (base_url, seen):
        zendesk = ZendeskAuthorization("app", CALLBACK, client_secret=SECRET, base_url=base_url)
        with pytest.raises(kind) as caught:
            await zendesk.redeem(CODE, VERIFIER)

    assert 1 == len(seen)
    assert shows_no_secret(caught.value)


@pytest.mark.parametrize("subdomain", ["evil.com/", "evil.com#", "a.b", "user@evil.com", "", "acme\n"])
def test_codes_go_to_zendesk_alone(subdomain):
    """What is no subdomain never becomes a host that is sent a code."""
    with pytest.raises(ConfigurationError):
        ZendeskAuthorization("app", CALLBACK, subdomain=subdomain)


def test_zendesks_addresses():
    """People are asked at their account's own host, for the scopes that the connectors need."""
    url = ZendeskAuthorization("app", CALLBACK, subdomain="acme").url("s", VERIFIER)

    assert ("https://acme.zendesk.com/oauth/authorizations/new", ["read write"]) == (
        url.partition("?")[0],
        parse_qs(urlsplit(url).query)["scope"],
    )
