"""What a client can read of the resource and of its authorization server before it asks for anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from plugbay.server.mcp import addresses
from plugbay.server.mcp.authorization.sharing import shared

if TYPE_CHECKING:
    from plugbay.server.settings import Settings
    from plugbay.server.state import Server

__all__ = ["protected_resource", "resource_document", "server_document", "server_metadata"]

KEPT = {"Cache-Control": "public, max-age=300"}


def resource_document(settings: Settings) -> dict[str, Any]:
    """The metadata of `/mcp` (RFC 9728 section 2)."""
    return {
        "resource": addresses.resource(settings),
        "resource_name": "plugbay",
        "authorization_servers": [addresses.issuer(settings)],
        "bearer_methods_supported": ["header"],
        "scopes_supported": [addresses.SCOPE],
    }


def server_document(settings: Settings) -> dict[str, Any]:
    """The metadata of the authorization server (RFC 8414 section 2)."""
    url = settings.public_url
    return {
        "issuer": addresses.issuer(settings),
        "authorization_endpoint": url + addresses.AUTHORIZE,
        "token_endpoint": url + addresses.TOKEN,
        "registration_endpoint": url + addresses.REGISTER,
        "revocation_endpoint": url + addresses.REVOKE,
        "scopes_supported": [addresses.SCOPE],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "client_id_metadata_document_supported": True,
        "protected_resources": [addresses.resource(settings)],
    }


@shared("GET")
async def protected_resource(request: Request) -> Response:
    """The metadata of the resource."""
    server: Server = request.app.state.server
    return JSONResponse(resource_document(server.settings), headers=KEPT)


@shared("GET")
async def server_metadata(request: Request) -> Response:
    """The metadata of the authorization server."""
    server: Server = request.app.state.server
    return JSONResponse(server_document(server.settings), headers=KEPT)
