"""A user and a password, or what stands in for them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping

from pydantic import SecretStr

from plugbay.auth.credentials import Credentials, Exchange, SecretMap, Unpicklable, header_text
from plugbay.errors import ConfigurationError

__all__ = ["BasicToken"]


class BasicToken(Unpicklable, Credentials):
    """HTTP Basic credentials (RFC 7617), which never expire and cannot be renewed.

    Args:
        user: The user, such as an e-mail address; no colon in it.
        password: The password or API token.

    Raises:
        ConfigurationError: One of them cannot stand in a header.
    """

    __slots__ = ("_headers",)

    def __init__(self, user: str, password: SecretStr | str) -> None:
        if ":" in user:
            raise ConfigurationError("The user name or e-mail has a colon in it, which HTTP Basic cannot carry.")
        pair = f"{header_text(user, 'user name or e-mail')}:{header_text(password, 'password or API token')}"
        self._headers = SecretMap(authorization=f"Basic {b64encode(pair.encode()).decode()}")

    def __repr__(self) -> str:
        return "BasicToken(**********)"

    async def headers(self, exchange: Exchange) -> Mapping[str, str]:
        """The same headers every time."""
        del exchange
        return self._headers

    async def renew(self, failed: Mapping[str, str], exchange: Exchange) -> Mapping[str, str] | None:
        """None: there is nothing to renew."""
        del failed, exchange
        return None
