"""What people do on the pages, in the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugbay.server.store import AuditEntry

if TYPE_CHECKING:
    from starlette.requests import Request

    from plugbay.server.caller import Caller
    from plugbay.server.state import Server

__all__ = ["note"]


async def note(server: Server, request: Request, caller: Caller, event: str) -> None:
    """Notes what somebody did.

    Args:
        server: The server.
        request: With which it was done.
        caller: Who did it.
        event: What, as `sign_in` or `policy.set`.
    """
    await server.audit.record(
        AuditEntry(
            organization_id=caller.organization_id,
            client_id=caller.client_id,
            via="web",
            event=event,
            request_id=request.scope.get("plugbay.request_id"),
        )
    )
