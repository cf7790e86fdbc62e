"""The connectors at work: each record's live connector of the local engine, kept while it is of use."""

from __future__ import annotations

import asyncio
import warnings
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plugbay.errors import AuthenticationError
from plugbay.policy import Policy
from plugbay.server.catalog import by_type
from plugbay.server.credentials import config_of
from plugbay.server.policies import policy_of
from plugbay.server.token_store import Renewal, VaultTokenStore, subject_of
from plugbay.transport.tenancy import apart

if TYPE_CHECKING:
    from pydantic import SecretStr

    from plugbay.auth.tokens import TokenStore
    from plugbay.connectors.zendesk.auth import ApiTokenConfig, OAuthConfig
    from plugbay.connectors.zendesk.connector import ZendeskConnector
    from plugbay.server.catalog import Definition
    from plugbay.server.settings import Settings
    from plugbay.server.store import ConnectorRecord, Leases, OAuthApps, Secrets

__all__ = ["Engines"]

MOST_KEPT = 512
"""Connectors that are kept with their connections; the one that was used longest ago goes first."""


@dataclass(slots=True, eq=False)
class _Kept:
    """A live connector, how many calls use it now, and the renewal that outlives them."""

    connector: ZendeskConnector
    renewal: Renewal
    users: int = 0
    is_out: bool = False

    async def close(self) -> None:
        """Lets go of its connections; an answer with a new pair that comes on one of them is waited for."""
        await self.renewal.over()
        await self.connector.close()


class Engines:
    """Gives each connector record its live connector.

    What another process must know is in the database: the credentials, the pair that was renewed last, the lease
    under which that is done. Kept here are connections, and what answers told of Zendesk's limits.

    Args:
        secrets: The sealed records.
        leases: The locks that all processes share.
        oauth_apps: The OAuth apps of organizations.
        settings: The server's.
        most: Connectors that are kept.
    """

    def __init__(
        self, secrets: Secrets, leases: Leases, oauth_apps: OAuthApps, settings: Settings, *, most: int = MOST_KEPT
    ) -> None:
        self._most = most
        self._secrets = secrets
        self._leases = leases
        self._apps = oauth_apps
        self._settings = settings
        self._kept: OrderedDict[tuple[str, int, str], _Kept] = OrderedDict()
        self._being_made: dict[tuple[str, int, str], asyncio.Task[_Kept]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def use(self, record: ConnectorRecord) -> AsyncGenerator[ZendeskConnector]:
        """The live connector of a record, for the block.

        Args:
            record: As it is in the database now, with its organization's policy.

        Raises:
            AuthenticationError: The record has no credentials any more.
        """
        kept = await self._get(record)
        while kept.is_out:  # it had to make room before anybody used it
            kept = await self._get(record)
        kept.users += 1
        try:
            yield kept.connector
        finally:
            kept.users -= 1
            if kept.is_out and not kept.users:
                self._end(kept)

    async def close(self) -> None:
        """Lets go of all connections."""
        for task in list(self._being_made.values()):
            task.cancel()
        kept, self._kept = list(self._kept.values()), OrderedDict()
        await asyncio.gather(*(each.close() for each in kept), *self._ending, return_exceptions=True)

    async def _get(self, record: ConnectorRecord) -> _Kept:
        key = (record.id, record.version, repr(sorted(record.policy.items())))
        kept = self._kept.get(key)
        if kept is None:
            task = self._being_made.get(key)
            if task is None:
                task = self._being_made[key] = asyncio.ensure_future(self._made(key, record))
                task.add_done_callback(lambda _: self._being_made.pop(key, None))
            kept = await asyncio.shield(task)
        if key in self._kept:
            self._kept.move_to_end(key)
        return kept

    async def _made(self, key: tuple[str, int, str], record: ConnectorRecord) -> _Kept:
        renewal = Renewal()
        kept = self._kept[key] = _Kept(await self._build(record, renewal), renewal)
        older = [known for known in self._kept if known[0] == record.id and known[1] < record.version]
        while len(self._kept) - len(older) > self._most:
            older.append(next(known for known in self._kept if known not in older and known != key))
        for known in older:
            self._put_out(known)
        return kept

    def _put_out(self, key: tuple[str, int, str]) -> None:
        kept = self._kept.pop(key)
        kept.is_out = True
        if not kept.users:
            self._end(kept)

    def _end(self, kept: _Kept) -> None:
        """Closes what nobody uses any more; whoever made room for himself does not wait for another's renewal."""
        task = asyncio.ensure_future(kept.close())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _build(self, record: ConnectorRecord, renewal: Renewal) -> ZendeskConnector:
        secret = await self._secrets.get(record.organization_id, subject_of(record.id))
        definition = by_type(record.connector_type)
        if secret is None or definition is None:
            raise AuthenticationError(
                "The connector has no credentials any more.", hint="Authorize it again, or remove it."
            )
        config = config_of(secret.value, await self.apps(record.organization_id, record.connector_type))
        grant_id = secret.value["grant_id"]
        store = VaultTokenStore(
            self._secrets, self._leases, record.organization_id, record.id, grant_id=grant_id, renewal=renewal
        )
        return self.live(
            definition,
            config,
            record.subdomain,
            token_store=store,
            policy=policy_of(record.policy),
            holder=record.organization_id,
        )

    def live(
        self,
        definition: Definition,
        config: OAuthConfig | ApiTokenConfig,
        subdomain: str,
        *,
        token_store: TokenStore | None = None,
        policy: Policy | None = None,
        holder: str | None = None,
    ) -> ZendeskConnector:
        """A connector of the local engine that nothing else uses; whoever asks for it closes it.

        Args:
            definition: Its kind.
            config: What it signs in with.
            subdomain: The Zendesk account.
            token_store: Where its pair is kept.
            policy: What it may do.
            holder: Whose connectors of the account wait when this one is told to; none but itself if not given.

        Raises:
            ConfigurationError: The credentials cannot be sent.
        """
        with apart((holder or object(), subdomain)), warnings.catch_warnings():
            # That API tokens end is news for whoever gave one, which the web page and the check tell them.
            warnings.simplefilter("ignore", FutureWarning)
            return definition.connector(
                config,
                subdomain=subdomain,
                base_url=self._settings.zendesk_url,
                policy=policy,
                token_store=token_store,
                timeout=self._settings.execute_timeout,
            )

    async def apps(self, organization_id: str, connector_type: str) -> dict[str, SecretStr | None]:
        """The OAuth apps by client id, with their secrets: the organization's own before the operator's."""
        own = await self._apps.find(organization_id, connector_type)
        found: dict[str, SecretStr | None] = {} if own is None else {own.client_id: own.client_secret}
        operators = self._settings.oauth_clients.get(connector_type)
        if operators is not None:
            found.setdefault(operators[0], operators[1])
        return found
