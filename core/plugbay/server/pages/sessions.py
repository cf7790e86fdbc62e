"""Who is signed in to the pages: a bearer of kind "web" in a cookie, made anew at every sign-in.

The cookie is `__Host-plugbay` (RFC 6265bis section 4.1.3.2): only for this host, only over TLS, never read by a
script. On plain HTTP, which browsers trust on loopback alone, it has neither the prefix nor `Secure`. It is `Lax` and
not `Strict`, for a person comes back from the service's consent page by a link of another site.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest, digest
from secrets import token_hex
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from plugbay.server.caller import Caller

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from plugbay.server.settings import Settings
    from plugbay.server.state import Server
    from plugbay.server.store import Bearer

__all__ = ["Session", "begin", "cookie_name", "drop_cookie", "end", "find", "set_cookie"]

_KIND: Final = "web"


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is signed in.

    Attributes:
        token: The bearer in the cookie.
        caller: In whose name the pages work.
    """

    token: SecretStr
    caller: Caller

    @property
    def key(self) -> bytes:
        """What the session's form tokens are made with; only this browser and the server know it."""
        return self.token.get_secret_value().encode()


async def begin(server: Server, *, client_id: str | None, organization_id: str) -> SecretStr:
    """Begins a session, under a token that was never seen before.

    Args:
        server: The server.
        client_id: The client that signed in; None for the operator.
        organization_id: Whose data it looks at.
    """
    detail = {} if client_id else _admin_mark(server, token_hex(16))
    token = await server.bearers.issue(
        _KIND,
        client_id=client_id,
        organization_id=organization_id,
        lifetime=server.settings.session_lifetime,
        detail=detail,
    )
    return SecretStr(token)


async def find(server: Server, request: Request) -> Session | None:
    """The session of a request; None if it has none, or one that has ended."""
    token = request.cookies.get(cookie_name(server.settings), "")
    bearer = await server.bearers.find(token) if token and token.isascii() else None
    if bearer is None or bearer.kind != _KIND or not await _still_good(server, bearer):
        return None
    caller = Caller(bearer.organization_id, bearer.client_id, is_admin=bearer.client_id is None, via="web")
    return Session(SecretStr(token), caller)


async def end(server: Server, session: Session) -> None:
    """Ends a session: its token is good for nothing from now on."""
    await server.bearers.revoke(session.token.get_secret_value())


def cookie_name(settings: Settings) -> str:
    """The session cookie's name."""
    return "__Host-plugbay" if settings.is_https else "plugbay"


def set_cookie(response: Response, settings: Settings, token: SecretStr) -> None:
    """Has the browser keep a session."""
    response.set_cookie(
        cookie_name(settings),
        token.get_secret_value(),
        max_age=int(settings.session_lifetime),
        secure=settings.is_https,
        httponly=True,
        samesite="lax",
    )


def drop_cookie(response: Response, settings: Settings) -> None:
    """Has the browser forget its session."""
    response.delete_cookie(cookie_name(settings), secure=settings.is_https, httponly=True, samesite="lax")


async def _still_good(server: Server, bearer: Bearer) -> bool:
    """Whether the person could still sign in: the operator's token is the same, the client reaches the organization."""
    if bearer.client_id is not None:
        return bearer.organization_id in await server.clients.organizations_of(bearer.client_id)
    known = _admin_mark(server, str(bearer.detail.get("salt", "")))
    return bool(known) and compare_digest(str(bearer.detail.get("mark", "")), known["mark"])


def _admin_mark(server: Server, salt: str) -> dict[str, str]:
    """Ties the operator's sessions to the operator's token: who changes it ends them."""
    admin = server.settings.admin_token
    if admin is None:
        return {}
    return {"salt": salt, "mark": digest(admin.get_secret_value().encode(), salt.encode(), sha256).hex()}
