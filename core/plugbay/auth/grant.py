"""The two grants by which a token is renewed, and the reading of what the token endpoint answers.

Sources: RFC 6749 sections 4.4 (client credentials), 5 (answers) and 6 (refresh).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from plugbay.auth.credentials import SecretMap, TokenAnswer, header_text, reveal
from plugbay.auth.tokens import Tokens
from plugbay.errors import AuthenticationError, ConfigurationError, ResponseIntegrityError

__all__ = ["Client", "is_spent", "read_tokens", "refusal"]

_ERROR_CODE = re.compile(r"[A-Za-z_]{1,64}")

_HINTS = {
    "invalid_grant": "The refresh token is spent, expired or revoked: authorize again and store the new pair.",
    "invalid_client": "Check client_id and client_secret; a public client has no secret.",
    "invalid_scope": "Ask only for scopes that the OAuth client is allowed.",
}
_AUTHORIZE_AGAIN = "Authorize again, and check client_id and client_secret."


@dataclass(frozen=True, slots=True)
class Client:
    """The OAuth client that asks.

    Args:
        id: Its public identifier.
        secret: Its secret; None for a public client.
        scope: The scopes to ask for, space separated; None leaves it to the service.
    """

    id: SecretStr | None
    secret: SecretStr | None
    scope: str | None

    def grant(self, refresh_token: SecretStr | None) -> SecretMap[str] | None:
        """The body to post for a new token, or None if what is known does not suffice."""
        if self.id is None:
            return None
        if refresh_token is not None:
            return self._body("refresh_token", refresh_token)
        return self._body("client_credentials") if self.secret is not None else None

    def _body(self, grant_type: str, refresh_token: SecretStr | None = None) -> SecretMap[str]:
        parts = {
            "grant_type": grant_type,
            "refresh_token": refresh_token,
            "client_id": self.id,
            "client_secret": self.secret,
            "scope": self.scope,
        }
        return SecretMap({name: reveal(value) for name, value in parts.items() if value is not None})


def read_tokens(answer: TokenAnswer, *, now: float, refresh_token: SecretStr | None) -> Tokens:
    """The tokens in a successful answer.

    Args:
        answer: What the token endpoint said.
        now: Seconds since the epoch.
        refresh_token: Kept where the service did not give another.

    Raises:
        ResponseIntegrityError: There is no usable bearer token in it.
    """
    body = _fields(answer)
    lifetime = _lifetime(body.get("expires_in"))
    scope = body.get("scope")
    return Tokens(
        access_token=_access_token(body, answer.status),
        refresh_token=_secret(body.get("refresh_token")) or refresh_token,
        expires_at=None if lifetime is None else now + lifetime,
        scope=scope if isinstance(scope, str) else None,
    )


def refusal(answer: TokenAnswer) -> AuthenticationError:
    """The error for a token endpoint that said no; of the answer only the error code is kept."""
    body = _fields(answer)
    code = body.get("error")
    known = code if isinstance(code, str) and _ERROR_CODE.fullmatch(code) else None
    return AuthenticationError(
        f"The token endpoint refused to renew the access token: {known or f'HTTP {answer.status}'}.",
        hint=_HINTS.get(known or "", _AUTHORIZE_AGAIN),
        details={"status": answer.status, "error": known},
    )


def is_spent(error: AuthenticationError) -> bool:
    """Whether a refusal means that the refresh token itself is no longer good."""
    return (error.details or {}).get("error") == "invalid_grant"


def _fields(answer: TokenAnswer) -> SecretMap[Any]:
    is_object = isinstance(answer.json, dict)
    return SecretMap(answer.json if is_object else {})


def _access_token(body: SecretMap[Any], status: int) -> SecretStr:
    token = _secret(body.get("access_token"))
    kind = body.get("token_type", "bearer")
    if token is None or not isinstance(kind, str) or kind.lower() != "bearer":
        raise ResponseIntegrityError("The token endpoint gave no bearer token.", details={"status": status})
    try:
        header_text(token, "access token")
    except ConfigurationError:
        pass
    else:
        return token
    raise ResponseIntegrityError("The token endpoint gave a token that cannot be sent.", details={"status": status})


def _secret(value: Any) -> SecretStr | None:
    return SecretStr(value) if isinstance(value, str) and value else None


def _lifetime(value: Any) -> float | None:
    return value if isinstance(value, int | float) and 0 < value < math.inf else None
