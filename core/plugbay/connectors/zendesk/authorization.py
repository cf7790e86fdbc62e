"""Zendesk's authorization code grant: where people are asked, and where codes become tokens.

Source: Zendesk, "Using OAuth authentication with your application". A code lives 120 seconds. Redirect addresses are
compared as text with those registered for the OAuth client.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from plugbay.auth import Credentials, OAuth2, Tokens
from plugbay.auth.authorization import CodeGrant
from plugbay.auth.credentials import Exchange
from plugbay.connectors.zendesk.auth import TOKEN_PATH
from plugbay.connectors.zendesk.errors import read_error
from plugbay.connectors.zendesk.hosts import tenant_url
from plugbay.errors import ConfigurationError
from plugbay.transport import Request, Transport

__all__ = ["AUTHORIZATION_PATH", "SCOPE", "ZendeskAuthorization"]

AUTHORIZATION_PATH = "/oauth/authorizations/new"
TOKEN_ITSELF = "/api/v2/oauth/tokens/current"  # noqa: S105 - a path

SCOPE = "read write"
"""What the connectors' actions need."""


class ZendeskAuthorization:
    """Lets people of one Zendesk account authorize an OAuth client.

    Args:
        client_id: The OAuth client's unique identifier.
        redirect_uri: Where the browser comes back to, exactly as registered.
        client_secret: The OAuth client's secret; None for a public client.
        subdomain: The account: `acme` of `https://acme.zendesk.com`, or that URL.
        base_url: Another root for the sandbox and proxies: https, or http on loopback.
        scope: The scopes to ask for, separated by spaces.
        timeout: Seconds that the exchange of a code may take.
        http: An `httpx.AsyncBaseTransport` to send through, for proxies and tests.

    Raises:
        ConfigurationError: The account cannot be told from what was given.
    """

    __slots__ = ("_http", "_root", "_timeout", "grant")

    def __init__(
        self,
        client_id: str,
        redirect_uri: str,
        *,
        client_secret: SecretStr | str | None = None,
        subdomain: str | None = None,
        base_url: str | None = None,
        scope: str = SCOPE,
        timeout: float = 30.0,
        http: Any = None,
    ) -> None:
        root = tenant_url(subdomain, None, base_url)
        if root is None:
            raise ConfigurationError(
                "No Zendesk subdomain is set, so there is nobody to ask.",
                hint='Pass subdomain="acme" for https://acme.zendesk.com.',
            )
        self._root, self._timeout, self._http = root.rstrip("/"), timeout, http
        self.grant = CodeGrant(
            authorization_url=self._root + AUTHORIZATION_PATH,
            token_path=TOKEN_PATH,
            client_id=client_id,
            redirect_uri=redirect_uri,
            client_secret=SecretStr(client_secret) if isinstance(client_secret, str) else client_secret,
            scope=scope,
        )

    def __repr__(self) -> str:
        return f"ZendeskAuthorization({self._root!r})"

    @property
    def issuer(self) -> str:
        """Who answers: the account's root, with which an `iss` in the answer is compared."""
        return self._root

    def url(self, state: SecretStr | str, verifier: SecretStr | str) -> str:
        """Where to send the browser; see `CodeGrant.url`."""
        return self.grant.url(state, verifier)

    async def redeem(self, code: SecretStr | str, verifier: SecretStr | str) -> Tokens:
        """The tokens for a code, which is sent once and to this account only; see `CodeGrant.redeem`."""
        transport = self._transport(_Nobody(), max_attempts=1)  # a code that was seen is spent
        try:
            return await self.grant.redeem(code, verifier, transport.exchange)
        finally:
            await transport.aclose()

    async def revoke(self, tokens: Tokens) -> None:
        """Ends tokens that nobody will use, so that none lies about; their refresh token ends with them.

        Raises:
            PlugbayError: Zendesk does not accept them, or could not be asked.
        """
        transport = self._transport(OAuth2(access_token=tokens.access_token), max_attempts=3)
        try:
            await transport.send(Request("DELETE", TOKEN_ITSELF, repeatable=True))
        finally:
            await transport.aclose()

    def _transport(self, credentials: Credentials, *, max_attempts: int) -> Transport:
        return Transport(
            self._root,
            credentials,
            read_error=read_error,
            timeout=self._timeout,
            max_attempts=max_attempts,
            http=self._http,
        )


class _Nobody:
    """Whoever has no tokens yet."""

    async def headers(self, exchange: Exchange) -> Mapping[str, str]:  # noqa: ARG002 - the protocol's
        return {}

    async def renew(self, failed: Mapping[str, str], exchange: Exchange) -> Mapping[str, str] | None:  # noqa: ARG002 - the protocol's
        return None
