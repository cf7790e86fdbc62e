"""Where answers may be sent."""

from __future__ import annotations

import pytest

from plugbay.server.mcp.authorization.redirects import (
    check_redirects,
    is_registered,
    shown_host,
    source_of,
    with_answer,
)
from plugbay.server.mcp.authorization.refusals import OAuthError

GOOD = [
    "https://claude.example/api/mcp/auth_callback",
    "https://app.example:8443/cb?tenant=7",
    "http://127.0.0.1:33418/callback",
    "http://localhost/callback",
    "http://[::1]:9000/cb",
    "com.example.desk:/oauth",
    "cursor://anysphere.cursor-mcp/oauth/callback",
]

BAD = [
    "",
    "/callback",
    "http://example.com/callback",
    "http://127.0.0.1.evil.example/callback",
    "http://localhost@evil.example/callback",
    "https://user@evil.example/callback",
    "https:///callback",
    "https://app.example/cb#fragment",
    "https://app.example/cb#",
    "https://app.example\\@evil.example/cb",
    "https://app.example/cb\r\nLocation: https://evil.example",
    "https://app.example/cb ",
    "https://äpp.example/cb",
    "https://app.example:port/cb",
    "https://app.example;sandbox/cb",
    "https://app.example,evil.example/cb",
    "https://app.example%2f.evil.example/cb",
    "https://app.example'/cb",
    "https://*.example/cb",
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "vbscript:x",
    "blob:https://app.example/1",
    "ftp://app.example/cb",
    "https://app.example/" + "a" * 1000,
]


@pytest.mark.parametrize("uri", GOOD)
def test_may_be_registered(uri):
    """https, loopback and private-use schemes may be registered, and each fits itself."""
    assert (uri,) == check_redirects([uri])
    assert is_registered(uri, [uri])


@pytest.mark.parametrize("uri", BAD)
def test_may_not_be_registered(uri):
    """Whatever a browser could read in another way, or would run, is refused when it is registered and when it is used."""
    with pytest.raises(OAuthError) as caught:
        check_redirects([uri])
    assert "invalid_redirect_uri" == caught.value.error
    assert not is_registered(uri, [uri])


@pytest.mark.parametrize("uris", [None, [], "https://app.example/cb", [1], ["https://app.example/cb"] * 21])
def test_a_list_of_a_few_is_needed(uris):
    """No redirect URI, too many of them, or what is no list of texts, is refused."""
    with pytest.raises(OAuthError):
        check_redirects(uris)


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/cb/",
        "https://app.example/CB",
        "https://app.example/cb?x=1",
        "https://app.example:443/cb",
        "https://app.example/cb/../evil",
        "https://sub.app.example/cb",
        "https://app.example.evil.example/cb",
        "HTTPS://app.example/cb",
    ],
)
def test_only_the_very_same_is_registered(uri):
    """Nothing but the registered text itself is taken for it."""
    assert not is_registered(uri, ["https://app.example/cb"])


@pytest.mark.parametrize(
    ("uri", "fits"),
    [
        ("http://127.0.0.1:51234/callback", True),
        ("http://127.0.0.1/callback", True),
        ("http://127.0.0.1:51234/other", False),
        ("http://127.0.0.1:51234/callback?x=1", False),
        ("http://localhost:51234/callback", False),
        ("https://127.0.0.1:51234/callback", False),
    ],
)
def test_the_port_of_loopback_is_free(uri, fits):
    """A program gets another port each time it runs, so a loopback address fits with any, and with nothing else changed."""
    assert fits is is_registered(uri, ["http://127.0.0.1:33418/callback"])


def test_an_answer_keeps_what_the_address_had():
    """An answer's parameters are put behind those of the address, encoded, and what is None is left out."""
    given = with_answer("https://app.example/cb?a=1", {"code": "x&y", "state": None, "iss": "https://s"})

    assert "https://app.example/cb?a=1&code=x%26y&iss=https%3A%2F%2Fs" == given


@pytest.mark.parametrize(
    ("uri", "shown", "source"),
    [
        ("https://claude.example/cb", "claude.example", "https://claude.example"),
        ("http://127.0.0.1:3/cb", "a program on this computer", "http://127.0.0.1:3"),
        ("cursor://x/cb", "the program on this computer that opens cursor: links", "cursor:"),
    ],
)
def test_a_person_is_told_where_the_answer_goes(uri, shown, source):
    """A page names the host, or says that it is a program here; and its forms may end there."""
    assert (shown, source) == (shown_host(uri), source_of(uri))
