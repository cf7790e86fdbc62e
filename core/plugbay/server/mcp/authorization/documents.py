"""Clients whose id is the URL of a document that describes them (draft-ietf-oauth-client-id-metadata-document)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from plugbay.errors import PlugbayError
from plugbay.json_safe import is_object
from plugbay.server.mcp.authorization.redirects import check_redirects
from plugbay.server.mcp.authorization.refusals import OAuthError
from plugbay.server.mcp.clients import McpClient, McpClients, name_of
from plugbay.transport.address import is_loopback
from plugbay.transport.document import Document, read_document

if TYPE_CHECKING:
    from plugbay.server.settings import Settings
    from plugbay.server.state import Server

__all__ = ["client_of", "is_document_url"]

MAX_BYTES = 16_384
"""Bytes of a document; the draft advises no more than 5 KB (section 6.6)."""

FETCH_SECONDS = 5.0
"""Seconds in which a document must be there: a person waits for it."""

LONGEST_URL = 1_000

SHORTEST_KEPT, USUALLY_KEPT, LONGEST_KEPT = 60.0, 300.0, 3_600.0
"""Seconds for which a document is remembered: within these bounds as its answer says (RFC 9111 section 5.2.2)."""

FETCHES_PER_MINUTE = 20
"""Documents that are fetched in a minute for the people of one organization, over all processes."""

_PLAIN = re.compile(r"[!-~]+")
_DOT_SEGMENT = re.compile(r"/(?:\.|%2[eE]){1,2}(?:/|$)")
_SHARED_SECRET = ("client_secret_basic", "client_secret_post", "client_secret_jwt")


def is_document_url(client_id: str) -> bool:
    """Whether a client's id means to be the URL of a document."""
    return client_id.startswith(("https://", "http://"))


async def client_of(server: Server, url: str, organization_id: str) -> McpClient:
    """The client that a document describes.

    Args:
        server: The server.
        url: Where the document is.
        organization_id: Whose person is to be asked.

    Raises:
        OAuthError: The URL may not be an id, or no document is there that describes the client under this very URL.
    """
    loopback = _is_at_home(server.settings)
    _check_url(url, loopback=loopback)
    known = McpClients(server.database)
    client = await known.remembered(url)
    if client is not None:
        return client
    if await server.rates.take(f"mcp/documents/{organization_id}", FETCHES_PER_MINUTE) is not None:
        raise OAuthError("temporarily_unavailable", "Too many client documents are asked for.", status=429)
    try:
        document = await read_document(url, max_bytes=MAX_BYTES, timeout=FETCH_SECONDS, loopback=loopback)
    except PlugbayError as error:
        raise _unusable(error.message) from error
    client = _read(url, document)
    await known.remember(client, _kept_for(document))
    return client


def _is_at_home(settings: Settings) -> bool:
    """Whether the server is one for trying things out on this machine, as in the sandbox and in tests."""
    return settings.loopback_redirects and is_loopback(urlsplit(settings.public_url).hostname or "")


def _check_url(url: str, *, loopback: bool) -> None:
    """Refuses what may not be a client's id (section 3)."""
    parts = urlsplit(url) if len(url) <= LONGEST_URL and _PLAIN.fullmatch(url) else None
    if (
        parts is None
        or not (parts.scheme == "https" or loopback)
        or "@" in parts.netloc
        or "#" in url
        or parts.path in ("", "/")
        or _DOT_SEGMENT.search(parts.path)
    ):
        raise _unusable(
            "client_id must be an https URL with a path, and without a user name, a fragment and dot segments"
        )


def _read(url: str, document: Document) -> McpClient:
    if document.content_type != "application/json" and not document.content_type.endswith("+json"):
        raise _unusable("it is not JSON")
    metadata = _parsed(document.body)
    if metadata.get("client_id") != url:
        raise _unusable("its client_id is not the URL that it was read from")
    if "client_secret" in metadata or metadata.get("token_endpoint_auth_method") in _SHARED_SECRET:
        raise _unusable("it has a client secret, which a public document cannot")
    return McpClient(url, name_of(metadata), check_redirects(metadata.get("redirect_uris")))


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        metadata = json.loads(body)
    except (ValueError, RecursionError):
        raise _unusable("it is not JSON") from None
    if not is_object(metadata):
        raise _unusable("it is not a JSON object")
    return dict(metadata)


def _kept_for(document: Document) -> float:
    said = USUALLY_KEPT if document.max_age is None else document.max_age
    return min(max(said, SHORTEST_KEPT), LONGEST_KEPT)


def _unusable(why: str) -> OAuthError:
    text = why.encode("ascii", "replace").decode().rstrip(".")
    return OAuthError("invalid_client", f"The client's metadata document cannot be used: {text}.")
