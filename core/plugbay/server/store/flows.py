"""Authorizations that are under way: what must be known again when the browser comes back, and only once."""

from __future__ import annotations

import secrets as randomness
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import SecretStr
from sqlalchemy import Row, Select, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from plugbay.errors import NotFoundError
from plugbay.server.database import Database
from plugbay.server.store.rows import digest, now
from plugbay.server.store.secrets import Secrets
from plugbay.server.tables import flows, secrets

__all__ = ["Flow", "FlowStage", "Flows"]

FlowStage = Literal["asked", "sent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """An authorization under way.

    Attributes:
        organization_id: Whose connector it will be.
        workspace_id: Where it will be; another that takes its name meanwhile is not meant.
        connector_type: What it will be.
        subdomain: The account's.
        redirect_url: Where the browser is sent in the end.
        name: The connector's.
        replication_config: The connector's.
        client_id: Which client began it.
        oauth_app_id: The organization's OAuth app; None for the operator's.
        connector_id: The connector that is authorized anew; None if one is to be made.
        verifier: PKCE's code verifier (RFC 7636 section 4.1).
        browser: A digest of the cookie that binds it to a browser; None before there is one.
        stage: `"asked"` while the person has our page before them, `"sent"` once the browser is on its way to the service.
        expires_at: Until when they must have agreed, in seconds since the epoch.
    """

    organization_id: str
    workspace_id: str
    connector_type: str
    subdomain: str
    redirect_url: str
    name: str
    replication_config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    client_id: str | None = None
    oauth_app_id: str | None = None
    connector_id: str | None = None
    verifier: SecretStr
    browser: str | None = None
    stage: FlowStage = "asked"
    expires_at: float


_FACTS = (
    "workspace_id",
    "connector_type",
    "subdomain",
    "redirect_url",
    "name",
    "replication_config",
    "client_id",
    "oauth_app_id",
    "connector_id",
)


class Flows:
    """The authorizations of a database that are under way.

    Args:
        database: The database.
        secrets: Where their verifiers are.
    """

    def __init__(self, database: Database, secrets: Secrets) -> None:
        self._database = database
        self._secrets = secrets

    async def begin(self, flow: Flow) -> str:
        """Notes a flow; returns its state, 256 random bits of which only a digest is kept.

        Raises:
            NotFoundError: There is no such organization.
        """
        state = randomness.token_urlsafe(32)
        facts = {name: getattr(flow, name) for name in _FACTS}
        facts["replication_config"] = dict(flow.replication_config)
        row: dict[str, Any] = {"state_hash": digest(state), "organization_id": flow.organization_id, "facts": facts}
        row |= {"stage": flow.stage, "browser": flow.browser, "expires_at": flow.expires_at}
        value = {"verifier": flow.verifier}
        try:
            async with self._database.begin() as connection:
                await connection.execute(insert(flows).values(**row))
                await self._secrets.put(flow.organization_id, _subject(state), value, connection=connection)
        except IntegrityError:
            raise NotFoundError("There is no such organization.") from None
        return state

    async def peek(self, state: str) -> Flow | None:
        """The flow, which stays; None if it is unknown, was taken, or has ended."""
        return await self._opened(await self._database.first(_select(state)))

    async def advance(self, state: str, *, browser: str | None = None) -> bool:
        """Notes that the person agreed and was sent to the service.

        Args:
            state: The flow's.
            browser: The digest of the cookie to bind it to.

        Returns:
            Whether this call did it: False if the flow has ended, or was sent before.
        """
        open_one = (flows.c.state_hash == digest(state), flows.c.stage == "asked", flows.c.expires_at > now())
        values = {"stage": "sent"} | ({} if browser is None else {"browser": browser})
        async with self._database.begin() as connection:
            return bool((await connection.execute(update(flows).where(*open_one).values(**values))).rowcount)

    async def take(self, state: str) -> Flow | None:
        """The flow, which is gone then: of several calls at once one has it.

        Returns:
            None if it is unknown, was taken, or has ended.
        """
        take = delete(flows).where(flows.c.state_hash == digest(state)).returning(flows.c.state_hash)
        async with self._database.begin() as connection:
            # Read first, as the verifier goes with its flow; whoever deletes the row has it.
            row = (await connection.execute(_select(state).with_for_update())).first()
            is_mine = (await connection.execute(take)).first() is not None
        return await self._opened(row) if is_mine else None

    async def purge(self, before: float) -> int:
        """Forgets flows that ended before then (seconds since the epoch); returns how many."""
        async with self._database.begin() as connection:
            return (await connection.execute(delete(flows).where(flows.c.expires_at < before))).rowcount

    async def _opened(self, row: Row[Any] | None) -> Flow | None:
        if row is None or row.expires_at <= now() or not row.facts.keys() >= {*_FACTS}:
            return None
        verifier = SecretStr((await self._secrets.open(row)).value["verifier"])
        given = {"organization_id": row.organization_id, "stage": row.stage, "browser": row.browser}
        # A process of a newer version may have begun it, with facts that this one does not know; what one of an older
        # version began, with fewer, is begun again.
        facts = {name: row.facts[name] for name in _FACTS}
        return Flow(**given, **facts, verifier=verifier, expires_at=row.expires_at)


def _select(state: str) -> Select[Any]:
    """A flow with its sealed verifier."""
    sealed = (secrets.c.subject, secrets.c.version, secrets.c.key_id, secrets.c.wrapped_key, secrets.c.ciphertext)
    its_own = (secrets.c.organization_id == flows.c.organization_id) & (secrets.c.flow_hash == flows.c.state_hash)
    both = select(*flows.c, *sealed).join(secrets, its_own)
    return both.where(flows.c.state_hash == digest(state))


def _subject(state: str) -> str:
    return f"flow/{digest(state)}"
