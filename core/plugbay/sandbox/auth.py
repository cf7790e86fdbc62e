"""Who is calling, and what they may do."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from plugbay.sandbox.account import Account, Record, Token
from plugbay.sandbox.errors import Refused, forbidden, simple

ANYONE, END_USER, AGENT, ADMIN = range(4)
_RANKS = {"end-user": END_USER, "agent": AGENT, "admin": ADMIN}


@dataclass(frozen=True)
class Caller:
    """The user behind a request; `user` is None for an anonymous one, `token` None for all but OAuth."""

    user: Record | None = None
    token: Token | None = None

    @property
    def rank(self) -> int:
        return ANYONE if self.user is None else _RANKS[self.user["role"]]

    def require_user(self) -> Record:
        """The user; 401 when there is none."""
        if self.user is None:
            raise simple(401, "Couldn't authenticate you")
        return self.user


def identify(account: Account, header: str | None) -> Caller:
    """The caller that an Authorization header names.

    A wrong API token or bearer token is refused at once; a wrong or missing password makes an anonymous caller,
    because basic authentication with passwords ended on 2026-01-12.
    """
    scheme, _, value = (header or "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return _by_bearer(account, value.strip())
    if scheme.lower() == "basic":
        return _by_basic(account, value.strip())
    return Caller()


def _by_basic(account: Account, value: str) -> Caller:
    try:
        login, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return Caller()
    if not login.endswith("/token"):
        return Caller()
    user = account.user_by_email(login.removesuffix("/token"))
    if user is None or user["suspended"] or secret not in account.api_tokens:
        raise simple(401, "Couldn't authenticate you")
    return Caller(user)


def _by_bearer(account: Account, value: str) -> Caller:
    token = live_token(account, value)
    user = account.users.get(token.user_id) if token else None
    if token is None or user is None or not user["active"] or user["suspended"]:
        raise invalid_token()
    token.used_at = account.clock.timestamp()
    return Caller(user, token)


def live_token(account: Account, access: str) -> Token | None:
    """The unexpired token with this access value."""
    now = account.clock.timestamp()
    for token in account.tokens.values():
        if token.access == access and (token.expires_at is None or now < token.expires_at):
            return token
    return None


def invalid_token() -> Refused:
    """401 of a bearer token that is unknown, revoked or expired."""
    text = "The access token provided is expired, revoked, malformed or invalid for other reasons."
    return Refused(401, {"error": "invalid_token", "error_description": text})


def authorize(caller: Caller, needed: int, method: str, resource: str | None) -> None:
    """Refuse a caller without the role or, for OAuth tokens, without the scope.

    Args:
        caller: Who asks.
        needed: The least role: ANYONE, END_USER, AGENT or ADMIN.
        method: GET needs `read`, anything else `write`.
        resource: The resource whose narrower scope (such as `tickets:read`) is enough as well; None when only the
            broad scope counts; "" when any token will do.
    """
    if needed > ANYONE:
        caller.require_user()
    if caller.token is not None and resource != "":
        _check_scope(caller.token, "read" if method in ("GET", "HEAD") else "write", resource)
    if caller.rank < needed:
        raise forbidden()


def _check_scope(token: Token, verb: str, resource: str | None) -> None:
    granted = token.scope.split()
    if verb in granted or (resource and f"{resource}:{verb}" in granted):
        return
    body = {"error": "Forbidden", "description": f"You are missing the following required scopes: {verb}"}
    raise Refused(403, body)
