"""Who may come in at `/mcp`, and to which workspace: the token says it, or the token and a workspace's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request

from plugbay.server.caller import ORGANIZATION_HEADER, Caller, bearer_token, caller_of, find_bearer
from plugbay.server.execution import check_active
from plugbay.server.failures import ApiError
from plugbay.server.guessing import counted_tokens, has_guessed_too_often
from plugbay.server.mcp import addresses
from plugbay.server.mcp.authorization.tokens import ACCESS
from plugbay.server.mcp.grants import Grants
from plugbay.server.meant import WORKSPACE_HEADER, named_workspace
from plugbay.server.shares import count_request

if TYPE_CHECKING:
    from plugbay.server.state import Server
    from plugbay.server.store import Bearer, Workspace

__all__ = ["WORKSPACE_PARAMETER", "Visitor", "admit"]

WORKSPACE_PARAMETER = "workspace"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who calls tools, and whose.

    Attributes:
        caller: In whose name; it sees the one workspace.
        workspace: The workspace.
        request_id: Of the request.
    """

    caller: Caller
    workspace: Workspace
    request_id: str | None


async def admit(server: Server, request: Request) -> Visitor:
    """Who a request for tools comes from.

    Raises:
        ApiError: 401, there is no token that is good here; 400, 403 or 404, it is not clear which workspace is meant,
            or it is none that may be used; 429, there are too many requests.
    """
    try:
        token = bearer_token(request)
    except ApiError:
        raise _unauthorized(server, "The request has no bearer token.", tried=False) from None
    async with counted_tokens(server, request):
        return await _visitor(server, request, token)


async def _visitor(server: Server, request: Request, token: str) -> Visitor:
    bearer = await find_bearer(server, token, alone=has_guessed_too_often(server, request))
    if bearer is None:
        raise _unauthorized(server, "The token is unknown or has expired.")
    caller = await _caller(server, request, bearer)
    await _spend(server, request, caller, bearer)
    workspace = await _workspace(server, request, caller)
    check_active(workspace.status)
    bound = Caller(caller.organization_id, caller.client_id, workspace.id, via="mcp")
    return Visitor(bound, workspace, request.scope.get("plugbay.request_id"))


async def _caller(server: Server, request: Request, bearer: Bearer) -> Caller:
    if bearer.kind == ACCESS:
        await _check_grant(server, bearer)
        return await caller_of(server, bearer, via="mcp")
    if bearer.kind in ("application", "scoped"):
        wanted = request.headers.get(ORGANIZATION_HEADER)
        return await caller_of(server, bearer, organization_id=wanted, via="mcp")
    raise _unauthorized(server, "The token is for another purpose than this.")


async def _check_grant(server: Server, bearer: Bearer) -> None:
    """Refuses a token that is for somebody else (RFC 8707), or whose grant has ended."""
    if bearer.audience != addresses.resource(server.settings):
        raise _unauthorized(server, "The token is for another resource than this.")
    grant_id = str(bearer.detail.get("grant_id", ""))
    if await Grants(server.database).get(bearer.organization_id, grant_id) is None:
        raise _unauthorized(server, "What the token stands for was revoked.")


async def _spend(server: Server, request: Request, caller: Caller, bearer: Bearer) -> None:
    """Counts the request as one of its client's, as the API does; a grant of the operator counts for itself."""
    if caller.client_id is not None:
        await count_request(server, request.scope, caller.client_id, caller.workspace_id)
    else:
        await count_request(server, request.scope, str(bearer.detail.get("grant_id", caller.organization_id)))


async def _workspace(server: Server, request: Request, caller: Caller) -> Workspace:
    """The workspace that the token is bound to, or the one that is named."""
    named = named_workspace(request.headers) or request.query_params.get(WORKSPACE_PARAMETER)
    if caller.workspace_id is None:
        return await _named(server, caller, named)
    found = await server.workspaces.get(caller.organization_id, caller.workspace_id)
    if found is None:
        raise _unauthorized(server, "The token's workspace is gone.")
    if named and named != found.name:
        raise ApiError(
            403, "The token is bound to another workspace than the one that is named.", error_code="scoped_token"
        )
    return found


async def _named(server: Server, caller: Caller, name: str | None) -> Workspace:
    if not name:
        raise ApiError(
            400,
            "This token is good for several workspaces: name one.",
            error_code="workspace_needed",
            field=WORKSPACE_HEADER,
            hint=f"Add ?workspace=NAME to the address, or the header {WORKSPACE_HEADER}: NAME; or use a token that is "
            "bound to one workspace, from POST /api/v1/account/applications/scoped-token.",
        )
    found = await server.workspaces.by_name(caller.organization_id, name)
    if found is None:
        raise ApiError(
            404,
            "There is no such workspace.",
            error_code="workspace_not_found",
            field=WORKSPACE_HEADER,
            hint="GET /api/v1/workspaces lists them.",
        )
    return found


def _unauthorized(server: Server, message: str, *, tried: bool = True) -> ApiError:
    """A 401 that tells a client where it learns how to get a token (RFC 9728 section 5.1, RFC 6750 section 3)."""
    said = f'error="invalid_token", error_description="{message}", ' if tried else ""
    where = addresses.resource_metadata(server.settings)
    return ApiError(
        401,
        message,
        error_code="unauthorized",
        hint="A client of the Model Context Protocol finds how to get a token by the header WWW-Authenticate; a program "
        "may use a token of the API.",
        headers={"WWW-Authenticate": f'Bearer {said}resource_metadata="{where}", scope="{addresses.SCOPE}"'},
    )
