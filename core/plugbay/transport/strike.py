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
    for secret in sorted({form for value in credentials.values() for form in _forms(value)}, key=len, reverse=True):
        if len(secret) >= SHORTEST:
            body = body.replace(secret.encode(), STRUCK).replace(secret.replace("/", "\\/").encode(), STRUCK)
    return body


def _forms(value: str) -> Iterator[str]:
    """A header's value, its token without the scheme, and what a Basic token says."""
    yield value
    scheme, _, token = value.partition(" ")
    yield token
    if scheme.lower() == "basic":
        pair = b64decode(token).decode(errors="ignore")
        yield pair
        yield pair.partition(":")[2]
