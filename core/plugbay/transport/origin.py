"""Where requests go: one origin, and no path, host or scheme that leads out of it."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode

import httpx

from plugbay.errors import ConfigurationError, InvalidParameterError
from plugbay.transport.address import is_loopback

__all__ = ["AMBIGUOUS", "Origin", "QuietURL", "is_plain", "quiet"]

SCHEMES = {"https": 443, "http": 80}
LAST_PORT = 65_535
LONGEST_LABEL = 63

LONGEST_URL = 65_536
"""Characters of a URL that the HTTP library takes; services take less and say so."""

_PATH = re.compile(r"/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*")
_HOST = re.compile(r"[A-Za-z0-9._:-]+")
_DOT_SEGMENT = re.compile(r"/(?:\.|%2[eE]){1,2}(?:/|$)")

AMBIGUOUS = re.compile(r"[\x00-\x1f\x7f\\]")
"""What two parsers of URLs may read differently."""


class QuietURL(httpx.URL):
    """A URL that shows neither its query nor, for a link that may be its own key, its path.

    The HTTP library writes `str(url)` of every request into its log.
    """

    shown: str = "..."

    def __str__(self) -> str:
        return self.shown

    def __repr__(self) -> str:
        return f"QuietURL({self.shown!r})"

    def __eq__(self, other: object) -> bool:
        return httpx.URL(self) == other

    def __hash__(self) -> int:
        return hash(httpx.URL(self))


class Origin:
    """The scheme, host and port that credentials belong to.

    Args:
        base_url: `https`, or `http` on loopback; it may have a path, to which all others are added.

    Raises:
        ConfigurationError: It is anything else.
    """

    __slots__ = ("_key", "base", "host", "is_loopback")

    def __init__(self, base_url: str) -> None:
        url = _parsed(base_url)
        if url is None or not is_plain(url) or "?" in base_url or "#" in base_url:
            raise ConfigurationError("base_url must be a plain URL: scheme, host, and perhaps a port and a path.")
        self.is_loopback = is_loopback(url.host)
        if url.scheme != "https" and not (url.scheme == "http" and self.is_loopback):
            raise ConfigurationError("base_url must be https; http is for loopback only.")
        self.host = url.host
        self.base = str(url).rstrip("/")
        self._key = _key(url)

    def url(self, path: str, query: tuple[tuple[str, str], ...] = ()) -> QuietURL:
        """The URL of a path.

        Args:
            path: Percent-encoded, beginning with a slash.
            query: Names and values, not encoded.

        Raises:
            InvalidParameterError: The path would leave the origin, or means another path than it says; or the URL
                would be too long.
        """
        if not _PATH.fullmatch(path) or _DOT_SEGMENT.search(path):
            raise InvalidParameterError("The request's path is not a plain, percent-encoded path.")
        shown = self.base + path
        whole = f"{shown}?{_encoded(query)}" if query else shown
        if len(whole) > LONGEST_URL:
            raise _too_long(len(whole), query)
        url = QuietURL(whole)
        url.shown = shown
        return url

    def link(self, link: str) -> QuietURL:
        """The URL of a link to a file: a path of this origin with or without a query, or a full URL.

        Raises:
            InvalidParameterError: It is neither, or has a user name in it.
        """
        is_path = link.startswith("/") and not link.startswith("//")
        url = _parsed(self.base + link if is_path else link)
        if url is None or not is_plain(url):
            raise InvalidParameterError("The link to the file is neither a path nor a plain https URL.")
        return quiet(url)

    def owns(self, url: httpx.URL) -> bool:
        """Whether credentials may go there."""
        return _key(url) == self._key


def quiet(url: httpx.URL) -> QuietURL:
    """The same URL, showing scheme and host only."""
    hushed = QuietURL(url.copy_with(fragment=None))
    hushed.shown = f"{url.scheme}://{url.host}/..."
    return hushed


def is_plain(url: httpx.URL) -> bool:
    """Whether `url` is an HTTP URL without a user in it, whose host can be looked up and whose port exists."""
    labels = url.host.removesuffix(".").split(".")
    can_be_reached = bool(_HOST.fullmatch(url.host)) and all(0 < len(label) <= LONGEST_LABEL for label in labels)
    has_port = url.port is None or 0 < url.port <= LAST_PORT
    return can_be_reached and has_port and url.scheme in SCHEMES and not url.userinfo


def _parsed(text: str) -> httpx.URL | None:
    if AMBIGUOUS.search(text):
        return None
    try:
        url = httpx.URL(text)
        _ = url.host  # punycode is decoded only when it is asked for
    except (httpx.InvalidURL, UnicodeError):
        return None
    return url


def _key(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or SCHEMES.get(url.scheme)


def _encoded(query: tuple[tuple[str, str], ...]) -> str:
    try:
        return urlencode(query, quote_via=quote, safe="")
    except UnicodeEncodeError:
        pass
    raise InvalidParameterError("A query value has characters that cannot be encoded.")


def _too_long(length: int, query: tuple[tuple[str, str], ...]) -> InvalidParameterError:
    name = max(query, key=lambda each: len(each[1]), default=("", ""))[0]
    longest = f", most of them of `{name}`" if name else ""
    return InvalidParameterError(
        f"The request's URL would have {length} characters{longest}; it may have {LONGEST_URL}.",
        hint="Ask for less at a time.",
        details={"fields": {name: ["too long for a URL"]}},
    )
