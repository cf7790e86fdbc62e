"""Strikes out of an answer the credentials that it echoes.

A service, or a proxy before it, may quote a request in what it says of it; an error's
words go on to people, logs and models.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping

__all__ = ["strike_out"]

STRUCK = b"[credentials]"
SHORTEST = 6
"""Characters from which on a text is told from a word by chance."""


def strike_out(body: bytes, credentials: Mapping[str, str]) -> bytes:
    """The body with everything struck out that is, or is part of, the credentials.

    Args:
        body: What the service answered.
        credentials: The headers that were sent for it.
    """
    for value in credentials.values():
        # The longer forms hold one of the shorter, which are nearly never there.
        if any(secret in body for form in _shortest(value) for secret in _written(form)):
            for form in _forms(value):
                for secret in _written(form):
                    body = body.replace(secret, STRUCK)
    return body


def _forms(value: str) -> list[str]:
    """A header's value, its token without the scheme, and what a Basic token says; the longest first."""
    scheme, _, token = value.partition(" ")
    forms = [value, token]
    if scheme.lower() == "basic":
        pair = b64decode(token).decode(errors="ignore")
        forms += [pair, pair.partition(":")[2]]
    return sorted((form for form in forms if len(form) >= SHORTEST), key=len, reverse=True)


def _shortest(value: str) -> list[str]:
    """The forms of which every other holds one."""
    forms = _forms(value)
    return [form for form in forms if not any(other != form and other in form for other in forms)]


def _written(secret: str) -> Iterator[bytes]:
    """The ways in which a secret is written: as it is, and with its slashes escaped, as in JSON."""
    yield secret.encode()
    if "/" in secret:
        yield secret.replace("/", "\\/").encode()
