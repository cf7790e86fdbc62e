"""Following a link to a file: a few hops, credentials only at home, and never to a private address."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import unquote

import httpx

from plugbay.errors import ResponseIntegrityError
from plugbay.transport.address import is_loopback, is_public
from plugbay.transport.body import PARTIAL
from plugbay.transport.message import Download, Response
from plugbay.transport.origin import AMBIGUOUS, Origin, QuietURL, is_plain, quiet

__all__ = [
    "NOT_IN_RANGE",
    "REDIRECTS",
    "AllowedHosts",
    "file_name_of",
    "file_of",
    "may_fetch",
    "next_hop",
    "size_of",
]

AllowedHosts = Callable[[str], bool] | Sequence[str]
"""The hosts a file may come from: a question, or names, of which one that begins with a dot means all below it."""

REDIRECTS = range(300, 400)
NOT_IN_RANGE = 416

_SIZE = re.compile(r"\d{1,18}")
_TOTAL = re.compile(r"bytes (?:\*|\d{1,18}-\d{1,18})/(\d{1,18})")
_NAME = re.compile(r"""filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))""", re.IGNORECASE)
_ENCODED_NAME = re.compile(r"filename\*\s*=\s*utf-8'[^']*'([^\s;]+)", re.IGNORECASE)
_NOT_IN_A_NAME = re.compile(r"[\x00-\x1f\x7f]")


def next_hop(url: httpx.URL, response: Response) -> QuietURL:
    """Where a redirect leads.

    Raises:
        ResponseIntegrityError: It does not say so, or not in a way that can be read.
    """
    location = response.headers.get("location", "")
    if location and not AMBIGUOUS.search(location):
        try:
            return quiet(httpx.URL(url).join(location))
        except (httpx.InvalidURL, UnicodeError):
            pass
    raise ResponseIntegrityError("The service redirected the download to nowhere.", details={"status": response.status})


def may_fetch(origin: Origin, url: httpx.URL, allowed_hosts: AllowedHosts) -> bool:
    """Whether `url` is of the origin itself, or of a trusted public host under https."""
    if not is_plain(url):
        return False
    if origin.owns(url) or (origin.is_loopback and is_loopback(url.host)):
        return True
    return url.scheme == "https" and is_public(url.host) and _is_allowed(url.host, allowed_hosts)


def file_of(response: Response, offset: int) -> Download:
    """The window of the file that an answer holds."""
    headers = response.headers
    return Download(
        data=b"" if response.status == NOT_IN_RANGE else response.body,
        offset=offset,
        total=_total(response),
        content_type=headers.get("content-type"),
        file_name=file_name_of(headers.get("content-disposition", "")),
    )


def _is_allowed(host: str, allowed_hosts: AllowedHosts) -> bool:
    if callable(allowed_hosts):
        return allowed_hosts(host)
    return any(host == name or (name.startswith(".") and host.endswith(name)) for name in allowed_hosts)


def _total(response: Response) -> int | None:
    if response.status in (PARTIAL, NOT_IN_RANGE):
        match = _TOTAL.match(response.headers.get("content-range", ""))
        return int(match[1]) if match else None
    return size_of(response.headers)


def size_of(headers: Mapping[str, str]) -> int | None:
    """The size of a file that is the whole body, in bytes, if the headers say it."""
    if "content-encoding" in headers:
        return None  # its length is of the encoded file
    match = _SIZE.fullmatch(headers.get("content-length", ""))
    return int(match[0]) if match else None


def file_name_of(disposition: str) -> str | None:
    """The name in a Content-Disposition header (RFC 6266), without any path."""
    if match := _ENCODED_NAME.search(disposition):
        name = unquote(match[1])
    elif match := _NAME.search(disposition):
        name = re.sub(r"\\(.)", r"\1", match[1]) if match[1] is not None else match[2]
    else:
        return None
    name = _NOT_IN_A_NAME.sub("", name).replace("\\", "/").rsplit("/", 1)[-1].strip()
    return name if name not in ("", ".", "..") else None
