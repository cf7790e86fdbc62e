"""Credentials show nothing, are checked when they are given, and do not travel."""

from __future__ import annotations

import base64
import copy
import pickle
import traceback

import pytest
from pydantic import SecretStr

from plugbay.auth import BasicToken, MemoryTokenStore, OAuth2, TokenAnswer, Tokens
from plugbay.errors import AuthenticationError, ConfigurationError, ResponseIntegrityError

SECRETS = ("a-secret", "r-secret", "c-secret", "p-secret", "cC1zZWNyZXQ")
ALL = [
    BasicToken("me@example.com/token", SecretStr("p-secret")),
    OAuth2(access_token=SecretStr("a-secret"), refresh_token="r-secret", client_id="c", client_secret="c-secret"),
]


async def test_basic_header(endpoint):
    """User and password are sent as RFC 7617 says, and are never renewed."""
    headers = await ALL[0].headers(endpoint)
    assert headers == {"authorization": "Basic " + base64.b64encode(b"me@example.com/token:p-secret").decode()}
    assert await ALL[0].renew(headers, endpoint) is None


@pytest.mark.parametrize("credentials", ALL)
async def test_nothing_shows_a_secret(credentials, endpoint):
    """Neither the credentials, nor their attributes, nor the headers they give show a secret when printed."""
    slots = [getattr(credentials, name, None) for name in type(credentials).__slots__]
    told = f"{credentials!r} {credentials} {vars(credentials)} {slots} {await credentials.headers(endpoint)!r}"
    assert not any(secret in told for secret in SECRETS)


def test_tokens_are_masked():
    """A pair and a token answer print without their secrets."""
    pair = Tokens(SecretStr("a-secret"), SecretStr("r-secret"))
    told = repr([pair, TokenAnswer(200, {"access_token": "a-secret"})])
    assert not any(secret in told for secret in SECRETS)


@pytest.mark.parametrize("credentials", ALL)
@pytest.mark.parametrize("carry", [pickle.dumps, copy.copy, copy.deepcopy])
def test_credentials_do_not_travel(credentials, carry):
    """Pickling or copying credentials is refused."""
    with pytest.raises(TypeError, match="secrets"):
        carry(credentials)


@pytest.mark.parametrize(
    "bad", ["x-secret\r\nHost: y", "x-secret\n", " x-secret", "", "x-secret\u20ac", "x-secret\x00"]
)
@pytest.mark.parametrize(
    "make",
    [
        lambda bad: BasicToken(bad, "p"),
        lambda bad: BasicToken("u", SecretStr(bad)),
        lambda bad: OAuth2(access_token=bad),
        lambda bad: OAuth2(access_token="a", refresh_token=SecretStr(bad)),
        lambda bad: OAuth2(client_id="c", client_secret=bad),
    ],
)
def test_bad_material_is_refused_without_showing_it(make, bad):
    """What cannot stand in a header is refused at once, by name and not by value."""
    with pytest.raises(ConfigurationError) as caught:
        make(bad)
    assert "x-secret" not in str(caught.value)


def test_colon_in_the_user_is_refused():
    """HTTP Basic ends the user at the first colon."""
    with pytest.raises(ConfigurationError):
        BasicToken("a:b", "p")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (TokenAnswer(400, {"error": "r-secret spent", "error_description": "r-secret"}), AuthenticationError),
        (TokenAnswer(200, {"refresh_token": "r-secret"}), ResponseIntegrityError),
        (TokenAnswer(200, {"access_token": "a-secret", "token_type": "mac"}), ResponseIntegrityError),
        (TokenAnswer(200, {"access_token": "a-secret\n"}), ResponseIntegrityError),
    ],
)
async def test_errors_show_no_secret(answer, error):
    """Neither the error nor the locals in its traceback show a secret."""

    async def exchange(path, body):
        return answer

    credentials = OAuth2(access_token="a0", refresh_token="r-secret", client_id="c", client_secret="c-secret")
    with pytest.raises(error) as caught:
        await credentials.renew({"authorization": "Bearer a0"}, exchange)
    told = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert not any(secret in told for secret in SECRETS)


async def test_memory_store():
    """The memory store gives back what was saved last."""
    store = MemoryTokenStore()
    assert await store.load() is None
    pair = Tokens(SecretStr("a"))
    await store.save(pair)
    assert await store.load() is pair
