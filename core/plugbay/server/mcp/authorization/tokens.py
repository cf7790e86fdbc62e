"""Tokens for a code, tokens for a refresh token, and the end of both (RFC 6749 sections 4.1.3 and 6, RFC 7009)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from plugbay.server.mcp import addresses
from plugbay.server.mcp.authorization.pkce import proves
from plugbay.server.mcp.authorization.refusals import NO_STORE, OAuthError
from plugbay.server.mcp.authorization.sharing import read_fields, shared, spend
from plugbay.server.mcp.clients import McpClients
from plugbay.server.mcp.grants import GRANT_SECONDS, Grant, Grants

if TYPE_CHECKING:
    from plugbay.server.state import Server
    from plugbay.server.store import Bearer

__all__ = ["ACCESS", "REFRESH", "revoke", "token"]

ACCESS = "mcp"
REFRESH = "mcp_refresh"
"""What `server.bearers` calls the two kinds of tokens."""


@shared("POST")
async def token(request: Request) -> Response:
    """A new pair of tokens, for a code or for the refresh token of the pair before."""
    server: Server = request.app.state.server
    await spend(request, "mcp-token")
    fields = await read_fields(request)
    if not addresses.is_resource(server.settings, fields.get("resource")):
        raise OAuthError("invalid_target", f"resource must be {addresses.resource(server.settings)}.")
    if "client_id" not in fields:
        raise OAuthError("invalid_client", "client_id is missing.", status=401)
    kind = fields.get("grant_type")
    if kind == "authorization_code":
        return await _for_code(server, fields)
    if kind == "refresh_token":
        return await _for_refresh(server, fields)
    raise OAuthError("unsupported_grant_type", "grant_type must be authorization_code or refresh_token.")


@shared("POST")
async def revoke(request: Request) -> Response:
    """Ends the grant that a token belongs to; a token that is not known is ended already (RFC 7009 section 2.2)."""
    server: Server = request.app.state.server
    await spend(request, "mcp-token")
    fields = await read_fields(request)
    if "token" not in fields:
        raise OAuthError("invalid_request", "token is missing.")
    bearer = await server.bearers.find(fields["token"])
    if bearer is not None and bearer.kind in (ACCESS, REFRESH):
        grants = Grants(server.database)
        grant = await grants.get(bearer.organization_id, _grant_id(bearer))
        # A token says nothing about itself to another client (section 2.1).
        if grant is not None and fields.get("client_id", grant.mcp_client_id) == grant.mcp_client_id:
            await grants.revoke(grant.organization_id, grant.id)
        await server.bearers.revoke(fields["token"])
    return Response(status_code=200, headers=NO_STORE)


async def _for_code(server: Server, fields: Mapping[str, str]) -> Response:
    redeemed = await Grants(server.database).redeem(fields.get("code", ""))
    if redeemed is None:
        raise _invalid("The code is unknown, has expired, or was used before.")
    grant = redeemed.grant
    if fields["client_id"] != grant.mcp_client_id:
        raise _invalid("The code was issued to another client.")
    if fields.get("redirect_uri") != redeemed.redirect_uri:
        raise _invalid("redirect_uri is not the one that the code was sent to.")
    if not proves(fields.get("code_verifier"), redeemed.challenge):
        raise _invalid("code_verifier does not fit the code_challenge.")
    return await _issue(server, grant, old=None)


async def _for_refresh(server: Server, fields: Mapping[str, str]) -> Response:
    old = fields.get("refresh_token", "")
    bearer = await server.bearers.find(old) if old else None
    if bearer is None or bearer.kind != REFRESH:
        raise _invalid("The refresh token is unknown, has expired, or was revoked.")
    grant = await Grants(server.database).get(bearer.organization_id, _grant_id(bearer))
    if grant is None or grant.mcp_client_id != fields["client_id"]:
        raise _invalid("The refresh token is of a grant that has ended, or of another client.")
    return await _issue(server, grant, old=old)


async def _issue(server: Server, grant: Grant, *, old: str | None) -> Response:
    """The next pair of a grant.

    A refresh token that was given up before means that two have it, so the grant ends (RFC 9700 section 4.14.2).
    """
    grants = Grants(server.database)
    refresh = await _bearer(server, grant, REFRESH, GRANT_SECONDS)
    if not await grants.renew(grant.organization_id, grant.id, old=old, new=refresh):
        await server.bearers.revoke(refresh)
        await grants.revoke(grant.organization_id, grant.id)
        raise _invalid("The refresh token was used before; the grant has ended.")
    if not grant.mcp_client_id.startswith("https://"):
        await McpClients(server.database).note_use(grant.mcp_client_id)
    lifetime = server.settings.token_lifetime
    body = {
        "access_token": await _bearer(server, grant, ACCESS, lifetime),
        "token_type": "Bearer",
        "expires_in": int(lifetime),
        "refresh_token": refresh,
        "scope": addresses.SCOPE,
    }
    return JSONResponse(body, headers=NO_STORE)


async def _bearer(server: Server, grant: Grant, kind: Any, lifetime: float) -> str:
    made: str = await server.bearers.issue(
        kind,
        client_id=grant.client_id,
        organization_id=grant.organization_id,
        workspace_id=grant.workspace_id,
        lifetime=lifetime,
        audience=grant.resource,
        detail={"grant_id": grant.id},
    )
    return made


def _grant_id(bearer: Bearer) -> str:
    return str(bearer.detail.get("grant_id", ""))


def _invalid(description: str) -> OAuthError:
    return OAuthError("invalid_grant", description)
