"""What a connector signs in with: as it is sent to us, as it is sealed, and as the engine takes it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from plugbay.connectors.zendesk.auth import ApiTokenConfig, OAuthConfig
from plugbay.errors import ConfigurationError
from plugbay.server.failures import invalid

if TYPE_CHECKING:
    from pydantic import SecretStr

    from plugbay.auth.tokens import Tokens
    from plugbay.types import SecretModel

__all__ = ["AuthKind", "config_of", "kind_of", "read_credentials", "sealed", "sealed_tokens"]

AuthKind = Literal["oauth", "token", "client_credentials"]

_OTHER_SETTINGS = frozenset({"subdomain", "auth_type", "credentials"})
"""What clients send beside the credentials and is read elsewhere, or says nothing."""


def read_credentials(given: Mapping[str, Any] | None) -> OAuthConfig | ApiTokenConfig:
    """The credentials of a request.

    Args:
        given: `credentials` as it was sent; what is empty counts as not given.

    Raises:
        ApiError: 422, they are missing or incomplete; of what was sent nothing is shown.
    """
    fields = {name: value for name, value in (given or {}).items() if value not in (None, "")}
    fields = {name: value for name, value in fields.items() if name not in _OTHER_SETTINGS}
    model: type[OAuthConfig | ApiTokenConfig] = (
        ApiTokenConfig if {"email", "api_token"} & fields.keys() else OAuthConfig
    )
    if not fields:
        text = "Give access_token (with refresh_token if there is one), or email and api_token."
        raise invalid("credentials", text, error_code="missing")
    try:
        return model.model_validate(fields)
    except ConfigurationError as error:
        problem, details = error.message, error.details or {}
    named = next(iter(details.get("fields", {})), None)
    raise invalid(f"credentials.{named}" if named else "credentials", problem)


def kind_of(config: SecretModel) -> AuthKind:
    """What kind of credentials they are."""
    if isinstance(config, ApiTokenConfig):
        return "token"
    is_own = isinstance(config, OAuthConfig) and config.access_token is None and config.refresh_token is None
    return "client_credentials" if is_own else "oauth"


def sealed(config: OAuthConfig | ApiTokenConfig) -> dict[str, Any]:
    """The record that goes into the vault."""
    value: dict[str, Any] = {"grant_id": uuid.uuid4().hex}
    if isinstance(config, ApiTokenConfig):
        return {**value, "email": config.email, "api_token": config.api_token.get_secret_value()}
    expires_at = None if config.expires_in is None else time.time() + config.expires_in
    return {
        **value,
        "access_token": _text(config.access_token),
        "refresh_token": _text(config.refresh_token),
        "expires_at": expires_at,
        "scope": config.scope,
        "client_id": config.client_id,
        "client_secret": _text(config.client_secret),
    }


def sealed_tokens(tokens: Tokens, client_id: str) -> dict[str, Any]:
    """The record of a pair that was granted to an OAuth app, whose secret is kept elsewhere."""
    return {
        "grant_id": uuid.uuid4().hex,
        "access_token": tokens.access_token.get_secret_value(),
        "refresh_token": _text(tokens.refresh_token),
        "expires_at": tokens.expires_at,
        "scope": tokens.scope,
        "client_id": client_id,
        "client_secret": None,
    }


def config_of(value: Mapping[str, Any], apps: Mapping[str, SecretStr | None]) -> OAuthConfig | ApiTokenConfig:
    """What the engine signs in with.

    Args:
        value: The sealed record.
        apps: The OAuth apps that may renew a token, by client id, with their secrets: the organization's own before
            the operator's. A pair that came without a client is renewed by the first.
    """
    if value.get("api_token"):
        return ApiTokenConfig(email=value["email"], api_token=value["api_token"])
    client_id, secret = value.get("client_id"), value.get("client_secret")
    if client_id is None and value.get("refresh_token"):
        client_id = next(iter(apps), None)
    # Without a refresh token the secret would let in the app itself, and whoever names it is not its owner.
    if secret is None and client_id is not None and value.get("refresh_token"):
        secret = apps.get(client_id)
    expires_at = value.get("expires_at")
    return OAuthConfig(
        access_token=value.get("access_token"),
        refresh_token=value.get("refresh_token"),
        client_id=client_id,
        client_secret=secret,
        scope=value.get("scope") if value.get("access_token") is None else None,
        expires_in=None if expires_at is None else expires_at - time.time(),
    )


def _text(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
