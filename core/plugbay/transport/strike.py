"""Strikes out of an answer the credentials that it echoes.

A service, or a proxy before it, may quote a request in what it says of it; an error's
words go on to people, logs and models. What quotes may escape: any character as in JSON
(RFC 8259 section 7), a URL (RFC 3986 section 2.1) or HTML, once or more than once, or
write the whole in UTF-16 or UTF-32.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64Error
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from sys import maxunicode

__all__ = ["strike_out", "strike_text"]

STRUCK = "[credentials]"
SHORTEST = 6
"""Characters from which on a text is told from a word by chance."""

WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")

# Patterns are compiled when they are first needed, which is seldom.
# Backslashes double with each time of escaping; without a bound, a long run of them would be searched from each one.
_ESCAPE = rb"""(?xi)
    \\{1,31}(?:u(?P<unit>[0-9a-f]{4})|(?P<same>["'/]))
    |\\(?P<slash>\\)
    |%(?:25)*(?P<octet>[0-9a-f]{2})
    |&(?:amp;)*(?:\#(?:x0*(?P<point>[0-9a-f]{1,6})|0*(?P<decimal>[0-9]{1,7}));?|(?P<name>amp|lt|gt|quot|apos);)"""
_NAMES = {b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'"}

# What stands for a printable character of ASCII; a search that begins with a fixed text is fast.
_CODES = (
    (b"\\", rb"\\u00([2-7][0-9a-fA-F])", 16),
    (b"%", rb"%(?:25)*([2-7][0-9a-fA-F])", 16),
    (b"&", rb"&(?:amp;)*#([xX][0-9a-fA-F]{1,8}|[0-9]{1,8})", 10),
)
_SHORT = (
    ("/", b"\\/"), ('"', b'\\"'), ("'", b"\\'"), ("\\", b"\\\\"),
    ("&", b"&amp;"), ("<", b"&lt;"), (">", b"&gt;"), ('"', b"&quot;"), ("'", b"&apos;"),
)  # fmt: skip


def strike_out(body: bytes, credentials: Mapping[str, str]) -> bytes:
    """The body with everything struck out that is, or is part of, the credentials; the same object if nothing is.

    Args:
        body: What the service answered.
        credentials: The headers that were sent for it.
    """
    for value in credentials.values():
        forms = _forms(value)
        # The longer forms hold one of the shorter, which are nearly never there.
        shortest = [form for form in forms if not any(other != form and other in form for other in forms)]
        wide = WIDE if b"\0" in body else ()
        if any(secret in body for form in shortest for secret, _ in _written(form, wide)):
            for form in forms:
                for secret, struck in _written(form, wide):
                    body = body.replace(secret, struck)
        if _may_be_escaped(body, "".join(shortest)):
            body = _strike_escaped(body, forms)
    return body


def strike_text(text: str, credentials: Mapping[str, str]) -> str:
    """The same for a text, such as the value of a header.

    Args:
        text: What the service answered.
        credentials: The headers that were sent for it.
    """
    body = text.encode(errors="surrogatepass")
    return strike_out(body, credentials).decode(errors="surrogatepass")


def _forms(value: str) -> list[str]:
    """A header's value, its token without the scheme, and what a Basic token says; the longest first.

    Base64 is also written without its padding, and in the alphabet for URLs (RFC 4648 section 5).
    """
    scheme, _, token = value.partition(" ")
    forms = {value, token}
    if scheme.lower() == "basic":
        for written in (token, token.translate({ord("+"): "-", ord("/"): "_"})):
            forms |= {written, written.rstrip("=")}
        try:
            pair = b64decode(token).decode(errors="ignore")
        except NotBase64Error:
            pair = ""
        forms |= {pair, pair.partition(":")[2]}
    return sorted((form for form in forms if len(form) >= SHORTEST), key=len, reverse=True)


def _written(secret: str, wide: tuple[str, ...]) -> Iterator[tuple[bytes, bytes]]:
    """The ways in which a secret is written without escapes, each with what is put in its place."""
    yield secret.encode(), STRUCK.encode()
    for encoding in wide:
        yield secret.encode(encoding), STRUCK.encode(encoding)


def _may_be_escaped(body: bytes, secrets: str) -> bool:
    """Whether the body has an escape that stands for a character of the secrets."""
    if not any(mark in body for mark in (b"\\", b"%", b"&")):
        return False
    if not secrets.isascii():
        return True
    codes = {*secrets.encode(), *_unescaped(secrets.encode())[0]}
    return any(
        mark in body and any(_code(text, base) in codes for text in set(re.findall(pattern, body)))
        for mark, pattern, base in _CODES
    ) or any(character in secrets and short in body for character, short in _SHORT)


def _code(text: bytes, base: int) -> int:
    return int(text[1:], 16) if text[:1] in {b"x", b"X"} else int(text, base)


def _strike_escaped(body: bytes, secrets: list[str]) -> bytes:
    """The body without the secrets that are read from it when its escapes are; all else is left as it is written."""
    plain, ends, moved = _unescaped(body)
    spans: list[tuple[int, int]] = []
    # What looks like an escape in a secret itself was read as one, too.
    for secret in {read for form in secrets for read in (form.encode(), _unescaped(form.encode())[0])}:
        start = plain.find(secret)
        while start >= 0:
            end = start + len(secret)
            spans.append((start + moved[bisect_right(ends, start) - 1], end + moved[bisect_right(ends, end) - 1]))
            start = plain.find(secret, end)
    if not spans:
        return body
    kept: list[bytes] = []
    done = 0
    for start, end in sorted(spans):
        if start >= done:
            kept += [body[done:start], STRUCK.encode()]
        done = max(done, end)
    return b"".join([*kept, body[done:]])


def _unescaped(body: bytes) -> tuple[bytes, list[int], list[int]]:
    """The body with its escapes read, where each of them ends in that, and how far the body is ahead from there on."""
    pieces: list[bytes] = []
    ends, moved = [0], [0]
    done = length = 0
    for escape in re.finditer(_ESCAPE, body):
        meant = _meant(escape)
        pieces += [body[done : escape.start()], meant]
        length += escape.start() - done + len(meant)
        done = escape.end()
        ends.append(length)
        moved.append(done - length)
    pieces.append(body[done:])
    return b"".join(pieces), ends, moved


def _meant(escape: re.Match[bytes]) -> bytes:
    kind, text = str(escape.lastgroup), escape[str(escape.lastgroup)]
    if kind in {"same", "slash"}:
        return text
    if kind == "name":
        return _NAMES[text.lower()]
    code = int(text, 10 if kind == "decimal" else 16)
    if kind == "octet":
        return bytes([code])
    return chr(code).encode(errors="replace") if code <= maxunicode else b"?"
