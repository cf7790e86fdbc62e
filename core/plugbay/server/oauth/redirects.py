"""Where a browser may be led back to when an authorization ends: addresses that the operator allows, and no others.

An address is compared as text with those that are allowed (RFC 9700 section 4.1.3). The one exception is a program on
the person's own computer, which cannot know its port beforehand: where that is allowed, the port of a loopback
address is free (RFC 8252 section 7.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

__all__ = ["ANSWERS", "LONGEST", "is_allowed", "is_usable", "origin_of", "shown", "with_answer"]

LONGEST = 2_000
"""Characters of an address."""

LAST_PORT = 65_535

ANSWERS = frozenset({"connector_id", "error", "error_description"})
"""The parameters that we add; an address that has one already would be ambiguous."""

_CHARS = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/%s]|%%[0-9A-Fa-f]{2})*"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_REST = rf"(?P<rest>(?:/{_CHARS % ''})?(?:\?{_CHARS % '?'})?)"
_PORT = r"(?::(?P<port>[1-9][0-9]{0,4}))?"
# One grammar that all parsers read alike, in place of one parser's opinion; no user name, fragment or backslash fits.
_HTTPS = re.compile(rf"https://(?P<host>{_LABEL}(?:\.{_LABEL})*){_PORT}{_REST}")
_LOOPBACK = re.compile(rf"http://(?P<host>127\.0\.0\.1|\[::1\]|localhost){_PORT}{_REST}")
_DOT_SEGMENT = re.compile(r"/(?:\.|%2[eE]){1,2}(?:/|\?|$)")


def is_usable(url: str) -> bool:
    """Whether an address can be allowed at all: https, or http on loopback, in its plain form.

    Plain means: a host in lower case; no user name, no fragment, no `.` or `..` in the path, nothing that would have
    to be encoded, and none of the parameters that are added to it.
    """
    if len(url) > LONGEST or _DOT_SEGMENT.search(url):
        return False
    found = _matched(url)
    if found is None or int(found["port"] or 0) > LAST_PORT:
        return False
    return not ANSWERS & {name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}


def is_allowed(url: str, allowed: Iterable[str], *, loopback: bool) -> bool:
    """Whether a browser may be led there.

    Args:
        url: The address.
        allowed: The addresses that are allowed.
        loopback: Whether every loopback address is, too.
    """
    if not is_usable(url):
        return False
    known = set(allowed)
    if url in known:
        return True
    place = _without_port(url)
    return place is not None and (loopback or place in {_without_port(each) for each in known})


def with_answer(url: str, answer: Mapping[str, str]) -> str:
    """The address with the parameters of an answer added to its own."""
    joint = "" if url.endswith(("?", "&")) else "&" if "?" in url else "?"
    return f"{url}{joint}{urlencode(answer)}"


def shown(url: str) -> str:
    """What a person is shown of where the browser will go."""
    parts = urlsplit(url)
    return f"a program on this computer ({parts.netloc})" if _LOOPBACK.fullmatch(url) else parts.netloc


def origin_of(url: str) -> str:
    """The scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _matched(url: str) -> re.Match[str] | None:
    return _HTTPS.fullmatch(url) or _LOOPBACK.fullmatch(url)


def _without_port(url: str) -> tuple[str, str] | None:
    """What of a loopback address is compared; None for all others."""
    found = _LOOPBACK.fullmatch(url)
    return None if found is None else (found["host"], found["rest"])
