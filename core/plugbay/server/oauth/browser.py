"""Which browser an authorization is bound to: the one that has our cookie.

The cookie is 256 bits of chance; kept is its digest. So an answer that another browser brings, into which an attacker
may have put it, is not taken (RFC 9700 sections 4.7 and 4.5), and the form on our page cannot be sent by another site.
Its name, `__Host-...` on https, keeps it to this host alone (RFC 6265bis section 4.1.3.2).
"""

from __future__ import annotations

import re
import secrets
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from plugbay.server.settings import Settings

__all__ = ["cookie_name", "digest_of", "form_key", "key_of", "new_key", "owns", "remember"]

_KEY = re.compile(r"[A-Za-z0-9_-]{43}")


def cookie_name(settings: Settings) -> str:
    """The cookie's name."""
    return "__Host-plugbay-consent" if settings.is_https else "plugbay-consent"


def new_key() -> str:
    """A new value for the cookie."""
    return secrets.token_urlsafe(32)


def key_of(request: Request, settings: Settings) -> str | None:
    """The value of a browser's cookie; None if it has none of ours."""
    value = request.cookies.get(cookie_name(settings), "")
    return value if _KEY.fullmatch(value) else None


def remember(response: Response, settings: Settings, key: str) -> None:
    """Has the browser keep its key for as long as an authorization may take.

    The cookie is `Lax`, and not `Strict`, as the browser comes back from another site.
    """
    response.set_cookie(
        cookie_name(settings),
        key,
        max_age=int(2 * settings.flow_lifetime),  # the page and the service's own have a lifetime each
        secure=settings.is_https,
        httponly=True,
        samesite="lax",
    )


def digest_of(key: str) -> str:
    """What is kept of a key."""
    return sha256(key.encode()).hexdigest()


def owns(key: str | None, digest: str | None) -> bool:
    """Whether a browser is the one whose digest was kept."""
    return key is not None and digest is not None and compare_digest(digest_of(key), digest)


def form_key(key: str, ticket: str) -> bytes:
    """What the token of one page's form is made with: good for this browser and this page alone."""
    return f"{key}.{ticket}".encode()
