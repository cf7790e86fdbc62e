"""An OAuth token pair, and where it is kept between processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

__all__ = ["MemoryTokenStore", "TokenStore", "Tokens"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a token endpoint gave.

    Args:
        access_token: Sent with each request.
        refresh_token: Buys the next pair; services that rotate accept it once.
        expires_at: When the access token ends, in seconds since the epoch; None if not known.
        scope: What was granted, as the service wrote it.
    """

    access_token: SecretStr
    refresh_token: SecretStr | None = None
    expires_at: float | None = None
    scope: str | None = None


class TokenStore(Protocol):
    """Keeps the newest pair; several processes that share one share each other's refreshes."""

    async def load(self) -> Tokens | None:
        """The pair saved last, or None if there is none."""
        ...

    async def save(self, tokens: Tokens) -> None:
        """Keep the pair; when this returns it must survive a crash."""
        ...


class MemoryTokenStore(TokenStore):
    """Keeps the pair as long as the process lives.

    Args:
        tokens: What it holds at first.
    """

    def __init__(self, tokens: Tokens | None = None) -> None:
        self._tokens = tokens

    async def load(self) -> Tokens | None:
        """The pair saved last."""
        return self._tokens

    async def save(self, tokens: Tokens) -> None:
        """Keep the pair."""
        self._tokens = tokens
