"""What a client asks of a person, read from the query of the authorization endpoint (RFC 6749 section 4.1.1)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from plugbay.server.mcp import addresses
from plugbay.server.mcp.authorization.documents import client_of, is_document_url
from plugbay.server.mcp.authorization.pkce import check_challenge
from plugbay.server.mcp.authorization.redirects import is_registered, with_answer
from plugbay.server.mcp.authorization.refusals import OAuthError
from plugbay.server.mcp.clients import McpClient, McpClients

if TYPE_CHECKING:
    from plugbay.server.settings import Settings
    from plugbay.server.state import Server

__all__ = ["Asked", "RefusedError", "read_request"]

LONGEST_QUERY = 8_000
"""Characters of the whole query."""

MOST_PARAMETERS = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a client.

    Attributes:
        query: As it came.
        client: Who asks.
        redirect_uri: Where the answer goes; it is one of the client's.
        state: What the client wants back with it.
        challenge: What the code's verifier must fit.
    """

    query: str
    client: McpClient
    redirect_uri: str
    state: str | None
    challenge: str

    def answer(self, settings: Settings, **told: str) -> str:
        """Where the browser is sent with an answer, which names us as its author (RFC 9207)."""
        return _answer(settings, self.redirect_uri, self.state, told)


class RefusedError(Exception):
    """A request that cannot be put to a person.

    Args:
        error: What is wrong.
        back: Where the client is told of it; None if it is not known to be a client's address.
        client: Who asked, if that is known.
    """

    def __init__(self, error: OAuthError, back: str | None = None, client: McpClient | None = None) -> None:
        self.error = error
        self.back = back
        self.client = client
        super().__init__(str(error))


async def read_request(server: Server, query: str, organization_id: str) -> Asked:
    """What the client asks, checked.

    Args:
        server: The server.
        query: The request.
        organization_id: Whose person is to be asked.

    Raises:
        RefusedError: It may not ask, or not so.
    """
    try:
        fields = _fields(query)
        client = await _client(server, fields.get("client_id"), organization_id)
        redirect_uri = _redirect(client, fields.get("redirect_uri"))
    except OAuthError as error:
        raise RefusedError(error) from error
    state = fields.get("state")
    try:
        challenge = _check(server.settings, fields)
    except OAuthError as error:
        told = {"error": error.error, "error_description": error.description}
        raise RefusedError(error, _answer(server.settings, redirect_uri, state, told), client) from error
    return Asked(query, client, redirect_uri, state, challenge)


def _fields(query: str) -> dict[str, str]:
    try:
        found = parse_qsl(query, max_num_fields=MOST_PARAMETERS) if len(query) <= LONGEST_QUERY else None
    except ValueError:
        found = None
    if found is None:
        raise OAuthError("invalid_request", "The request is too long, or not one that can be read.")
    twice = [name for name, count in Counter(name for name, _ in found).items() if count > 1]
    if twice:
        raise OAuthError("invalid_request", "A parameter is there more than once.")
    return dict(found)


async def _client(server: Server, client_id: str | None, organization_id: str) -> McpClient:
    if not client_id:
        raise OAuthError("invalid_request", "client_id is missing.")
    if is_document_url(client_id):
        return await client_of(server, client_id, organization_id)
    client = await McpClients(server.database).get(client_id)
    if client is None:
        raise OAuthError("invalid_client", "The client is not known here, or no longer; it must register again.")
    return client


def _redirect(client: McpClient, uri: str | None) -> str:
    if uri is None:
        raise OAuthError("invalid_request", "redirect_uri is missing.")
    if not is_registered(uri, client.redirect_uris):
        raise OAuthError("invalid_request", "redirect_uri is not one of those that the client has registered.")
    return uri


def _check(settings: Settings, fields: dict[str, str]) -> str:
    """The request's challenge, if the rest of it is as it must be."""
    if "request" in fields or "request_uri" in fields:
        raise OAuthError("request_not_supported", "Request objects are not supported.")
    if fields.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response_type must be code.")
    if fields.get("response_mode", "query") != "query":
        raise OAuthError("invalid_request", "response_mode must be query.")
    if fields.get("prompt") == "none":
        raise OAuthError("interaction_required", "A person must always be asked.")
    if not addresses.is_resource(settings, fields.get("resource")):
        raise OAuthError("invalid_target", f"resource must be {addresses.resource(settings)}.")
    return check_challenge(fields.get("code_challenge"), fields.get("code_challenge_method"))


def _answer(settings: Settings, uri: str, state: str | None, told: dict[str, str]) -> str:
    return with_answer(uri, {**told, "state": state, "iss": addresses.issuer(settings)})
