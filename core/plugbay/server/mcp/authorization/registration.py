"""Programs that introduce themselves (RFC 7591): public ones only, for a day unless somebody grants them something."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from plugbay.json_safe import is_object
from plugbay.server.mcp import addresses
from plugbay.server.mcp.authorization.redirects import check_redirects
from plugbay.server.mcp.authorization.refusals import NO_STORE, OAuthError
from plugbay.server.mcp.authorization.sharing import shared, spend
from plugbay.server.mcp.clients import McpClient, McpClients, name_of

if TYPE_CHECKING:
    from plugbay.server.state import Server

__all__ = ["register"]

MAX_BYTES = 65_536
"""Bytes of a registration."""

_GRANTS = ["authorization_code", "refresh_token"]


@shared("POST")
async def register(request: Request) -> Response:
    """Registers a client; what it asks for beyond what there is, it does not get (section 3.2.1)."""
    server: Server = request.app.state.server
    await spend(request, "mcp-register")
    metadata = await _read(request)
    redirect_uris = check_redirects(metadata.get("redirect_uris"))
    _check_grants(metadata)
    client = await McpClients(server.database).register(name_of(metadata), redirect_uris)
    return JSONResponse(_told(client), 201, headers=NO_STORE)


async def _read(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise _refusal("The body must be application/json.")
    body = await request.body()
    if len(body) > MAX_BYTES:
        raise OAuthError("invalid_client_metadata", f"The body has more than {MAX_BYTES} bytes.", status=413)
    try:
        metadata = json.loads(body)
    except (ValueError, RecursionError):
        raise _refusal("The body is not JSON.") from None
    if not is_object(metadata):
        raise _refusal("The body must be a JSON object.")
    return dict(metadata)


def _check_grants(metadata: dict[str, Any]) -> None:
    grants = metadata.get("grant_types", ["authorization_code"])
    if not isinstance(grants, list) or "authorization_code" not in grants:
        raise _refusal("grant_types must contain authorization_code.")
    responses = metadata.get("response_types", ["code"])
    if not isinstance(responses, list) or "code" not in responses:
        raise _refusal("response_types must contain code.")


def _told(client: McpClient) -> dict[str, Any]:
    return {
        "client_id": client.id,
        "client_id_issued_at": int(client.created_at or 0),
        "client_name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "grant_types": _GRANTS,
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": addresses.SCOPE,
    }


def _refusal(description: str) -> OAuthError:
    return OAuthError("invalid_client_metadata", description)
