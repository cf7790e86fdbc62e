"""Forms that were sent by our own pages, and not by somebody else's (cross-site request forgery).

Every form carries a token made of the session's secret, and a browser that says where a request comes from must say
that it comes from here (Fetch Metadata, section 2.4; RFC 6454 section 7).
"""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest, digest
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

__all__ = ["FIELD", "comes_from_here", "form_token", "is_ours"]

FIELD = "csrf"
"""The name of the field in every form."""

_PURPOSE = b"plugbay form token v1"


def form_token(key: bytes) -> str:
    """The token of the forms of whoever holds `key`."""
    return digest(key, _PURPOSE, sha256).hex()


def is_ours(request: Request, public_url: str, form: Mapping[str, str], key: bytes) -> bool:
    """Whether a form was sent by a page of ours that was made for the holder of `key`."""
    given = form.get(FIELD, "")
    return comes_from_here(request, public_url) and compare_digest(given.encode(), form_token(key).encode())


def comes_from_here(request: Request, public_url: str) -> bool:
    """Whether what the browser says of a request's origin, if it says anything, is that it is ours."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or origin in (_origin(public_url), f"{request.url.scheme}://{request.headers.get('host')}")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
