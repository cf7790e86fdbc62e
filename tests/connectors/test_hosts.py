"""Which host the credentials go to: the tenant's, and no other whatever the subdomain holds."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugbay.connectors.zendesk.hosts import tenant_url
from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector, ZendeskTalkOauth20AuthConfig
from plugbay.errors import ConfigurationError

KINDS = [
    (ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig),
    (ZendeskTalkConnector, ZendeskTalkOauth20AuthConfig),
]
ME = {"user": {"id": 1, "name": "Ann", "email": "ann@example.com", "role": "admin"}}

HOSTILE = [
    "", " ", "evil.com/#", "evil.com?", "x:80@evil.com/", "x@evil.com", "evil.com", "a.b", ".", "..", "-acme", "acme-",
    "ac me", "acme\n", "acme\r\nHost: evil.com", "acme\0", "acme/", "acme#", "acme?", "acme\\", "acme:443", "a" * 64,
    "ácme", "аcme", "ｅvil", "acme。evil", "acme%2eevil", "[::1]", "127.0.0.1", "http://acme.zendesk.com",
    "https://evil.com", "https://acme.zendesk.com.evil.com", "https://evil.com/acme.zendesk.com",
    "https://acme.zendesk.com@evil.com/", "https://x:y@acme.zendesk.com/", "https://acme.zendesk.com:8443/",
    "https://acme.zendesk.com\\@evil.com", "https://a.b.zendesk.com/", "//acme.zendesk.com", "acme.zendesk.com\n",
    "https://zendesk.com", "_acme", "ac_me", "acme.zendesk.com#@evil.com",
]  # fmt: skip

VALID = [
    ("acme", "acme"), ("ACME", "acme"), ("a", "a"), ("a-1", "a-1"), ("1", "1"), ("a" * 63, "a" * 63),
    ("acme.zendesk.com", "acme"), ("https://acme.zendesk.com", "acme"), ("https://acme.zendesk.com/", "acme"),
    ("https://Acme.zendesk.com/agent/dashboard", "acme"), ("https://acme.zendesk.com/api/v2", "acme"),
]  # fmt: skip


def refuses(subdomain):
    with pytest.raises(ConfigurationError) as caught:
        tenant_url(subdomain, None, None)
    return caught.value


@pytest.mark.parametrize(("given", "label"), VALID)
async def test_a_label_or_a_zendesk_url_names_the_tenant(connected, given, label):
    """A label, or a Zendesk URL reduced to it, in any case of letters, sends the call to that tenant over https."""
    connector, service = connected(ME, subdomain=given)
    await connector.users.me()
    assert [f"https://{label}.zendesk.com/api/v2/users/me"] == [str(request.url) for request in service.requests]


@pytest.mark.parametrize("subdomain", HOSTILE)
@pytest.mark.parametrize(("kind", "config"), KINDS)
def test_a_hostile_subdomain_is_refused_at_construction(connected, kind, config, subdomain):
    """What is not one DNS label is refused before there is a connector that could open a connection."""
    with pytest.raises(ConfigurationError) as caught:
        connected(ME, kind=kind, subdomain=subdomain)
    assert "configuration" == caught.value.code
    assert {"fields": {"subdomain": ["not a DNS label"]}} == caught.value.details


@pytest.mark.parametrize("given", [123, b"acme", ["acme"], True, 1.5, {}])
def test_a_subdomain_of_another_type_is_refused(given):
    """A subdomain that is no text is refused."""
    assert {"fields": {"subdomain": ["not a DNS label"]}} == refuses(given).details


@given(st.text())
def test_any_text_stays_within_zendesk(text):
    """Whatever text is given, it is refused, or one label under zendesk.com comes out of it."""
    try:
        root = tenant_url(text, None, None)
    except ConfigurationError:
        return
    assert re.fullmatch(r"https://[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.zendesk\.com", root or "")


@given(st.from_regex(r"\A[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\Z"))
def test_every_label_is_taken(label):
    """Every DNS label is a subdomain."""
    assert f"https://{label.lower()}.zendesk.com" == tenant_url(label, None, None)


@given(
    st.from_regex(r"\A[a-z0-9]{1,8}\Z"),
    st.sampled_from(list("/#?@:\\%.\n\r\t \0")),
    st.from_regex(r"\A[a-z0-9.@:/#]{1,8}\Z"),
)
def test_no_delimiter_of_urls_gets_through(label, delimiter, rest):
    """A label followed by anything that ends a host in some URL parser is refused."""
    assert "configuration" == refuses(f"{label}{delimiter}{rest}x").code


@pytest.mark.parametrize(
    "settings",
    [
        {"config": {"subdomain": "acme"}, "subdomain": None},
        {"config": {"subdomain": "acme"}, "subdomain": "acme"},
        {"config": {}, "subdomain": "acme"},
        {"config": {"subdomain": None}, "subdomain": "acme"},
    ],
)
async def test_config_names_the_tenant_as_well(connected, settings):
    """`config={"subdomain": ...}` is another way to name the tenant."""
    connector, service = connected(ME, **settings)
    await connector.users.me()
    assert "acme.zendesk.com" == service.requests[0].url.host


def test_two_different_subdomains_are_refused(connected):
    """A subdomain in `config` that differs from the argument is refused, since one of them is a mistake."""
    with pytest.raises(ConfigurationError, match="differ"):
        connected(ME, config={"subdomain": "other"}, subdomain="acme")


def test_unknown_settings_in_config_are_refused(connected):
    """`config` takes the subdomain and nothing else."""
    with pytest.raises(ConfigurationError, match="unknown sub_domain"):
        connected(ME, config={"sub_domain": "acme"})


async def test_the_environment_names_the_tenant(connected, monkeypatch):
    """Without an argument the subdomain comes from ZENDESK_SUBDOMAIN."""
    monkeypatch.setenv("ZENDESK_SUBDOMAIN", "from-env")
    connector, service = connected(ME, subdomain=None)
    await connector.users.me()
    assert "from-env.zendesk.com" == service.requests[0].url.host


async def test_an_argument_comes_before_the_environment(connected, monkeypatch):
    """A subdomain that is passed wins over the environment's."""
    monkeypatch.setenv("ZENDESK_SUBDOMAIN", "from-env")
    connector, service = connected(ME)
    await connector.users.me()
    assert "acme.zendesk.com" == service.requests[0].url.host


def test_a_hostile_environment_is_refused(connected, monkeypatch):
    """The environment's subdomain is checked like any other."""
    monkeypatch.setenv("ZENDESK_SUBDOMAIN", "evil.com/#")
    with pytest.raises(ConfigurationError):
        connected(ME, subdomain=None)


@pytest.mark.parametrize(("kind", "config"), KINDS)
async def test_without_a_tenant_the_first_call_fails(connected, kind, config):
    """Without a subdomain a connector can be built, and every call of it fails without sending anything."""
    connector, service = connected(ME, kind=kind, subdomain=None)
    entity, action = ("users", "me") if kind is ZendeskSupportConnector else ("phone_numbers", "list")
    with pytest.raises(ConfigurationError, match="No Zendesk subdomain is set") as caught:
        await connector.execute(entity, action)
    assert "ZENDESK_SUBDOMAIN" in caught.value.hint
    assert "configuration" == (await connector.check())["error"]["code"]
    assert [] == service.requests


@pytest.mark.parametrize(
    "base_url",
    ["http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080", "https://proxy.example.com/zendesk"],
)
async def test_another_root_is_https_or_loopback(connected, base_url):
    """`base_url` replaces the tenant's host if it is https, or http on loopback."""
    connector, service = connected(ME, subdomain=None, base_url=base_url)
    await connector.users.me()
    assert f"{base_url}/api/v2/users/me" == str(service.requests[0].url)


@pytest.mark.parametrize(
    "base_url",
    [
        "http://example.com", "http://10.0.0.1", "http://127.0.0.1.evil.com", "http://localhost.evil.com", "ftp://127.0.0.1",
        "127.0.0.1:8080", "https://user:pass@example.com", "https://example.com/?a=b", "https://example.com/#x", "https://",
        "javascript:alert(1)", "http://169.254.169.254",
    ],
)  # fmt: skip
def test_plain_http_to_elsewhere_is_refused(connected, base_url):
    """Credentials are never sent in the clear to another machine, and a root is a plain URL."""
    with pytest.raises(ConfigurationError):
        connected(ME, subdomain=None, base_url=base_url)


def test_a_hostile_subdomain_is_refused_beside_a_base_url(connected):
    """A wrong subdomain is a mistake even where `base_url` wins."""
    with pytest.raises(ConfigurationError):
        connected(ME, subdomain="evil.com/#", base_url="http://127.0.0.1:1")


PIECES = [
    "acme", "evil.com", ".zendesk.com", "https://", "http://", "//", "/", "\\", "@", ":", "#", "?", "%2e", "%00", ".", "..", "\r\n", "\0", " ",
    "\t", "user:pass@", "[::1]", "127.0.0.1", "localhost", ":443", "\u202e", "\u200b", "ﬁ", "。", "．", "а", "-",
]  # fmt: skip
pieces = st.lists(st.sampled_from(PIECES) | st.text(max_size=2), max_size=6).map("".join)


def hosts_asked(**settings):
    """Where a call goes with these settings: URLs with no path, or None if the connector cannot be built."""
    asked = []

    def answer(request):
        asked.append(str(httpx.URL(request.url).join("/")))
        return httpx.Response(200, json=ME)

    async def call():
        config = ZendeskSupportOauth20AuthConfig(access_token="s3cret-access")
        connector = ZendeskSupportConnector(config, http=httpx.MockTransport(answer), max_attempts=1, **settings)
        async with connector:
            await connector.users.me()

    try:
        asyncio.run(call())
    except ConfigurationError:
        assert [] == asked
        return None
    return asked


@given(
    pieces | st.text(),
    st.sampled_from([lambda text: {"subdomain": text}, lambda text: {"config": {"subdomain": text}}]),
)
@settings(max_examples=300)
def test_no_subdomain_leads_out_of_zendesk(text, way):
    """Whatever is given for the subdomain, a call goes to one label under zendesk.com by https, or is never made."""
    asked = hosts_asked(**way(text))

    if asked is not None:
        (root,) = asked
        assert re.fullmatch(r"https://[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.zendesk\.com/", root)
        assert root.removeprefix("https://").partition(".")[0] in text.lower()


@given(st.sampled_from(["https://", "http://", ""]), pieces | st.text())
@settings(max_examples=300)
def test_any_base_url(scheme, text):
    """Another root is the very host that it names, by https or on loopback, or it is refused."""
    base_url = scheme + text
    asked = hosts_asked(base_url=base_url) if base_url else None

    if asked is not None:
        (root,) = asked
        host = httpx.URL(root).host
        assert host in base_url.lower() or not base_url.isascii()
        assert root.startswith("https://") or host in {"localhost", "::1"} or re.fullmatch(r"127\.[\d.]+", host)
        assert "@" not in base_url.removeprefix(scheme).partition("/")[0]
