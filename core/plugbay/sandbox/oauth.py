"""The token endpoint: codes, refresh tokens and client credentials in exchange for access tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qsl

from plugbay.sandbox import bodies, oauth_scopes, views
from plugbay.sandbox.account import Account, Client, Record, Token
from plugbay.sandbox.auth import ADMIN
from plugbay.sandbox.clock import at, iso
from plugbay.sandbox.errors import Refused, forbidden, not_found
from plugbay.sandbox.exchange import Call, Reply, is_number

ACCESS_LIFETIME = 1800
REFRESH_LIFETIME = 2_592_000
_ACCESS_BOUNDS = (300, 172_800)
_REFRESH_BOUNDS = (604_800, 7_776_000)


def issue(call: Call) -> Reply:
    """POST /oauth/tokens, as JSON or as a form."""
    given = _parameters(call)
    grants = {
        "authorization_code": _by_code,
        "refresh_token": _by_refresh_token,
        "client_credentials": _by_client_credentials,
    }
    kind = given.get("grant_type")
    if not isinstance(kind, str) or kind not in grants:
        raise _refused("unsupported_grant_type", "The authorization grant type is not supported.")
    token = grants[kind](call, given, _client(call.account, given))
    return Reply(201, _issued(call.account, token), {"cache-control": "no-store", "pragma": "no-cache"})


def _parameters(call: Call) -> Record:
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    text = call.body.decode("utf-8", "replace")
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(text))
    try:
        given = bodies.as_object(json.loads(text or "null"))
    except ValueError:
        given = None
    if given is None:
        raise _refused("invalid_request", "The request is missing a required parameter or is otherwise malformed.")
    return given


def _refused(error: str, description: str, status: int = 400) -> Refused:
    return Refused(status, {"error": error, "error_description": description}, {"cache-control": "no-store"})


def _client(account: Account, given: Record) -> Client:
    """The client; one that has a secret must show it, a public one has none to show."""
    client = account.clients.get(str(given.get("client_id") or ""))
    shown = str(given.get("client_secret") or "")
    if client is None or (
        client.secret is not None and not hmac.compare_digest(client.secret.encode(), shown.encode())
    ):
        text = "Client authentication failed due to unknown client, no client authentication, or wrong secret."
        raise _refused("invalid_client", text, 401)
    return client


def _invalid_grant() -> Refused:
    text = "The provided authorization grant is invalid, expired, revoked, or was issued to another client."
    return _refused("invalid_grant", text)


def _by_code(call: Call, given: Record, client: Client) -> Token:
    grant = call.account.grants.pop(str(given.get("code")), None)
    if grant is None or grant.client_id != client.id or grant.expires_at <= call.account.clock.timestamp():
        raise _invalid_grant()
    if given.get("redirect_uri") != grant.redirect_uri or not _proved(grant.challenge, grant.challenge_method, given):
        raise _invalid_grant()
    return _mint(call.account, client, grant.user_id, grant.scope, given)


def _proved(challenge: str | None, method: str, given: Record) -> bool:
    """Whether the code verifier fits the challenge of the authorization request (RFC 7636, section 4.6)."""
    verifier = given.get("code_verifier")
    if challenge is None:
        return verifier is None
    if not isinstance(verifier, str):
        return False
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return hmac.compare_digest((digest if method == "S256" else verifier).encode(), challenge.encode())


def _by_refresh_token(call: Call, given: Record, client: Client) -> Token:
    """A new pair; the old access token and the old refresh token die in the same moment."""
    account, wanted = call.account, given.get("refresh_token")
    old = next((t for t in account.tokens.values() if t.refresh is not None and t.refresh == wanted), None)
    if old is None or old.client_id != client.id or (old.refresh_expires_at or 0) <= account.clock.timestamp():
        raise _invalid_grant()
    scope = oauth_scopes.text_of(given["scope"]) if given.get("scope") else old.scope
    if not set(scope.split()) <= set(old.scope.split()):
        raise _invalid_scope()
    token = _mint(account, client, old.user_id, scope, given)
    del account.tokens[old.id]
    return token


def _by_client_credentials(call: Call, given: Record, client: Client) -> Token:
    if client.secret is None:
        raise _refused("unauthorized_client", "The client is not authorized to use this grant type.")
    scope = oauth_scopes.text_of(given["scope"]) if given.get("scope") else oauth_scopes.default(client)
    return _mint(call.account, client, client.user_id, scope, given)


def _invalid_scope() -> Refused:
    return _refused("invalid_scope", "The requested scope is invalid, unknown, or malformed.")


def _mint(account: Account, client: Client, user_id: int, scope: str, given: Record) -> Token:
    """A token with the lifetimes that were asked for; client credentials get nothing to refresh it with."""
    if not oauth_scopes.allowed(client, scope):
        raise _invalid_scope()
    now = account.clock.timestamp()
    expires_at = now + _lifetime(given, "expires_in", _ACCESS_BOUNDS, ACCESS_LIFETIME)
    refreshable = now + _lifetime(given, "refresh_token_expires_in", _REFRESH_BOUNDS, REFRESH_LIFETIME)
    until = None if given["grant_type"] == "client_credentials" else refreshable
    return new_token(account, client, user_id, scope, expires_at=expires_at, refresh_expires_at=until)


def new_token(
    account: Account,
    client: Client,
    user_id: int,
    scope: str,
    *,
    expires_at: float | None,
    refresh_expires_at: float | None,
) -> Token:
    """Make and keep a token; it can be refreshed when `refresh_expires_at` (unix seconds) is given."""
    access, refresh = (account.secret(64, "0123456789abcdef") for _ in range(2))
    token = Token(
        id=account.next_id(),
        access=access,
        refresh=refresh if refresh_expires_at is not None else None,
        client_id=client.id,
        user_id=user_id,
        scope=scope,
        created_at=account.clock.timestamp(),
        expires_at=expires_at,
        refresh_expires_at=refresh_expires_at,
    )
    account.tokens[token.id] = token
    return token


def _lifetime(given: Record, name: str, bounds: tuple[int, int], default: int) -> int:
    """A lifetime in seconds; 400 when it is outside its bounds."""
    asked: Any = given.get(name)
    if asked is None:
        return default
    text = str(asked)
    if isinstance(asked, bool) or not is_number(text) or not bounds[0] <= int(text) <= bounds[1]:
        raise _refused("invalid_request", f"{name} must be between {bounds[0]} and {bounds[1]} seconds")
    return int(text)


def _issued(account: Account, token: Token) -> Record:
    answer: Record = {"access_token": token.access, "token_type": "bearer", "scope": token.scope}
    answer["expires_in"] = _left(account, token.expires_at)
    if token.refresh is not None:
        answer |= {"refresh_token": token.refresh, "refresh_token_expires_in": _left(account, token.refresh_expires_at)}
    return answer


def _left(account: Account, moment: float | None) -> int | None:
    return None if moment is None else round(moment - account.clock.timestamp())


def current(call: Call) -> Reply:
    """GET /oauth/tokens/current: the token that the request was made with."""
    return Reply(body={"token": _described(call.account, _own(call))})


def revoke_current(call: Call) -> Reply:
    """DELETE /oauth/tokens/current."""
    del call.account.tokens[_own(call).id]
    return Reply(204)


def revoke(call: Call) -> Reply:
    """DELETE /oauth/tokens/{id}: one's own, or as an administrator anybody's."""
    token = call.account.tokens.get(bodies.path_id(call))
    if token is None:
        raise not_found()
    if token.user_id != call.caller.require_user()["id"] and call.caller.rank < ADMIN:
        raise forbidden()
    del call.account.tokens[token.id]
    return Reply(204)


def _own(call: Call) -> Token:
    if call.caller.token is None:
        raise not_found()
    return call.caller.token


def _described(account: Account, token: Token) -> Record:
    """A token as it may be shown: its values are cut to their first ten characters."""
    return {
        "url": views.url(account, "oauth/tokens", token.id),
        "id": token.id,
        "user_id": token.user_id,
        "client_id": token.client_id,
        "token": token.access[:10],
        "refresh_token": token.refresh[:10] if token.refresh else None,
        "scopes": token.scope.split(),
        "created_at": _written(token.created_at),
        "expires_at": _written(token.expires_at),
        "refresh_token_expires_at": _written(token.refresh_expires_at),
        "used_at": _written(token.used_at),
    }


def _written(moment: float | None) -> str | None:
    return None if moment is None else iso(at(moment))
