"""`connect` and `AirbyteAuthConfig`: instant, complete from the environment, and strict about contradictions."""

from __future__ import annotations

import pickle
import socket
import traceback

import pytest
from tests.hosted.service import Service

import plugbay
from plugbay import ConfigurationError, ConnectorNotFoundError, Policy, PolicyDeniedError, connect
from plugbay.auth import MemoryTokenStore
from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig
from plugbay.connectors.zendesk_talk import AirbyteAuthConfig as OfTalk
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector
from plugbay.hosted.settings import DEFAULT_URL, access_of
from plugbay.types import AirbyteAuthConfig


def test_by_its_name():
    """The slug decides the class; how it is written does not matter, and another name is refused."""
    assert ZendeskSupportConnector is type(connect("zendesk-support"))
    assert ZendeskTalkConnector is type(connect("Zendesk_Talk"))
    with pytest.raises(ConnectorNotFoundError, match="Did you mean 'zendesk-talk'"):
        connect("zendesk-tlak")


def test_nothing_is_done(monkeypatch):
    """Connecting resolves no name, opens no socket and needs no environment."""

    def refuse(*_, **__):
        raise AssertionError

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert "<ZendeskSupportConnector>" == repr(connect("zendesk-support", workspace_name="x"))


async def test_without_a_client():
    """Without a client the first call says what is missing, and where to give it."""
    with pytest.raises(ConfigurationError, match="AIRBYTE_CLIENT_ID and AIRBYTE_CLIENT_SECRET not set"):
        await connect("zendesk-support").tickets.get(1)
    with pytest.raises(ConfigurationError, match="AIRBYTE_CLIENT_SECRET not set"):
        await connect("zendesk-support", client_id="x").tickets.get(1)


async def test_from_the_environment(library, monkeypatch):
    """What is not given comes from the environment when the first call is made."""
    with Service(library) as service:
        service.add()
        connector = connect("zendesk-support")
        monkeypatch.setenv("AIRBYTE_CLIENT_ID", service.client_id)
        monkeypatch.setenv("AIRBYTE_CLIENT_SECRET", service.client_secret)
        monkeypatch.setenv("AIRBYTE_API_URL", service.url)
        monkeypatch.setenv("AIRBYTE_ORGANIZATION_ID", service.organization_id)
        await connector.users.list(limit=1)
        assert service.organization_id == service.requests[-1].headers["x-organization-id"]
        await connector.close()


def test_what_is_given_wins(monkeypatch):
    """What is given comes before the environment, and the vendor's service is the default."""
    for name in ("CLIENT_ID", "CLIENT_SECRET", "ORGANIZATION_ID", "API_URL"):
        monkeypatch.setenv(f"AIRBYTE_{name}", f"https://of.environment/{name}")
    own = {
        "airbyte_client_id": "a",
        "airbyte_client_secret": "b",
        "organization_id": "c",
        "api_url": "https://d.example",
    }
    found = access_of(AirbyteAuthConfig(**own))
    assert ("https://d.example", "a", "b", "c") == (
        found.api_url, found.client_id, found.client_secret.get_secret_value(), found.organization_id
    )  # fmt: skip
    assert access_of(AirbyteAuthConfig()).api_url == "https://of.environment/API_URL"
    monkeypatch.setenv("AIRBYTE_API_URL", "")
    with pytest.raises(ConfigurationError, match="AIRBYTE_API_URL is set, and empty"):
        access_of(AirbyteAuthConfig())
    monkeypatch.delenv("AIRBYTE_API_URL")
    assert DEFAULT_URL == access_of(AirbyteAuthConfig()).api_url == "https://api.airbyte.ai"


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({}, "default"),
        ({"workspace_name": "new"}, "new"),
        ({"customer_name": "old"}, "old"),
        ({"workspace_name": "new", "customer_name": "old"}, "new"),
    ],
)
def test_the_workspace_s_name(fields, name):
    """The newer name wins over the older."""
    assert name == AirbyteAuthConfig(**fields).workspace


@pytest.mark.parametrize("field", ["workspace_name", "customer_name"])
def test_a_workspace_without_a_name(field):
    """A name that came out empty is refused, as it would lead to the workspace of all who give none."""
    with pytest.raises(ConfigurationError, match=f"`{field}`: String should have at least 1 character"):
        AirbyteAuthConfig(**{field: ""})
    with pytest.raises(ConfigurationError, match="`workspace_name`"):
        connect("zendesk-support", workspace_name="")


async def test_by_the_class(library):
    """A connector's class takes the configuration as it takes others, in its place or by its name."""
    assert OfTalk is AirbyteAuthConfig
    with Service(library) as service:
        service.add(workspace="acme")
        config = AirbyteAuthConfig(
            customer_name="acme",
            airbyte_client_id=service.client_id,
            airbyte_client_secret=service.client_secret,
            api_url=service.url,
        )
        async with ZendeskSupportConnector(auth_config=config, policy=Policy(deny=["users.*"])) as connector:
            assert "healthy" == (await connector.check())["status"]
            with pytest.raises(PolicyDeniedError):
                await connector.users.list()
        async with connect("zendesk-support", auth_config=config) as connector:
            assert 1 == len(await connector.users.list(limit=1))


@pytest.mark.parametrize(
    "setting",
    [
        {"subdomain": "acme"}, {"config": {"subdomain": "acme"}}, {"base_url": "http://127.0.0.1:1"},
        {"token_store": MemoryTokenStore()}, {"on_token_refresh": print},
    ],
    ids=lambda each: next(iter(each)),
)  # fmt: skip
def test_settings_of_a_tenant(setting):
    """The tenant, and all that has to do with its tokens, is the hosted service's."""
    with pytest.raises(ConfigurationError, match="hosted connector takes no"):
        ZendeskSupportConnector(AirbyteAuthConfig(), **setting)


@pytest.mark.parametrize("setting", [{"timeout": -1}, {"timeout": float("inf")}, {"max_attempts": 0}, {"max_bytes": 0}])
def test_bounds_that_make_no_sense(setting):
    """They are refused at once, as by a local connector."""
    with pytest.raises(ConfigurationError, match="positive and finite"):
        connect("zendesk-support", **setting)


def test_contradictions():
    """All in one object, or one by one; and a local connector's credentials are no way to a hosted one."""
    with pytest.raises(ConfigurationError, match="auth_config and api_url, workspace_name were given"):
        connect("zendesk-support", auth_config=AirbyteAuthConfig(), workspace_name="x", api_url="https://x")
    with pytest.raises(ConfigurationError, match="auth_config cannot be OAuthConfig"):
        connect("zendesk-support", auth_config=ZendeskSupportOauth20AuthConfig(access_token="x"))


@pytest.mark.parametrize("secret", ["line\nbreak", " padded", "ünicode", "with\x00null"])
async def test_secrets_that_cannot_be_sent(secret):
    """A secret that was copied with something around it is refused without being shown."""
    with pytest.raises(ConfigurationError, match="client secret") as caught:
        await connect("zendesk-support", client_id="x", client_secret=secret).tickets.get(1)
    below = caught.value.__traceback__.tb_next.tb_next
    told = traceback.TracebackException(type(caught.value), caught.value, below, capture_locals=True)
    assert secret.strip() not in "".join([*told.format(), str(caught.value)])


def test_the_configuration_keeps_its_secret():
    """Neither a mistake in it nor its looks show the secret, and it is not pickled."""
    config = AirbyteAuthConfig(airbyte_client_id="id", airbyte_client_secret="hush-hush")
    assert "hush-hush" not in f"{config!r} {config} {config.model_dump_json()}"
    with pytest.raises(TypeError):
        pickle.dumps(config)
    with pytest.raises(ConfigurationError, match="airbyte_client") as caught:
        AirbyteAuthConfig(airbyte_client_secret="hush-hush", workspace="x")
    assert "hush-hush" not in f"{caught.value} {caught.value.payload()}"


def test_exported():
    """`connect` is one of the library's own names."""
    assert plugbay.connect is connect
    assert "connect" in plugbay.__all__
    with pytest.raises(AttributeError, match="no attribute 'disconnect'"):
        _ = plugbay.disconnect
