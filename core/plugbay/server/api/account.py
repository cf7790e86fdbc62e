"""Tokens: a client's id and secret for an application's token, and that for one of a single workspace."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, SecretStr

from plugbay.server.api.naming import LONGEST_NAME, required_workspace_name
from plugbay.server.api.workspaces import find_workspace
from plugbay.server.auditing import tell_audit, tell_refusal
from plugbay.server.caller import Caller
from plugbay.server.endpoint import Call, endpoint
from plugbay.server.execution import check_active
from plugbay.server.failures import ApiError

__all__ = ["DIALECT", "ENDPOINTS"]

DIALECT = "plugbay-1"
"""Tells our own clients what they may rely on beyond the vendor's API."""

_TAG = "Tokens"


class Credentials(BaseModel):
    """A client's credentials."""

    client_id: str = Field(max_length=LONGEST_NAME)
    client_secret: SecretStr = Field(max_length=LONGEST_NAME)


class Token(BaseModel):
    """An application's token."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - a word of RFC 6749
    expires_in: int = Field(description="Seconds that it lives.")
    organization_id: str
    dialect: str = DIALECT


@endpoint(
    "POST",
    "/api/v1/account/applications/token",
    summary="Get a token",
    body=Credentials,
    answer=Token,
    auth="none",
    guarded=True,
    errors=(400, 429),
    tag=_TAG,
)
async def get_token(call: Call[Credentials]) -> Token:
    """Gives a bearer token for a client's id and secret."""
    server, given = call.server, call.body
    client = await server.clients.authenticate(given.client_id, given.client_secret.get_secret_value())
    if client is None:
        await tell_refusal(server, given.client_id, "token.issued", "api")
        raise ApiError(
            400,
            "There is no client with this id and secret.",
            error_code="invalid_client",
            hint="Check client_id and client_secret; was the client revoked?",
        )
    lifetime = server.settings.token_lifetime
    token = await server.bearers.issue(
        "application", client_id=client.id, organization_id=client.organization_id, lifetime=lifetime
    )
    await tell_audit(server, Caller(client.organization_id, client.id), "token.issued")
    return Token(access_token=token, expires_in=int(lifetime), organization_id=client.organization_id)


class Scope(BaseModel):
    """The workspace that a token is to be bound to."""

    workspace_name: str | None = Field(default=None, max_length=LONGEST_NAME)
    customer_name: str | None = Field(default=None, max_length=LONGEST_NAME)
    region_id: str | None = Field(default=None, max_length=LONGEST_NAME, description="Taken, and of no effect here.")


class ScopedToken(BaseModel):
    """A token of one workspace."""

    token: str


@endpoint(
    "POST",
    "/api/v1/account/applications/scoped-token",
    summary="Get a token of one workspace",
    body=Scope,
    answer=ScopedToken,
    auth="application",
    tag=_TAG,
)
async def get_scoped_token(call: Call[Scope]) -> ScopedToken:
    """Gives a token that sees one workspace alone; a workspace that is not there yet is made.

    There is none of a workspace that is switched off.
    """
    server, caller = call.server, call.caller
    name = required_workspace_name(call.body.workspace_name, call.body.customer_name)
    if caller.client_id is None:
        raise ApiError(403, "Tokens of a workspace are made by clients.", error_code="client_needed")
    workspace = await server.workspaces.ensure(caller.organization_id, name)
    check_active(workspace.status)
    token = await server.bearers.issue(
        "scoped",
        client_id=caller.client_id,
        organization_id=caller.organization_id,
        workspace_id=workspace.id,
        lifetime=server.settings.scoped_lifetime,
    )
    await tell_audit(server, caller, "token.issued", workspace_id=workspace.id)
    return ScopedToken(token=token)


class ScopedInfo(BaseModel):
    """What a token of one workspace is bound to."""

    organization_id: str
    workspace_id: str
    workspace_name: str


@endpoint(
    "GET",
    "/api/v1/account/applications/scoped-token/info",
    summary="What a token is bound to",
    answer=ScopedInfo,
    errors=(400, 404),
    tag=_TAG,
)
async def get_scoped_info(call: Call) -> ScopedInfo:
    """Tells the workspace of the scoped token that the request is made with."""
    caller = call.caller
    if caller.workspace_id is None:
        raise ApiError(400, "This token is not bound to a workspace.", error_code="not_scoped")
    workspace = await find_workspace(call.server, caller, caller.workspace_id)
    return ScopedInfo(organization_id=caller.organization_id, workspace_id=workspace.id, workspace_name=workspace.name)


ENDPOINTS = [get_token, get_scoped_token, get_scoped_info]
