"""Where an answer of the authorization endpoint may be sent: the addresses that a client has registered, and no others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import SplitResult, urlencode, urlsplit

from plugbay.json_safe import is_list
from plugbay.server.mcp.authorization.refusals import OAuthError

__all__ = ["MOST_REDIRECTS", "check_redirects", "is_registered", "shown_host", "source_of", "with_answer"]

MOST_REDIRECTS = 20
"""Redirect URIs that one client may have."""

LONGEST = 1_000
"""Characters of one redirect URI."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PLAIN = re.compile(r"[!-~]+")
_AMBIGUOUS = re.compile(r"[\\<>\"{}|^`]")
_PLACE = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?")
"""A host that all parsers read alike, and that is no more than a host in a Content-Security-Policy and on a page."""
_PRIVATE = re.compile(r"[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+")
_KNOWN_PRIVATE = frozenset({"claude", "cursor", "vscode", "vscode-insiders", "windsurf", "zed"})
"""Schemes of programs that people use with MCP and that are not a domain read backwards, as RFC 8252 section 7.1 asks."""


def check_redirects(uris: object) -> tuple[str, ...]:
    """The redirect URIs of a client, if each is one that may be registered.

    `https`, `http` on loopback, and private-use schemes (RFC 8252 section 7) may.

    Raises:
        OAuthError: One may not, or there are none or too many.
    """
    if not is_list(uris) or not uris:
        raise OAuthError("invalid_redirect_uri", "redirect_uris must be a list of at least one URI.")
    if len(uris) > MOST_REDIRECTS:
        raise OAuthError("invalid_redirect_uri", f"redirect_uris may have at most {MOST_REDIRECTS} entries.")
    for uri in uris:
        if not isinstance(uri, str) or not _may_be_registered(uri):
            raise OAuthError(
                "invalid_redirect_uri",
                "Each of redirect_uris must be https, http on loopback, or of a private-use scheme such as "
                f"com.example.app, with neither fragment nor user name, and at most {LONGEST} characters long.",
            )
    return tuple(str(uri) for uri in uris)


def is_registered(uri: str, registered: Sequence[str]) -> bool:
    """Whether a redirect URI is exactly one of a client's; only the port of a loopback address is free (RFC 8252 section 7.3)."""
    if not _may_be_registered(uri):
        return False
    return uri in registered or any(_differs_in_port_only(uri, each) for each in registered)


def with_answer(uri: str, answer: Mapping[str, str | None]) -> str:
    """A redirect URI with the parameters of an answer; those that are None are left out."""
    query = urlencode({name: value for name, value in answer.items() if value is not None})
    return f"{uri}{'&' if urlsplit(uri).query else '?'}{query}"


def shown_host(uri: str) -> str:
    """What a person is shown of where an answer will go."""
    parts = urlsplit(uri)
    if parts.scheme not in {"http", "https"}:
        return f"the program on this computer that opens {parts.scheme}: links"
    return "a program on this computer" if _is_loopback(parts) else parts.netloc


def source_of(uri: str) -> str:
    """A redirect URI as a source of a content security policy, for the pages whose forms end there."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} else f"{parts.scheme}:"


def _may_be_registered(uri: str) -> bool:
    parts = _split(uri)
    if parts is None or "#" in uri or "@" in parts.netloc:
        return False
    if parts.scheme in {"http", "https"} and not _PLACE.fullmatch(parts.netloc):
        return False
    if parts.scheme == "https":
        return bool(parts.hostname)
    if parts.scheme == "http":
        return _is_loopback(parts)
    return parts.scheme in _KNOWN_PRIVATE or bool(_PRIVATE.fullmatch(parts.scheme))


def _split(uri: str) -> SplitResult | None:
    if len(uri) > LONGEST or not _PLAIN.fullmatch(uri) or _AMBIGUOUS.search(uri):
        return None
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _is_loopback(parts: SplitResult) -> bool:
    return parts.hostname in _LOOPBACK


def _differs_in_port_only(uri: str, registered: str) -> bool:
    ours, theirs = _split(uri), _split(registered)
    if ours is None or theirs is None or not (_is_loopback(ours) and _is_loopback(theirs)):
        return False
    return (ours.scheme, ours.hostname, ours.path, ours.query) == (
        theirs.scheme,
        theirs.hostname,
        theirs.path,
        theirs.query,
    )
