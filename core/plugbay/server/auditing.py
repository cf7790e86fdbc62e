"""What is noted in the audit log beside calls of connectors: who changed what, and what it is now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from plugbay.errors import AuthenticationError
from plugbay.server.store import AuditEntry

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from plugbay.server.caller import Caller
    from plugbay.server.state import Server
    from plugbay.server.store import ConnectorRecord, Via

__all__ = ["tell_audit", "tell_refusal"]

LARGEST_VALUE = 2_000
"""Bytes of a setting's value in a note; of a larger one it has the size. Pages of the log are read as a whole."""

REFUSALS_PER_MINUTE = 10
"""Refusals of one client that are noted in a minute: whoever knows an id must not fill its organization's log."""


async def tell_audit(
    server: Server,
    caller: Caller,
    event: str,
    record: ConnectorRecord | None = None,
    *,
    workspace_id: str | None = None,
    subject: str | None = None,
    content: Mapping[str, Any] | None = None,
    outcome: str = "ok",
    connection: AsyncConnection | None = None,
) -> str:
    """Notes in the audit log what was done beside calls of connectors; gives the note's id.

    Args:
        server: The server.
        caller: Who did it.
        event: What.
        record: With which connector.
        workspace_id: Where, if it is neither the connector's workspace nor the caller's own.
        subject: With what else: the id of a client or a grant, a kind of connector.
        content: What a setting is from now on; never a secret, and nothing of a connector's data.
        outcome: `"ok"`, or how it ended otherwise.
        connection: The transaction of what was done, which is then done and noted, or neither.
    """
    entry = AuditEntry(
        organization_id=caller.organization_id,
        workspace_id=record.workspace_id if record else workspace_id or caller.workspace_id,
        connector_id=record.id if record else None,
        client_id=caller.client_id,
        via=caller.via,
        event=event,
        subject=subject,
        outcome=outcome,
        content=None if content is None else {name: _bounded(value) for name, value in content.items()},
    )
    return await server.audit.record(entry, connection=connection)


def _bounded(value: Any) -> Any:
    size = len(to_json(value))
    return value if size <= LARGEST_VALUE else f"[{size} bytes]"


async def tell_refusal(server: Server, client_id: str, event: str, via: Via) -> None:
    """Notes that somebody tried to come in as a client and had not its secret; of an id that nobody has there is no note.

    Args:
        server: The server.
        client_id: As whom.
        event: What it would have been.
        via: By which way.
    """
    organization_id = await server.clients.home_of(client_id)
    if organization_id is None or await server.rates.take(f"refused/{client_id}", REFUSALS_PER_MINUTE) is not None:
        return
    entry = AuditEntry(
        organization_id=organization_id, client_id=client_id, via=via, event=event, outcome=AuthenticationError.code
    )
    await server.audit.record(entry)
