"""The two kinds of credentials: what they take, what they refuse, and that no secret of theirs is ever shown."""

from __future__ import annotations

import base64
import pickle
import subprocess
import sys

import httpx
import pytest
from pydantic import SecretStr

from plugbay.auth import MemoryTokenStore, Tokens
from plugbay.connectors.zendesk_support import ZendeskSupportConnector
from plugbay.connectors.zendesk_support.models import ZendeskSupportApiTokenAuthConfig, ZendeskSupportOauth20AuthConfig
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector
from plugbay.connectors.zendesk_talk.models import ZendeskTalkApiTokenAuthConfig, ZendeskTalkOauth20AuthConfig
from plugbay.errors import AuthenticationError, ConfigurationError

OAUTH = [ZendeskSupportOauth20AuthConfig, ZendeskTalkOauth20AuthConfig]
TOKEN = [ZendeskSupportApiTokenAuthConfig, ZendeskTalkApiTokenAuthConfig]
ME = {"user": {"id": 1, "name": "Ann", "email": "ann@example.com", "role": "admin"}}
ENDING = "ignore:Zendesk ends API tokens:FutureWarning"
SECRET = "s3cret-that-nobody-may-see"


def everything(error: BaseException) -> str:
    """All that an error and what it came from would show."""
    shown = []
    seen: BaseException | None = error
    while seen is not None:
        shown += [str(seen), repr(seen), repr(vars(seen)), repr(seen.args)]
        seen = seen.__cause__ or seen.__context__
    return "\n".join(shown)


@pytest.mark.parametrize(("kind", "config"), [(ZendeskSupportConnector, OAUTH[0]), (ZendeskTalkConnector, OAUTH[1])])
@pytest.mark.parametrize(
    "fields",
    [
        {"access_token": SECRET},
        {"access_token": SECRET, "refresh_token": SECRET},
        {"access_token": SECRET, "refresh_token": SECRET, "client_id": "app", "client_secret": SECRET},
        {"access_token": SECRET, "refresh_token": SECRET, "client_id": "public-app"},
        {"client_id": "app", "client_secret": SECRET},
        {"client_id": "app", "client_secret": SECRET, "scope": "read write", "expires_in": 1800},
    ],
)
def test_every_shape_of_oauth_makes_a_connector(kind, config, fields):
    """An access token with or without what renews it, or a client's id and secret alone, make a connector."""
    assert f"<{kind.__name__}>" == repr(kind(auth_config=config(**fields)))


@pytest.mark.filterwarnings(ENDING)
@pytest.mark.parametrize(
    ("kind", "config"),
    [(ZendeskSupportConnector, TOKEN[0]), (ZendeskTalkConnector, TOKEN[1])],
)
async def test_an_api_token_is_sent_as_basic_credentials(kind, config):
    """An API token travels as HTTP Basic with the user `<email>/token`."""
    seen = []

    def answer(request):
        seen.append(request.headers["authorization"])
        return httpx.Response(200, json=ME)

    http = httpx.MockTransport(answer)
    async with kind(auth_config=config(email="ann@example.com", api_token=SECRET), subdomain="acme", http=http) as made:
        await made.check()
    assert ["Basic " + base64.b64encode(f"ann@example.com/token:{SECRET}".encode()).decode()] == seen


async def test_an_access_token_is_sent_as_bearer(support):
    """An access token travels as a bearer token."""
    connector, service = support(ME)
    await connector.users.me()
    assert "Bearer s3cret-access" == service.requests[0].headers["authorization"]


async def test_client_credentials_alone_get_their_token(support):
    """With a client's id and secret alone, the first call gets a token by the grant client_credentials."""
    config = ZendeskSupportOauth20AuthConfig(client_id="app", client_secret=SECRET, scope="read")
    connector, service = support(
        (201, {"access_token": "minted", "token_type": "bearer", "expires_in": 1800}), ME, auth_config=config
    )
    await connector.users.me()
    assert [
        (
            "POST",
            "/oauth/tokens",
            {},
            {"grant_type": "client_credentials", "client_id": "app", "client_secret": SECRET, "scope": "read"},
        ),
        ("GET", "/api/v2/users/me", {}, None),
    ] == service.sent
    assert "Bearer minted" == service.requests[1].headers["authorization"]


async def test_a_refresh_token_is_used_after_401(support):
    """An access token that is no longer accepted is renewed by the refresh token, and the call repeated."""
    config = ZendeskSupportOauth20AuthConfig(
        access_token="old", refresh_token="r-1", client_id="app", client_secret="c-1"
    )
    told = []
    connector, service = support(
        (401, {"error": "invalid_token"}),
        (200, {"access_token": "new", "refresh_token": "r-2", "expires_in": 1800}),
        ME,
        auth_config=config,
        on_token_refresh=told.append,
    )
    assert 1 == (await connector.users.me())["id"]
    body = service.sent[1][3]
    assert {
        "grant_type": "refresh_token",
        "refresh_token": "r-1",
        "client_id": "app",
        "client_secret": "c-1",
    } == body
    assert [("new", "r-2")] == [
        (pair.access_token.get_secret_value(), pair.refresh_token.get_secret_value()) for pair in told
    ]
    assert "Bearer new" == service.requests[2].headers["authorization"]


async def test_a_refresh_token_without_a_client_is_said_to_be_useless(support):
    """The seeds' shape without client_id cannot renew, and the error of the expired token says what is missing."""
    config = ZendeskSupportOauth20AuthConfig(access_token="old", refresh_token=SECRET)
    connector, service = support((401, {"error": "invalid_token"}), auth_config=config)
    with pytest.raises(AuthenticationError) as caught:
        await connector.users.me()
    assert "client_id" in caught.value.hint
    assert 1 == len(service.requests)


async def test_a_token_store_is_asked_first(support):
    """Tokens from a store come before those of the configuration."""
    store = MemoryTokenStore(Tokens(SecretStr("stored"), SecretStr("r-9")))
    connector, service = support(ME, token_store=store)
    await connector.users.me()
    assert "Bearer stored" == service.requests[0].headers["authorization"]


@pytest.mark.parametrize("config", OAUTH)
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"refresh_token": SECRET},
        {"client_secret": SECRET},
        {"client_id": "app"},
        {"access_token": SECRET, "client_secre": SECRET},
        {"access_token": {"token": SECRET}},
        {"access_token": SECRET, "refresh_token": [SECRET]},
    ],
)
def test_oauth_that_cannot_work_is_refused_without_an_echo(config, fields):
    """Credentials that lack a part, or have an unknown one, are refused in words that repeat no secret."""
    with pytest.raises(ConfigurationError) as caught:
        config(**fields)
    assert SECRET not in everything(caught.value)


@pytest.mark.parametrize("config", TOKEN)
@pytest.mark.parametrize(
    "fields",
    [{}, {"email": "a@b.c"}, {"api_token": SECRET}, {"email": "a@b.c", "api_token": SECRET, "password": SECRET}],
)
def test_an_incomplete_api_token_is_refused_without_an_echo(config, fields):
    """An API token needs its e-mail address, and the refusal repeats no secret."""
    with pytest.raises(ConfigurationError) as caught:
        config(**fields)
    assert SECRET not in everything(caught.value)


@pytest.mark.parametrize("secret", ["with\nnewline-" + SECRET, "with\rreturn-" + SECRET, "ünicode-" + SECRET])
def test_a_secret_that_cannot_stand_in_a_header_is_refused_without_an_echo(secret):
    """A token with line ends or other letters than ASCII is refused when the connector is made, unseen."""
    with pytest.raises(ConfigurationError) as caught:
        ZendeskSupportConnector(ZendeskSupportOauth20AuthConfig(access_token=secret), subdomain="acme")
    assert SECRET not in everything(caught.value)


@pytest.mark.parametrize("given", [None, "a-token", {"access_token": SECRET}, object(), ("a@b.c", SECRET)])
def test_anything_else_is_no_configuration(given):
    """What is not one of the configurations is refused by the name of its type."""
    with pytest.raises(ConfigurationError, match="auth_config cannot be") as caught:
        ZendeskSupportConnector(given, subdomain="acme")
    assert SECRET not in everything(caught.value)


@pytest.mark.parametrize(
    "config",
    [*(kind(access_token=SECRET, refresh_token=SECRET, client_secret=SECRET) for kind in OAUTH)]
    + [kind(email="a@b.c", api_token=SECRET) for kind in TOKEN],
)
def test_a_configuration_shows_no_secret(config):
    """Neither the text of a configuration, nor its dump as JSON, nor a pickle of it has a secret in it."""
    assert SECRET not in repr(config) + str(config) + config.model_dump_json() + repr(config.model_dump())
    with pytest.raises(TypeError):
        pickle.dumps(config)


def test_a_connector_shows_no_secret_and_is_not_pickled():
    """A connector's text says its class only, and it refuses to be pickled."""
    connector = ZendeskSupportConnector(ZendeskSupportOauth20AuthConfig(access_token=SECRET), subdomain="acme")
    assert "<ZendeskSupportConnector>" == repr(connector)
    with pytest.raises(TypeError):
        pickle.dumps(connector)


def test_the_end_of_api_tokens_is_told_once_a_process():
    """The first connector with an API token warns of 2027-04-30 where the user made it; the others are silent."""
    program = """
from plugbay.connectors.zendesk_support import ZendeskSupportConnector as S, ZendeskSupportApiTokenAuthConfig as A
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector as T, ZendeskTalkApiTokenAuthConfig as B
for _ in range(3):
    S(A(email="a@b.c", api_token="t"), subdomain="acme")
    T(B(email="a@b.c", api_token="t"), subdomain="acme")
"""
    ran = subprocess.run(
        [sys.executable, "-W", "always", "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    warnings = [line for line in ran.stderr.splitlines() if "FutureWarning" in line]
    assert 1 == len(warnings)
    assert warnings[0].startswith("<string>:5: FutureWarning: Zendesk ends API tokens on 2027-04-30.")


def test_oauth_warns_of_nothing():
    """OAuth credentials give no warning."""
    assert ZendeskSupportConnector(ZendeskSupportOauth20AuthConfig(access_token="t"), subdomain="acme")


@pytest.mark.filterwarnings(ENDING)
@pytest.mark.parametrize(
    ("environment", "authorization"),
    [
        ({"ACCESS_TOKEN": "from-env"}, "Bearer from-env"),
        ({"EMAIL": "a@b.c", "API_TOKEN": "t"}, "Basic " + base64.b64encode(b"a@b.c/token:t").decode()),
        ({"ACCESS_TOKEN": "from-env", "EMAIL": "a@b.c", "API_TOKEN": "t"}, "Bearer from-env"),
        (
            {"ACCESS_TOKEN": "", "EMAIL": "a@b.c", "API_TOKEN": "t"},
            "Basic " + base64.b64encode(b"a@b.c/token:t").decode(),
        ),
    ],
)
@pytest.mark.parametrize("kind", [ZendeskSupportConnector, ZendeskTalkConnector])
async def test_credentials_come_from_the_environment(monkeypatch, kind, environment, authorization):
    """`from_environment` takes an access token before an API token, and an empty variable for none."""
    for name, value in {"SUBDOMAIN": "acme", **environment}.items():
        monkeypatch.setenv(f"ZENDESK_{name}", value)
    seen = []

    def answer(request):
        seen.append((request.url.host, request.headers["authorization"]))
        return httpx.Response(200, json=ME)

    async with kind.from_environment(http=httpx.MockTransport(answer)) as connector:
        assert "healthy" == (await connector.check())["status"]
    assert [("acme.zendesk.com", authorization)] == seen


async def test_a_client_comes_from_the_environment(monkeypatch):
    """`from_environment` with a client's id and secret gets a token by the grant client_credentials."""
    for name, value in {"SUBDOMAIN": "acme", "CLIENT_ID": "app", "CLIENT_SECRET": "c"}.items():
        monkeypatch.setenv(f"ZENDESK_{name}", value)
    seen = []

    def answer(request):
        seen.append(request.url.path)
        body = {"access_token": "minted"} if request.url.path == "/oauth/tokens" else ME
        return httpx.Response(200, json=body)

    async with ZendeskSupportConnector.from_environment(http=httpx.MockTransport(answer)) as connector:
        await connector.users.me()
    assert ["/oauth/tokens", "/api/v2/users/me"] == seen


def test_an_environment_without_credentials_is_refused(monkeypatch):
    """`from_environment` says which variables it looks for when it finds none."""
    monkeypatch.setenv("ZENDESK_EMAIL", "a@b.c")
    with pytest.raises(ConfigurationError) as caught:
        ZendeskSupportConnector.from_environment()
    assert "ZENDESK_ACCESS_TOKEN" in caught.value.hint
