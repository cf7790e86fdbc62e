"""Zendesk's two kinds of credentials: OAuth 2.0, and an e-mail address with an API token."""

from __future__ import annotations

import os
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr, model_validator

from plugbay.auth import BasicToken, Credentials, OAuth2, TokenStore
from plugbay.auth.oauth2 import EARLY_SECONDS
from plugbay.errors import ConfigurationError
from plugbay.types import SecretModel

__all__ = ["ApiTokenConfig", "OAuthConfig", "config_from_environment", "credentials_of"]

TOKEN_PATH = "/oauth/tokens"  # noqa: S105 - a path
"""Zendesk's token endpoint."""


class OAuthConfig(SecretModel):
    """OAuth 2.0: an access token, with what renews it; or a client's own id and secret alone.

    With `refresh_token` and `client_id` (and `client_secret`, unless the client is public) an expired access
    token is renewed; the new pair is handed to the connector's `on_token_refresh` and `token_store` before it is
    used, since Zendesk has then ended the old one. With `client_id` and `client_secret` alone the connector
    gets its tokens by the grant `client_credentials`.

    Attributes:
        access_token: The token that calls are made with.
        refresh_token: Renews it, once.
        client_id: The OAuth client's unique identifier.
        client_secret: The OAuth client's secret.
        scope: Scopes to ask for, separated by spaces, when a token is made with client credentials.
        expires_in: Seconds that the access token still lives, if that is known; it is then renewed in time.
    """

    access_token: SecretStr | None = None
    refresh_token: SecretStr | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    scope: str | None = None
    expires_in: float | None = None

    if TYPE_CHECKING:
        # Plain texts are taken and kept as secrets; a checker that sees the fields alone would refuse them.
        def __init__(
            self,
            *,
            access_token: str | SecretStr | None = None,
            refresh_token: str | SecretStr | None = None,
            client_id: str | None = None,
            client_secret: str | SecretStr | None = None,
            scope: str | None = None,
            expires_in: float | None = None,
        ) -> None: ...

    @model_validator(mode="after")
    def _usable(self) -> OAuthConfig:
        if self.access_token is None and self.client_id is None:
            raise _incomplete("give an access_token, or a client_id with its client_secret")
        if self.access_token is None and self.refresh_token is None and self.client_secret is None:
            raise _incomplete("client_secret is needed to get a token for client_id")
        return self


def _incomplete(problem: str) -> ConfigurationError:
    """Not a ValueError: pydantic would wrap it, with all that was given, secrets too, as its input."""
    return ConfigurationError(f"OAuth credentials: {problem}.", hint=f"It takes {', '.join(OAuthConfig.model_fields)}.")


class ApiTokenConfig(SecretModel):
    """An e-mail address and an API token of that agent.

    Zendesk ends API tokens: none can be made since 2026-10-27, and all stop on 2027-04-30.

    Attributes:
        email: The agent's e-mail address.
        api_token: The token from Admin Center.
    """

    email: str
    api_token: SecretStr

    if TYPE_CHECKING:

        def __init__(self, *, email: str, api_token: str | SecretStr) -> None: ...


def credentials_of(
    config: Any, *, on_token_refresh: Any = None, token_store: TokenStore | None = None, timeout: float = 60.0
) -> Credentials:
    """The credentials that a configuration describes.

    Args:
        config: The configuration.
        on_token_refresh: Is told of new tokens.
        token_store: Keeps them.
        timeout: Seconds that a call has; half of them at most are spent on a token that still works.

    Raises:
        ConfigurationError: It describes none.
    """
    if isinstance(config, ApiTokenConfig):
        _warn_of_the_end()
        return BasicToken(f"{config.email}/token", config.api_token)
    if isinstance(config, OAuthConfig):
        return OAuth2(
            token_path=TOKEN_PATH,
            on_token_refresh=on_token_refresh,
            token_store=token_store,
            early_wait=min(EARLY_SECONDS, timeout / 2),
            **{name: getattr(config, name) for name in OAuthConfig.model_fields},
        )
    raise ConfigurationError(
        f"auth_config cannot be {type(config).__name__}.",
        hint="Pass the connector's Oauth20AuthConfig or ApiTokenAuthConfig, from its `models` module.",
    )


def config_from_environment() -> OAuthConfig | ApiTokenConfig:
    """The configuration that the environment describes, OAuth before an API token.

    Raises:
        ConfigurationError: It describes none.
    """
    read = {
        name: os.environ.get(f"ZENDESK_{name.upper()}") or None
        for name in (*OAuthConfig.model_fields, "email", "api_token")
    }
    if read["access_token"] or (read["client_id"] and read["client_secret"]):
        return OAuthConfig.model_validate({name: read[name] for name in OAuthConfig.model_fields})
    if read["email"] and read["api_token"]:
        return ApiTokenConfig(email=read["email"], api_token=SecretStr(read["api_token"]))
    raise ConfigurationError(
        "The environment holds no Zendesk credentials.",
        hint="Set ZENDESK_ACCESS_TOKEN, or ZENDESK_CLIENT_ID and ZENDESK_CLIENT_SECRET, or ZENDESK_EMAIL and ZENDESK_API_TOKEN.",
    )


@cache
def _warn_of_the_end() -> None:
    """Said once for a process: every connector of it has the same news."""
    warnings.warn(
        "Zendesk ends API tokens on 2027-04-30. Move to OAuth: ...Oauth20AuthConfig(client_id=..., client_secret=...).",
        FutureWarning,
        stacklevel=4,
    )
