"""The connectors of a round, and the grant that some of them share."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from chaos.books import Books
from chaos.fast import clock, monotonic
from chaos.plan import CONNECTORS, Round
from chaos.truth import Service
from chaos.watch import Secrets
from plugbay import Policy
from plugbay.auth import FileTokenStore, Tokens
from plugbay.connectors.zendesk_support import (
    ZendeskSupportApiTokenAuthConfig,
    ZendeskSupportConnector,
    ZendeskSupportOauth20AuthConfig,
)
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector
from plugbay.events import AttemptEvent, CallEvent, Event, RefreshEvent, WaitEvent
from plugbay.tools.spec import ToolSpec, execute_specs
from plugbay.transport import RetryPolicy

__all__ = ["PAIRS", "Field", "Heard", "hear"]

PAIRS = frozenset({"pair", "pair too", "talk pair"})
"""The connectors that share one grant."""

EARLY = 4.0
"""Real seconds that a new grant is said to live, so that it is renewed before its time as well."""

UNAUTHORIZED = 401


@dataclass
class Heard:
    """What was told of the calls of one operation.

    Attributes:
        calls: The ends of calls.
        begun: How many calls began.
        lies: How many answers of 401 came from a fault.
        tries: Each request that was sent: its status, or how it failed, and the service's id of it.
    """

    calls: list[CallEvent] = field(default_factory=list[CallEvent])
    begun: int = 0
    lies: int = 0
    tries: list[str] = field(default_factory=list[str])


hear: ContextVar[Heard | None] = ContextVar("chaos_hear", default=None)
"""Where the events of the running operation go."""


class Field:
    """The connectors of one round, all of one tenant, for any number of event loops and threads.

    Args:
        plan: The round.
        service: Where they lead.
        directory: Where the shared pair is kept.
        books: What is noted of them.
        http: Makes an `httpx.AsyncBaseTransport` for each connector to send through instead of the network.
    """

    def __init__(
        self, plan: Round, service: Service, directory: Path, books: Books, http: Callable[[], Any] | None = None
    ) -> None:
        self._service = service
        self._books = books
        # Not the event loop's own threads: the renewals that it waits for need those.
        self._clerk = ThreadPoolExecutor(1, "chaos-clerk")
        start = service.start
        self.secrets = Secrets([start["api_token"], start["client_secret"]])
        self.store = FileTokenStore(directory / "pair.json")
        self.timeout = plan.timeout
        shared: dict[str, Any] = {
            "base_url": service.base_url,
            "timeout": plan.timeout,
            "retry": RetryPolicy(monotonic=monotonic, clock=clock),
            "on_event": self._told,
        }

        def settings() -> dict[str, Any]:
            return {**shared, "http": http() if http else None}

        asyncio.run(self.store.save(self._granted()))
        client = {"client_id": start["client_id"], "client_secret": start["client_secret"]}
        token = ZendeskSupportOauth20AuthConfig(access_token=start["access_token"])
        basic = ZendeskSupportApiTokenAuthConfig(email=start["email"], api_token=start["api_token"])
        owned = ZendeskSupportOauth20AuthConfig(**client)
        support, talk = ZendeskSupportConnector, ZendeskTalkConnector
        made: dict[str, Any] = {
            "token": support(token, **settings()),
            "basic": support(basic, **settings()),
            "pair": support(owned, token_store=self.store, **settings()),
            "pair too": support(owned, token_store=self.store, **settings()),
            "client": support(owned, **settings()),
            "talk": talk(token, **settings()),
            "talk pair": talk(owned, token_store=self.store, **settings()),
        }
        self.connectors = {name: made[name] for name in CONNECTORS}
        self.tools = self._tools(Policy(read_only=False))
        self.reading_tools = self._tools(None)

    def _tools(self, policy: Policy | None) -> dict[str, ToolSpec]:
        specs: dict[str, Sequence[ToolSpec]] = {
            name: execute_specs([connector], policy=policy) for name, connector in self.connectors.items()
        }
        return {name: spec for name, (spec,) in specs.items()}

    def reauthorize(self) -> Future[bool]:
        """Gives a new grant if the one in the store is lost.

        Returns:
            Whether it was lost, in the future.
        """
        return self._clerk.submit(lambda: asyncio.run(self._reauthorize()))

    async def _reauthorize(self) -> bool:
        # Whoever renews holds this lock over the exchange and the saving, so nothing is under way inside.
        async with self.store.lock():
            stored = await self.store.load()
            live = self._service.ask("live")["refresh"]
            if (
                stored is not None
                and stored.refresh_token is not None
                and stored.refresh_token.get_secret_value() in live
            ):
                return False
            await self.store.save(self._granted())
            self._books.authorized(time.monotonic())
            return True

    def _granted(self) -> Tokens:
        pair = self._service.ask("grant")
        return Tokens(SecretStr(pair["access"]), SecretStr(pair["refresh"]), time.time() + EARLY)

    def expired_since(self, moment: float) -> int:
        """How often renewable tokens were ended before their time since a moment."""
        return sum(each >= moment for each in self._service.ask("live")["expired"])

    async def close(self) -> None:
        """Closes what the running event loop has open."""
        for connector in self.connectors.values():
            await connector.close()

    def close_background(self) -> None:
        """Closes what the library's background loop has open, and ends."""
        self._clerk.shutdown()
        for connector in self.connectors.values():
            connector.sync.close()

    def _told(self, event: Event) -> None:
        if shown := self.secrets.shown_by(json.dumps(event.as_dict())):
            self._books.violation(f"an event shows a secret: {shown}")
        if isinstance(event, RefreshEvent):
            self._books.count(f"refreshes {event.outcome}")
        elif isinstance(event, WaitEvent):
            self._books.count(f"waits for {event.reason}")
        elif isinstance(event, AttemptEvent):
            self._books.count("attempts")
            self._books.count("resent", int(event.resent > 0))
        heard = hear.get()
        if heard is None:
            return
        if isinstance(event, CallEvent):
            heard.begun += event.phase == "started"
            if event.phase == "ended":
                heard.calls.append(event)
        elif isinstance(event, RefreshEvent):
            heard.tries.append(f"refresh {event.outcome}")
        elif isinstance(event, AttemptEvent):
            heard.tries.append(f"{event.status or event.error} {event.request_id or 'no id'}")
            heard.lies += event.status == UNAUTHORIZED and event.request_id is None
