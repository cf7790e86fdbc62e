"""What a running server is made of."""

from __future__ import annotations

from asyncio import Lock
from collections import Counter
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from plugbay.server.settings import Settings

if TYPE_CHECKING:
    from plugbay.server.database import Database
    from plugbay.server.engines import Engines
    from plugbay.server.store import (
        Audit,
        Bearers,
        Clients,
        Connectors,
        Flows,
        Leases,
        OAuthApps,
        Organizations,
        Rates,
        Secrets,
        Workspaces,
    )
    from plugbay.server.vault import Vault

__all__ = ["Awaited", "Drain", "Server"]


class Awaited(Protocol):
    """A request that waits for its client: for the body, or for what was sent to be read.

    Attributes:
        scope: Its own.
    """

    scope: MutableMapping[str, Any]

    def give_up(self) -> None:
        """Waits no longer."""


@dataclass(slots=True)
class Drain:
    """Whether the process is about to end, and how many requests it still has.

    Attributes:
        begun: From then on the process is not ready, and closes each connection after its answer.
        running: Requests that are being answered.
        by_holder: The same for each client that has any, for each workspace by a token of its own, and for each address
            without a client.
        awaited: Those that wait for their clients, the one that waits longest first.
    """

    begun: bool = False
    running: int = 0
    by_holder: Counter[str] = field(default_factory=Counter[str])
    awaited: dict[Awaited, None] = field(default_factory=dict["Awaited", None])


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The parts of a server; made by `plugbay.server.run.open_server`.

    It holds nothing that another process would need: that is in the database.

    Attributes:
        strangers: Whose turn it is of those who have shown too many tokens that are not good.
    """

    settings: Settings
    database: Database
    vault: Vault
    organizations: Organizations
    clients: Clients
    bearers: Bearers
    workspaces: Workspaces
    connectors: Connectors
    secrets: Secrets
    leases: Leases
    flows: Flows
    oauth_apps: OAuthApps
    audit: Audit
    rates: Rates
    engines: Engines
    drain: Drain = field(default_factory=Drain)
    strangers: Lock = field(default_factory=Lock)
