"""Whether what an authorization was begun for is still so: minutes pass until the person has agreed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugbay.server.oauth.problems import Problem

if TYPE_CHECKING:
    from plugbay.server.state import Server
    from plugbay.server.store import Flow, Workspace

__all__ = ["check_standing", "workspace_of"]


async def workspace_of(server: Server, flow: Flow) -> Workspace | None:
    """The workspace that a flow was begun for, whatever it is called by now; None if it was deleted."""
    return await server.workspaces.get(flow.organization_id, flow.workspace_id)


async def check_standing(server: Server, flow: Flow) -> Workspace:
    """Lets a flow go on whose workspace, client and connector are still what they were.

    Another workspace of the same name is another's, and a client whose access was taken away has none by way of
    somebody else's consent.

    Returns:
        The workspace.

    Raises:
        Problem: Its workspace was deleted or switched off, its client no longer reaches the organization, or the
            connector that is to be authorized anew was removed.
    """
    workspace = await workspace_of(server, flow)
    if workspace is None:
        raise Problem("workspace_not_found")
    if workspace.status != "active":
        raise Problem("workspace_inactive")
    if not await _may_act(server, flow):
        raise Problem("client_revoked")
    if flow.connector_id is not None:
        connector = await server.connectors.get(flow.organization_id, flow.connector_id)
        if connector is None or connector.workspace_id != workspace.id:
            raise Problem("connector_not_found")
    return workspace


async def _may_act(server: Server, flow: Flow) -> bool:
    """Whether whoever began it may still act for the organization; the operator may."""
    return flow.client_id is None or flow.organization_id in await server.clients.organizations_of(flow.client_id)
