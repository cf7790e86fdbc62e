"""Workspaces: what an organization keeps its connectors in."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from plugbay.server.api.naming import LONGEST_NAME, required_workspace_name
from plugbay.server.api.times import moment
from plugbay.server.auditing import tell_audit
from plugbay.server.caller import Caller, is_id, not_found
from plugbay.server.endpoint import Call, endpoint
from plugbay.server.state import Server
from plugbay.server.store import Workspace, WorkspaceStatus

__all__ = ["ENDPOINTS"]

_PATH = "/api/v1/workspaces"
_ONE = f"{_PATH}/{{workspace_id}}"
_TAG = "Workspaces"


class WorkspaceAnswer(BaseModel):
    """A workspace."""

    id: str
    name: str
    organization_id: str
    status: WorkspaceStatus
    cache_enabled: bool
    created_at: str
    updated_at: str


class WorkspaceList(BaseModel):
    """Some workspaces."""

    data: list[WorkspaceAnswer]
    next: str | None = Field(description="The cursor of the next page; null at the end.")


class WorkspaceQuery(BaseModel):
    """Which workspaces."""

    name_contains: str | None = Field(default=None, max_length=LONGEST_NAME)
    status: WorkspaceStatus | None = None
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=500)


@endpoint("GET", _PATH, summary="List workspaces", query=WorkspaceQuery, answer=WorkspaceList, tag=_TAG)
async def list_workspaces(call: Call[None, WorkspaceQuery]) -> WorkspaceList:
    """Lists workspaces, the oldest first; a scoped token sees its own."""
    caller, wanted = call.caller, call.query
    if caller.workspace_id is not None:
        own = await find_workspace(call.server, caller, caller.workspace_id)
        fits = (wanted.name_contains or "").lower() in own.name.lower() and wanted.status in (None, own.status)
        return WorkspaceList(data=[answer_of(own)] if fits else [], next=None)
    part = await call.server.workspaces.list(
        caller.organization_id,
        name_contains=wanted.name_contains,
        status=wanted.status,
        limit=wanted.limit,
        cursor=wanted.cursor,
    )
    return WorkspaceList(data=[answer_of(each) for each in part.items], next=part.next)


@endpoint("GET", _ONE, summary="Read a workspace", answer=WorkspaceAnswer, errors=(404,), tag=_TAG)
async def get_workspace(call: Call) -> WorkspaceAnswer:
    """Reads one workspace."""
    return answer_of(await find_workspace(call.server, call.caller, call.path["workspace_id"]))


class WorkspaceChange(BaseModel):
    """What is to be changed; the rest stays."""

    name: str | None = Field(default=None, max_length=LONGEST_NAME, pattern=r"\S")
    status: WorkspaceStatus | None = None
    cache_enabled: bool | None = None


@endpoint(
    "PUT",
    _ONE,
    summary="Change a workspace",
    body=WorkspaceChange,
    answer=WorkspaceAnswer,
    auth="application",
    errors=(404, 409),
    tag=_TAG,
)
async def change_workspace(call: Call[WorkspaceChange]) -> WorkspaceAnswer:
    """Renames a workspace, or switches it on or off: the connectors of an inactive one do not run."""
    known = await find_workspace(call.server, call.caller, call.path["workspace_id"])
    change = call.body
    name = None if change.name is None else required_workspace_name(change.name)
    values: dict[str, Any] = {"name": name, "status": change.status, "cache_enabled": change.cache_enabled}
    async with call.server.database.begin() as connection:
        changed = await call.server.workspaces.update(known.organization_id, known.id, **values, connection=connection)
        settings = {name: getattr(changed, name) for name in values}
        await tell_audit(
            call.server,
            call.caller,
            "workspace.changed",
            workspace_id=known.id,
            content=settings,
            connection=connection,
        )
    return answer_of(changed)


@endpoint(
    "DELETE",
    _ONE,
    summary="Delete a workspace",
    answer=WorkspaceAnswer,
    auth="application",
    errors=(404,),
    tag=_TAG,
)
async def delete_workspace(call: Call) -> WorkspaceAnswer:
    """Deletes a workspace with its connectors and their credentials, and tells what it was."""
    known = await find_workspace(call.server, call.caller, call.path["workspace_id"])
    async with call.server.database.begin() as connection:
        if not await call.server.workspaces.delete(known.organization_id, known.id, connection=connection):
            raise not_found("workspace")
        settings = {"name": known.name}
        await tell_audit(
            call.server,
            call.caller,
            "workspace.deleted",
            workspace_id=known.id,
            content=settings,
            connection=connection,
        )
    return answer_of(known)


async def find_workspace(server: Server, caller: Caller, workspace_id: str) -> Workspace:
    """A workspace that the caller may see.

    Raises:
        ApiError: 404, there is none.
    """
    workspace_id = workspace_id.lower()  # RFC 9562 section 4
    found = await server.workspaces.get(caller.organization_id, workspace_id) if is_id(workspace_id) else None
    if found is None or not caller.sees(found.id):
        raise not_found("workspace")
    return found


def answer_of(workspace: Workspace) -> WorkspaceAnswer:
    """A workspace as the API shows it."""
    return WorkspaceAnswer(
        id=workspace.id,
        name=workspace.name,
        organization_id=workspace.organization_id,
        status=workspace.status,
        cache_enabled=workspace.cache_enabled,
        created_at=moment(workspace.created_at),
        updated_at=moment(workspace.updated_at),
    )


ENDPOINTS = [list_workspaces, get_workspace, change_workspace, delete_workspace]
