"""The first page: workspaces, their connectors, and how they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from plugbay.server.catalog import by_type
from plugbay.server.pages.render import STYLE, style_path
from plugbay.server.pages.visits import Visit, screen

if TYPE_CHECKING:
    from plugbay.server.store import ConnectorRecord, Workspace

__all__ = ["ROUTES", "type_name", "workspaces_of"]

ON_A_PAGE = 50
MOST_WORKSPACES = 500
"""Workspaces that a list to choose from has; more are found by typing the name."""


@screen("GET", "/")
async def home(visit: Visit) -> Response:
    """All connectors, or those of one workspace."""
    workspaces = await workspaces_of(visit)
    chosen = visit.request.query_params.get("workspace", "")
    known = {each.id for each in workspaces}
    found = await visit.server.connectors.list(
        visit.organization_id,
        workspace_id=chosen if chosen in known else None,
        limit=ON_A_PAGE,
        cursor=visit.request.query_params.get("cursor") or None,
    )
    return visit.page(
        "home.html",
        workspaces=workspaces,
        chosen=chosen if chosen in known else "",
        rows=[(each, type_name(each.connector_type), await _last_call(visit, each)) for each in found.items],
        next=found.next or "",
    )


async def style(request: Request) -> Response:
    """The style sheet; under the name that has its hash it never changes."""
    is_current = request.url.path == style_path()
    caching = "public, max-age=31536000, immutable" if is_current else "no-cache"
    return Response(
        STYLE, media_type="text/css", headers={"cache-control": caching, "x-content-type-options": "nosniff"}
    )


async def workspaces_of(visit: Visit) -> list[Workspace]:
    """The organization's workspaces, as far as a list can be chosen from."""
    found: list[Workspace] = []
    cursor = None
    while len(found) < MOST_WORKSPACES:
        part = await visit.server.workspaces.list(visit.organization_id, limit=100, cursor=cursor)
        found += part.items
        cursor = part.next
        if cursor is None:
            break
    return sorted(found, key=lambda each: each.name.casefold())


def type_name(connector_type: str) -> str:
    """A kind of connector as people read it: `Zendesk Support`."""
    known = by_type(connector_type)
    return (known.display_name if known else connector_type).replace("-", " ")


async def _last_call(visit: Visit, record: ConnectorRecord) -> float | None:
    found = await visit.server.audit.query(visit.organization_id, connector_id=record.id, event="execute", limit=1)
    return found.items[0].at if found.items else None


ROUTES = [home, Route("/assets/plugbay.{digest}.css", style, methods=["GET"])]
