"""Who calls the server, and what is theirs."""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest
from typing import TYPE_CHECKING
from uuid import UUID

from plugbay.server.failures import ApiError
from plugbay.server.guessing import counted_tokens, has_guessed_too_often

if TYPE_CHECKING:
    from starlette.requests import Request

    from plugbay.server.state import Server
    from plugbay.server.store import Bearer, Via

__all__ = [
    "ORGANIZATION_HEADER",
    "Caller",
    "authenticate",
    "bearer_token",
    "caller_of",
    "find_bearer",
    "is_id",
    "no_access",
    "not_found",
    "unauthorized",
]

ORGANIZATION_HEADER = "x-organization-id"

_KINDS = frozenset({"application", "scoped"})
"""The bearers of the API; those of the web page and of MCP are good for nothing here."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    Attributes:
        organization_id: Whose data may be seen.
        client_id: The client whose token it is; None for the operator.
        workspace_id: The one workspace that may be seen, for a token that is bound to it.
        is_admin: Whether it is the operator.
        via: The way the call came.
    """

    organization_id: str
    client_id: str | None
    workspace_id: str | None = None
    is_admin: bool = False
    via: Via = "api"

    def sees(self, workspace_id: str) -> bool:
        """Whether a workspace of the organization may be seen."""
        return self.workspace_id is None or self.workspace_id == workspace_id


async def authenticate(server: Server, request: Request) -> Caller:
    """Who a request to the API comes from.

    Raises:
        ApiError: 401, there is no token that is good here; 403, the client has no access to the organization.
    """
    token = bearer_token(request)
    guessed = has_guessed_too_often(server, request)
    async with counted_tokens(server, request):
        # Somebody has chosen the operator's token, so somebody may guess it: after too many guesses it is not looked at.
        if not guessed and _is_operators(server, token):
            return await _operator(server, request)
        bearer = await find_bearer(server, token, alone=guessed)
        if bearer is None or bearer.kind not in _KINDS:
            raise unauthorized("The token is unknown or has expired.")
        return await caller_of(server, bearer, organization_id=request.headers.get(ORGANIZATION_HEADER))


def _is_operators(server: Server, token: str) -> bool:
    admin = server.settings.admin_token
    return admin is not None and compare_digest(token.encode(), admin.get_secret_value().encode())


async def find_bearer(server: Server, token: str, *, alone: bool) -> Bearer | None:
    """What a token stands for; None if it is unknown or has ended.

    Bearers have 256 random bits. Nobody guesses one, however often he tries, so each is looked up, and who has a good
    one goes on behind the address of somebody who guesses. What guesses must not have is the database: once there were
    too many, their look-ups wait for one another, and have one connection of it at most.

    Args:
        server: The server.
        token: The token.
        alone: Whether its address has guessed too often; see `has_guessed_too_often`.
    """
    if not alone:
        return await server.bearers.find(token)
    async with server.strangers:
        return await server.bearers.find(token)


async def caller_of(server: Server, bearer: Bearer, *, organization_id: str | None = None, via: Via = "api") -> Caller:
    """Whoever holds a bearer.

    Args:
        server: The server.
        bearer: What was found of the token.
        organization_id: The organization to act for, of those that the client reaches; the token's own if not given.
        via: The way the call came.

    Raises:
        ApiError: 403, the client has no access to the organization; or the token is bound to a workspace of another.
    """
    wanted = (organization_id or bearer.organization_id).strip().lower()
    if wanted != bearer.organization_id:
        reached = await server.clients.organizations_of(bearer.client_id) if bearer.client_id else []
        if wanted not in reached or bearer.workspace_id is not None:
            raise no_access()
    return Caller(wanted, bearer.client_id, bearer.workspace_id, via=via)


def bearer_token(request: Request) -> str:
    """The token of a request (RFC 6750 section 2.1).

    Raises:
        ApiError: 401, there is none.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or not token.isascii():
        raise unauthorized("The request has no bearer token.")
    return token


async def _operator(server: Server, request: Request) -> Caller:
    """The operator acts for the organization that is named, or for the only one there is."""
    wanted = request.headers.get(ORGANIZATION_HEADER, "").strip().lower()
    if not wanted:
        known = await server.organizations.list()
        if len(known) != 1:
            raise ApiError(
                400,
                "There are several organizations: name one.",
                error_code="organization_needed",
                field="X-Organization-Id",
            )
        wanted = known[0].id
    elif not is_id(wanted) or await server.organizations.get(wanted) is None:
        raise no_access()
    return Caller(wanted, None, is_admin=True)


def is_id(text: str) -> bool:
    """Whether a text can be the id of anything here: a UUID as they are written."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def unauthorized(message: str) -> ApiError:
    """The error of a request whose token is not good."""
    return ApiError(
        401,
        message,
        error_code="unauthorized",
        hint="Get a token from POST /api/v1/account/applications/token and send it as Authorization: Bearer.",
    )


def no_access() -> ApiError:
    """The error of a client that may not act for an organization, be it there or not."""
    return ApiError(
        403,
        "The client has no access to this organization.",
        error_code="organization_forbidden",
        field="X-Organization-Id",
    )


def not_found(what: str) -> ApiError:
    """The error of something that is not there, or not the caller's."""
    return ApiError(404, f"There is no such {what}.", error_code=f"{what}_not_found")
