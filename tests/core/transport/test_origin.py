"""Nothing leads a request, and with it the credentials, to another place than the one meant."""

from __future__ import annotations

from urllib.parse import parse_qsl

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugbay.errors import ConfigurationError, InvalidParameterError
from plugbay.transport.origin import Origin

ORIGIN = Origin("https://acme.example.com")


@pytest.mark.parametrize(
    "base_url",
    ["https://acme.example.com", "https://acme.example.com:8443/x/", "http://127.0.0.1:80", "http://127.9.9.9",
     "http://localhost:1", "http://[::1]:9"],
)  # fmt: skip
def test_good_base_url(base_url):
    """https anywhere and http on loopback are accepted."""
    Origin(base_url)


@pytest.mark.parametrize(
    "base_url",
    ["http://acme.example.com", "http://10.0.0.1", "http://127.1", "http://localhost.evil.test", "ftp://localhost",
     "http://[2002:7f00:1::]", "https://a@acme.example.com", "https://a:b@acme.example.com", "https://acme.example.com?x",
     "https://acme.example.com#", "acme.example.com", "//acme.example.com", "", "https://", "https://a\\b", "https://a\n.b",
     "https://\u0430cme.example.com", "https://acme.example.com:99999", "https://acme..com", "https:// ", "https://a%20b.example.com"],
)  # fmt: skip
def test_bad_base_url(base_url):
    """Anything that is not a plain https URL, or http on loopback, is refused when it is given."""
    with pytest.raises(ConfigurationError):
        Origin(base_url)


@pytest.mark.parametrize(
    "path",
    ["", "tickets", "https://evil.test/", "/a?b=1", "/a#b", "/a\\b", "/a b", "/../x", "/a/..", "/a/./b", "/%2e%2E/x",
     "/a/.%2e", "/a\n", "/é", "/%", "/%zz", "/a\x00"],
)  # fmt: skip
def test_bad_path(path):
    """A path that a parser could read as another path, a query or a host is refused."""
    with pytest.raises(InvalidParameterError):
        ORIGIN.url(path)


def test_longest_url():
    """A URL may have as many characters as the HTTP library takes; one more is refused, and says which value is long."""
    room = 65_536 - len("https://acme.example.com/search?sort=x&query=")

    longest = ORIGIN.url("/search", (("sort", "x"), ("query", "q" * room)))
    assert 65_536 == len("https://acme.example.com") + len(longest.raw_path)
    for query in ("q" * (room + 1), "é" * (room // 6 + 1)):
        with pytest.raises(InvalidParameterError) as caught:
            ORIGIN.url("/search", (("sort", "x"), ("query", query)))
        assert "`query`" in caught.value.message
        assert ["query"] == list(caught.value.details["fields"])


def test_longest_path():
    """A path that is too long is refused in the same way."""
    with pytest.raises(InvalidParameterError):
        ORIGIN.url("/" + "a" * 70_000)


@settings(deadline=None)
@given(st.text(max_size=40).map(lambda tail: "/" + tail), st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9))))
def test_accepted_paths_stay_as_they_are(path, query):
    """A path that is accepted arrives unchanged at our host, and the query reads back as it was given."""
    try:
        url = ORIGIN.url(path, tuple(query))
    except InvalidParameterError:
        return
    assert (url.scheme, url.host, url.userinfo) == ("https", "acme.example.com", b"")
    assert url.raw_path.split(b"?")[0] == path.encode()
    assert parse_qsl(url.query.decode(), keep_blank_values=True) == query


@settings(deadline=None)
@given(st.text(alphabet="/.%2eE@:?#\\a", max_size=12).map(lambda tail: "/" + tail))
def test_awkward_paths_stay_as_they_are(path):
    """The same with the characters that parsers disagree about."""
    try:
        url = ORIGIN.url(path)
    except InvalidParameterError:
        return
    assert url.host == "acme.example.com"
    assert url.raw_path == path.encode()


def test_url_shows_no_query():
    """A URL in a log shows neither its query nor, for a link to a file, its path."""
    assert str(ORIGIN.url("/search", (("query", "joe"),))) == "https://acme.example.com/search"
    link = ORIGIN.link("/attachments/token/abc?name=x")
    assert "abc" not in str(link) + repr(link)
    assert link.raw_path == b"/attachments/token/abc?name=x"


def test_owning_is_scheme_host_and_port():
    """Only the same scheme, host and port are the same origin; default ports may be left out."""
    assert ORIGIN.owns(httpx.URL("https://ACME.example.com:443/x"))
    for other in ("http://acme.example.com", "https://acme.example.com:444", "https://acme.example.com.evil.test"):
        assert not ORIGIN.owns(httpx.URL(other))
