"""Expired tokens are renewed once for everybody, and nothing is replayed more than once."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback

import httpx
import pytest

from plugbay.auth import MemoryTokenStore, OAuth2
from plugbay.errors import (
    AuthenticationError,
    DeadlineExceededError,
    NetworkError,
    PlugbayError,
    RateLimitedError,
    ResponseIntegrityError,
    ServiceError,
)
from plugbay.transport import Request, RetryPolicy

GET = Request("GET", "/a", repeatable=True)
POST = Request("POST", "/a", json={"x": 1})


class Service:
    """An API behind rotating tokens: only the newest pair is good."""

    def __init__(self, *, forgetful=False):
        self.generation = 1
        self.exchanges = []
        self.calls = 0
        self.forgetful = forgetful  # gives tokens and does not accept them

    async def __call__(self, request):
        await asyncio.sleep(0)
        if request.url.path == "/oauth/tokens":
            return self.exchange(json.loads(request.content))
        self.calls += 1
        good = request.headers["authorization"] == f"Bearer a{self.generation}" and not self.forgetful
        return httpx.Response(200, json={}) if good else httpx.Response(401)

    def exchange(self, body):
        self.exchanges.append(body)
        if body["grant_type"] == "refresh_token" and body["refresh_token"] != f"r{self.generation}":
            return httpx.Response(400, json={"error": "invalid_grant"})
        self.generation += 1
        pair = {"access_token": f"a{self.generation}", "refresh_token": f"r{self.generation}", "token_type": "bearer"}
        return httpx.Response(201, json=pair)


def oauth(**parts):
    return OAuth2(**({"access_token": "a0", "refresh_token": "r1", "client_id": "c", "client_secret": "s"} | parts))


async def test_expired_token_is_renewed(transport):
    """A 401 costs one exchange and one replay, and the caller sees neither."""
    service = Service()
    assert (await transport(service, credentials=oauth()).send(POST)).attempts == 2
    assert service.exchanges == [
        {"grant_type": "refresh_token", "refresh_token": "r1", "client_id": "c", "client_secret": "s"}
    ]


async def test_twenty_expired_calls_are_one_exchange(transport):
    """Twenty calls that meet an expired token at once make one exchange and twenty successes."""
    service = Service()
    client = transport(service, credentials=oauth())
    answers = await asyncio.gather(*[client.send(GET) for _ in range(20)])
    assert [answer.status for answer in answers] == [200] * 20
    assert len(service.exchanges) == 1


async def test_second_401_is_final(transport):
    """When the service refuses the new token, too, the call fails at once."""
    service = Service(forgetful=True)
    with pytest.raises(AuthenticationError):
        await transport(service, credentials=oauth()).send(GET)
    assert (service.calls, len(service.exchanges)) == (2, 1)


async def test_spent_refresh_token(transport):
    """A refresh token that is no longer good is an authentication error that says to authorize again."""
    with pytest.raises(AuthenticationError) as caught:
        await transport(Service(), credentials=oauth(refresh_token="r0")).send(GET)
    assert "authorize again" in caught.value.hint
    assert caught.value.details == {"status": 400, "error": "invalid_grant"}


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"client_id": None, "client_secret": None}, "client_id"),
        ({"refresh_token": None, "client_id": None}, "refresh_token"),
    ],
)
async def test_401_says_what_is_missing_to_renew(transport, parts, told):
    """A token that cannot be renewed stays an authentication error, whose hint says what to add."""
    service = Service()
    with pytest.raises(AuthenticationError) as caught:
        await transport(service, credentials=oauth(**parts)).send(GET)
    assert told in caught.value.hint
    assert (service.calls, service.exchanges) == (1, [])


async def test_public_client_sends_no_secret(transport):
    """A client without a secret refreshes without one."""
    service = Service()
    await transport(service, credentials=oauth(client_secret=None)).send(GET)
    assert service.exchanges == [{"grant_type": "refresh_token", "refresh_token": "r1", "client_id": "c"}]


async def test_client_credentials(transport):
    """With an id and a secret alone, a token is fetched before the first call."""
    service = Service()
    credentials = OAuth2(client_id="c", client_secret="s", scope="read write")
    assert (await transport(service, credentials=credentials).send(GET)).attempts == 1
    assert service.exchanges[0]["grant_type"] == "client_credentials"
    assert service.exchanges[0]["scope"] == "read write"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_token_endpoint_redirect_is_an_error(transport, status):
    """A redirect of the token endpoint is an error, and the secret is not posted again."""
    hosts = []

    def handler(request):
        hosts.append(request.url.host)
        if request.method == "POST":
            return httpx.Response(status, headers={"location": "https://evil.test/oauth/tokens"})
        return httpx.Response(401)

    with pytest.raises(ResponseIntegrityError) as caught:
        await transport(handler, credentials=oauth()).send(GET)
    assert hosts == ["acme.example.com"] * 2
    assert caught.value.details == {"status": status, "host": "evil.test", "step": "token"}


async def test_exchange_of_unknown_fate_is_not_repeated(transport):
    """An exchange whose answer is lost is not posted again: the refresh token may be spent."""
    posts = []

    def handler(request):
        if request.method == "GET":
            return httpx.Response(401)
        posts.append(request)
        raise httpx.ReadTimeout("lost")

    with pytest.raises(NetworkError) as caught:
        await transport(handler, credentials=oauth()).send(GET)
    assert len(posts) == 1
    assert caught.value.details["step"] == "token"
    assert "fate" not in caught.value.details


async def test_throttled_exchange_says_how_long(transport):
    """A throttled token endpoint gives a rate limit error with the wait."""

    def handler(request):
        return httpx.Response(401) if request.method == "GET" else httpx.Response(429, headers={"retry-after": "90"})

    with pytest.raises(RateLimitedError) as caught:
        await transport(handler, credentials=oauth()).send(GET)
    assert caught.value.retry_after == 90


async def test_cancelled_caller_does_not_lose_the_pair(transport):
    """The pair that a cancelled call's exchange brings is saved and used all the same."""
    service, under_way, go_on = Service(), asyncio.Event(), asyncio.Event()

    async def handler(request):
        if request.method == "POST":
            under_way.set()
            await go_on.wait()
        return await service(request)

    store = MemoryTokenStore()
    client = transport(handler, credentials=oauth(token_store=store))
    call = asyncio.create_task(client.send(GET))
    await under_way.wait()
    call.cancel()
    await asyncio.wait([call])
    go_on.set()
    assert (await client.send(GET)).status == 200
    assert len(service.exchanges) == 1
    assert (await store.load()).refresh_token.get_secret_value() == "r2"


@pytest.mark.parametrize("body", [b"", b"<html>", b"null", b"{}", b'{"access_token": 5}', b'{"access_token": "a\\nb"}'])
async def test_token_answer_without_a_token(transport, body):
    """A success without a usable token is an integrity error."""

    def handler(request):
        return httpx.Response(401) if request.method == "GET" else httpx.Response(200, content=body)

    with pytest.raises(ResponseIntegrityError):
        await transport(handler, credentials=oauth()).send(GET)


async def test_token_answer_is_never_shown(transport):
    """A success that is not JSON is not quoted in the error, as there may be a token in it."""

    def handler(request):
        return httpx.Response(401) if request.method == "GET" else httpx.Response(200, text="access_token=a-secret")

    with pytest.raises(ResponseIntegrityError) as caught:
        await transport(handler, credentials=oauth()).send(GET)
    assert "a-secret" not in str(caught.value.payload())


@pytest.mark.parametrize("status", [307, 400, 429, 500])
async def test_failed_renewal_shows_no_secret(transport, caplog, status):
    """Neither the log nor the locals in a traceback show a token or the client's secret."""
    caplog.set_level(logging.DEBUG)

    def handler(request):
        return httpx.Response(401 if request.method == "GET" else status, json={"echo": request.content.decode()})

    secrets = {"access_token": "a-secret", "refresh_token": "r-secret", "client_secret": "c-secret"}
    with pytest.raises(PlugbayError) as caught:
        await transport(handler, credentials=oauth(**secrets)).send(GET)
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
    shown = [caplog.text, str(caught.value), *(str(frame.locals) for frame in frames if "plugbay" in frame.filename)]
    assert len(shown) > 4
    assert not any(secret in part for secret in secrets.values() for part in shown)


@pytest.mark.parametrize(
    ("body", "tries"),
    [
        ({"client_id": "a", "client_secret": "b"}, 3),
        ({"grant_type": "client_credentials", "client_id": "a", "client_secret": "b", "scope": "read"}, 3),
        ({"grant_type": "refresh_token", "client_id": "a", "refresh_token": "r"}, 1),
        ({"grant_type": "authorization_code", "client_id": "a", "code": "c"}, 1),
    ],
)
async def test_what_works_once_is_posted_once(transport, script, body, tries):
    """A client's id and secret may be posted again after a failure; a refresh token or a code may have been used up."""

    class Asking:
        async def headers(self, exchange):
            await exchange("/token", body)

        async def renew(self, failed, exchange):
            raise AssertionError

    answers = script(httpx.Response(503))
    with pytest.raises(ServiceError):
        await transport(answers, credentials=Asking()).send(Request("GET", "/x", repeatable=True))
    assert tries == len(answers.requests)


async def test_signing_in(transport, script):
    """Credentials can be had before anything is sent, within the time of the call that they are for."""

    class Slow:
        def __init__(self, answers):
            self.answers = answers

        async def headers(self, exchange):
            self.answers.append((await exchange("/token", {})).status)
            return {"authorization": "x"}

        async def renew(self, failed, exchange):
            raise AssertionError

    got = []
    way = transport(script(httpx.Response(200, json={})), credentials=Slow(got))
    await way.sign_in(way.deadline())
    assert [200] == got


async def test_signing_in_ends_with_the_call(transport):
    """Work that never ends is part of a call that does."""
    way = transport(lambda request: httpx.Response(200), timeout=0.01, retry=RetryPolicy())
    with pytest.raises(DeadlineExceededError):
        await way.within(way.deadline(), asyncio.Event().wait)
