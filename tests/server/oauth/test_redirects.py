"""Where a browser may be led back to: the addresses that are allowed, and none that only look like them."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plugbay.server.oauth.redirects import (
    ANSWERS,
    LONGEST,
    is_allowed,
    is_usable,
    origin_of,
    shown,
    with_answer,
)

ALLOWED = "https://allowed.example/oauth/callback"
LOCAL = "http://127.0.0.1:8000/callback"

USABLE = [
    ALLOWED,
    LOCAL,
    "https://allowed.example",
    "https://allowed.example/",
    "https://allowed.example:8443/back?tenant=7&x=%2Fa",
    "https://xn--bcher-kva.example/back",
    "http://localhost:3000/",
    "http://[::1]:9/a",
    "http://127.0.0.1/callback",
]

TRICKS = [
    "",
    " ",
    "https://",
    "https:allowed.example/oauth/callback",
    "https:/allowed.example/oauth/callback",
    "https:///allowed.example/oauth/callback",
    "//allowed.example/oauth/callback",
    "/oauth/callback",
    "\\\\allowed.example\\oauth\\callback",
    "https:\\\\allowed.example/oauth/callback",
    "https://allowed.example\\@evil.example/oauth/callback",
    "https://allowed.example@evil.example/oauth/callback",
    "https://user@allowed.example/oauth/callback",
    "https://user:pw@allowed.example/oauth/callback",
    "https://@allowed.example/oauth/callback",
    "https://allowed.example.evil.example/oauth/callback",
    "https://allowed.example./oauth/callback",
    "https://evil.example/allowed.example/oauth/callback",
    "https://evil.example/?https://allowed.example/oauth/callback",
    "https://evil.example#https://allowed.example/oauth/callback",
    "https://xallowed.example/oauth/callback",
    "https://sub.allowed.example/oauth/callback",
    "https://ALLOWED.example/oauth/callback",
    "HTTPS://allowed.example/oauth/callback",
    "http://allowed.example/oauth/callback",
    "https://allowed.example:443/oauth/callback",
    "https://allowed.example:444/oauth/callback",
    "https://allowed.example:/oauth/callback",
    "https://allowed.example:0443/oauth/callback",
    "https://allowed.example:99999/oauth/callback",
    "https://allowed.example/oauth/callback/",
    "https://allowed.example/oauth/callback?",
    "https://allowed.example/oauth/callback#",
    "https://allowed.example/oauth/callback#fragment",
    "https://allowed.example/oauth/callback?next=https://evil.example",
    "https://allowed.example/oauth/callback%00",
    "https://allowed.example/oauth/callback%2f",
    "https://allowed.example/oauth/%63allback",
    "https://allowed.example%2foauth/callback",
    "https://allowed.example%2eevil.example/oauth/callback",
    "https://allowed.example/oauth/../callback",
    "https://allowed.example/oauth/../../evil",
    "https://allowed.example/oauth/%2e%2e/callback",
    "https://allowed.example/x/../oauth/callback",
    "https://allowed.example/./oauth/callback",
    "https://allowed.example//oauth/callback",
    "https://allowed.example/OAUTH/callback",
    "https://allowed.example/oauth/callback\n",
    "https://allowed.example/oauth/callback\r\nSet-Cookie: a=b",
    "https://allowed.example/oauth/callback\t",
    "\thttps://allowed.example/oauth/callback",
    " https://allowed.example/oauth/callback",
    "https://allowed.example/oauth/callback ",
    "https://allowed\u3002example/oauth/callback",
    "https://\u0430llowed.example/oauth/callback",
    "https://allowed.example/oauth/callback\u202e",
    "https://allowed.exam\u00adple/oauth/callback",
    "https://allowed.example;evil.example/oauth/callback",
    "https://[allowed.example]/oauth/callback",
    "https://allowed.example|evil.example/oauth/callback",
    "javascript:alert(1)//https://allowed.example/oauth/callback",
    "data:text/html,<script>alert(1)</script>",
    "file:///etc/passwd",
    "ftp://allowed.example/oauth/callback",
    "blob:https://allowed.example/oauth/callback",
    "view-source:https://allowed.example/oauth/callback",
    "com.example.app:/callback",
    "https://allowed.example/oauth/callback?connector_id=1",
    "https://allowed.example/oauth/callback?error=",
]


@pytest.mark.parametrize("url", USABLE)
def test_plain_addresses_can_be_allowed(url):
    """https anywhere, and http on loopback, in their plain form."""
    assert is_usable(url)
    assert is_allowed(url, [url], loopback=False)


@pytest.mark.parametrize("url", TRICKS)
@pytest.mark.parametrize("loopback", [False, True])
def test_what_only_looks_like_an_allowed_address(url, loopback):
    """No variation of an allowed address is taken for it, whatever the rule for loopback."""
    assert not is_allowed(url, [ALLOWED], loopback=loopback)


@given(st.text(max_size=60), st.integers(0, len(ALLOWED)))
@example("", 0)
def test_no_text_anywhere_in_it_makes_another_address_allowed(text, place):
    """Whatever is put into an allowed address at whatever place, only the address itself is allowed."""
    url = ALLOWED[:place] + text + ALLOWED[place:]

    assert (url == ALLOWED) == is_allowed(url, [ALLOWED], loopback=False)


@given(st.from_regex(r"https?://[a-z0-9.:@\[\]\\/?#%\t -]{0,40}", fullmatch=True) | st.text(max_size=80))
def test_two_parsers_agree_on_whatever_is_usable(url):
    """A usable address has the same host for the standard library and for an HTTP client, and is http on loopback alone."""
    if not is_usable(url):
        return
    ours, theirs = urlsplit(url), httpx.URL(url)

    assert (ours.scheme, ours.hostname) == (theirs.scheme, theirs.host.strip("[]"))
    assert ours.scheme == "https" or ours.hostname in {"127.0.0.1", "::1", "localhost"}
    assert (None, "") == (ours.username, ours.fragment)
    assert re.fullmatch("[!-~]+", url)


@pytest.mark.parametrize("port", ["", ":1", ":8000", ":65535"])
def test_port_of_a_loopback_address_is_free(port):
    """A program on the person's own computer may listen on any port (RFC 8252 section 7.3)."""
    assert is_allowed(f"http://127.0.0.1{port}/callback", [LOCAL], loopback=False)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/callback/",
        "http://127.0.0.1:8000/other",
        "http://127.0.0.1:8000/callback?a=1",
        "http://localhost:8000/callback",
        "http://[::1]:8000/callback",
        "http://127.0.0.2:8000/callback",
        "http://127.1:8000/callback",
        "http://2130706433/callback",
        "http://0.0.0.0:8000/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://127.0.0.1:8000@evil.example/callback",
        "http://127.0.0.1:65536/callback",
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1:08/callback",
        "http://127.0.0.1:8000:9000/callback",
        "http://localhost.evil.example/callback",
        "https://127.0.0.1:8000/callback",
    ],
)
def test_nothing_else_of_a_loopback_address_is_free(url):
    """Host, path, query and scheme are compared as text."""
    assert not is_allowed(url, [LOCAL], loopback=False)


@pytest.mark.parametrize("url", [LOCAL, "http://localhost:1/x", "http://[::1]/?a=b"])
def test_loopback_may_be_allowed_as_a_whole(url):
    """Where the operator says so, and only then, every loopback address is allowed."""
    assert [False, True] == [is_allowed(url, [], loopback=loopback) for loopback in (False, True)]


def test_port_of_other_addresses_is_not_free():
    """For a host on the network another port is another address."""
    assert not is_allowed("https://allowed.example:8443/oauth/callback", [ALLOWED], loopback=True)


def test_length_is_bounded():
    """An address has at most 2,000 characters."""
    longest = "https://allowed.example/" + "a" * (LONGEST - 24)

    assert [True, False] == [is_usable(url) for url in (longest, longest + "a")]


@pytest.mark.parametrize("path", ["/..", "/.", "/a/../b", "/a/%2e%2E/b", "/a/.%2e?x=1", "/./a"])
def test_paths_have_no_dot_segments(path):
    """A path that a browser would change before it goes there cannot be allowed, not even as it is written."""
    url = f"https://allowed.example{path}"

    assert not is_allowed(url, [url], loopback=True)


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_an_address_cannot_have_our_parameters(name):
    """An address that brings connector_id or error itself could pass for an answer of ours."""
    assert not is_usable(f"{ALLOWED}?{name}=1")
    assert not is_usable(f"{ALLOWED}?%{ord(name[0]):x}{name[1:]}=1")


@given(
    st.sampled_from([ALLOWED, f"{ALLOWED}?tenant=7&empty=", LOCAL, f"{LOCAL}?", f"{ALLOWED}?a=1&"]),
    st.dictionaries(st.sampled_from(sorted(ANSWERS)), st.text(st.characters(codec="utf-8")), min_size=1),
)
def test_query_is_kept_and_answer_cannot_break_out(url, answer):
    """The address keeps its own parameters, and an answer of any characters stays within its own."""
    led = with_answer(url, answer)
    own = parse_qsl(urlsplit(url).query, keep_blank_values=True)

    assert [*own, *answer.items()] == parse_qsl(urlsplit(led).query, keep_blank_values=True)
    assert url.partition("?")[0] == led.partition("?")[0]
    assert re.fullmatch(r"[!-~]+", led)


def test_what_a_person_is_shown():
    """A person sees the host, or that it is a program on their own computer."""
    assert ["allowed.example", "a program on this computer (127.0.0.1:8000)"] == [shown(ALLOWED), shown(LOCAL)]


def test_origin():
    """An origin is scheme, host and port."""
    assert ["https://allowed.example", "http://127.0.0.1:8000"] == [origin_of(ALLOWED), origin_of(LOCAL)]
