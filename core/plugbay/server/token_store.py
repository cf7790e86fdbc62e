"""The token pair of a connector, kept sealed in the database and renewed by one process at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from plugbay.auth.credentials import Unpicklable
from plugbay.auth.tokens import LockingTokenStore, Tokens
from plugbay.errors import ConfigurationError, ConflictError, ServiceError

if TYPE_CHECKING:
    from plugbay.server.store import Leases, Secrets
    from plugbay.server.store.secrets import Prepared

__all__ = ["LEASE_SECONDS", "Renewal", "VaultTokenStore", "subject_of", "tokens_of", "with_tokens"]

LEASE_SECONDS = 30.0
"""The longest that a call waits for another process's renewal of the same pair."""

_MOST_CLASHES = 5

PAUSES = (0.05, 0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds between two tries to save a pair while the database fails: there is no other copy of it."""


class Renewal:
    """Whether a connector's pair is being renewed in this process, so that nothing it needs is closed meanwhile."""

    def __init__(self) -> None:
        self._over = asyncio.Event()
        self._over.set()

    def begin(self) -> None:
        """It is."""
        self._over.clear()

    def end(self) -> None:
        """It is no more."""
        self._over.set()

    async def over(self) -> None:
        """Waits until it is not, for as long as one may take."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LEASE_SECONDS):
                await self._over.wait()


def subject_of(connector_id: str) -> str:
    """What the vault knows a connector's credentials by."""
    return f"connector/{connector_id}"


class VaultTokenStore(Unpicklable, LockingTokenStore):
    """Keeps one connector's pair in the vault.

    A process that dies between the service's answer and the commit takes the grant with it, as a refresh token works
    once. So whoever has the lock and loads is ready to save in one statement.

    A pair is saved only as long as the connector has the grant that it was renewed from: when a person has
    authorized anew meanwhile, what was renewed of the old grant is void and must not take the new one's place.

    Args:
        secrets: The sealed records.
        leases: The locks that all processes share.
        organization_id: Whose connector it is.
        connector_id: Whose pair it is.
        grant_id: What tells this authorization from an earlier or later one.
        renewal: Is told when a renewal begins and ends.
    """

    def __init__(
        self,
        secrets: Secrets,
        leases: Leases,
        organization_id: str,
        connector_id: str,
        *,
        grant_id: str,
        renewal: Renewal | None = None,
    ) -> None:
        self._secrets = secrets
        self._leases = leases
        self._organization_id = organization_id
        self._connector_id = connector_id
        self._grant_id = grant_id
        self._renewal = renewal or Renewal()
        self._is_locked = False
        self._prepared: Prepared | None = None

    async def load(self) -> Tokens | None:
        """The pair saved last; None if it is no longer of this grant."""
        subject = subject_of(self._connector_id)
        if self._is_locked:
            self._prepared = await self._secrets.prepare(self._organization_id, subject)
            found = None if self._prepared is None else self._prepared.secret
        else:
            found = await self._secrets.get(self._organization_id, subject)
        if found is None or found.value.get("grant_id") != self._grant_id:
            self._prepared = None
            return None
        return tokens_of(found.value)

    async def save(self, tokens: Tokens) -> None:
        """Keep the pair; it is durable when this returns.

        Raises:
            ConfigurationError: The connector is gone, or was authorized anew.
            ServiceError: The database was away for too long.
        """
        for pause in PAUSES:
            try:
                await self._saved(tokens)
            except ServiceError:
                await asyncio.sleep(pause)
            else:
                return
        await self._saved(tokens)

    async def _saved(self, tokens: Tokens) -> None:
        prepared, self._prepared = self._prepared, None
        if prepared is not None:
            with suppress(ConflictError):
                await self._secrets.replace(prepared, with_tokens(prepared.secret.value, tokens))
                return
        subject = subject_of(self._connector_id)
        for _ in range(_MOST_CLASHES):
            found = await self._secrets.get(self._organization_id, subject)
            if found is None or found.value.get("grant_id") != self._grant_id:
                raise ConfigurationError("The connector was removed or authorized anew while its token was renewed.")
            value = with_tokens(found.value, tokens)
            try:
                await self._secrets.put(self._organization_id, subject, value, expected_version=found.version)
            except ConflictError:
                continue
            return
        raise ConflictError("The connector's credentials are being changed by somebody else.", retryable=True)

    @asynccontextmanager
    async def lock(self) -> AsyncGenerator[None]:
        """Holds the connector's lease inside the block.

        Raises:
            DeadlineExceededError: Others held it for too long.
        """
        async with self._leases.hold(f"renewal/{self._connector_id}", wait=LEASE_SECONDS):
            self._is_locked = True
            self._renewal.begin()
            try:
                yield
            finally:
                self._renewal.end()
                self._is_locked, self._prepared = False, None


def tokens_of(value: dict[str, Any]) -> Tokens | None:
    """The pair in a connector's sealed record."""
    access = value.get("access_token")
    if not access:
        return None
    refresh = value.get("refresh_token")
    return Tokens(
        SecretStr(access), SecretStr(refresh) if refresh else None, value.get("expires_at"), value.get("scope")
    )


def with_tokens(value: dict[str, Any], tokens: Tokens) -> dict[str, Any]:
    """A connector's sealed record with another pair."""
    refresh = tokens.refresh_token
    return {
        **value,
        "access_token": tokens.access_token.get_secret_value(),
        "refresh_token": refresh.get_secret_value() if refresh else None,
        "expires_at": tokens.expires_at,
        "scope": tokens.scope,
    }
