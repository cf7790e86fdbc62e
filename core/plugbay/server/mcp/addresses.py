"""Where things are: the one resource that tokens are for, its authorization server, and what is known of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plugbay.server.settings import Settings

__all__ = [
    "AUTHORIZE",
    "FALLBACK_TOKEN",
    "MCP",
    "REGISTER",
    "RESOURCE_METADATA",
    "REVOKE",
    "SCOPE",
    "SERVER_METADATA",
    "TOKEN",
    "is_resource",
    "issuer",
    "resource",
    "resource_metadata",
]

MCP = "/mcp"
AUTHORIZE = "/oauth/authorize"
TOKEN = "/oauth/token"  # noqa: S105 - a path
FALLBACK_TOKEN = "/token"  # noqa: S105 - a path
"""Where clients look that were started again and have forgotten the metadata (revision 2025-03-26 of the protocol)."""
REGISTER = "/oauth/register"
REVOKE = "/oauth/revoke"
SERVER_METADATA = "/.well-known/oauth-authorization-server"
RESOURCE_METADATA = "/.well-known/oauth-protected-resource"

SCOPE = "tools"
"""The one scope there is: calling the tools of the workspace that was chosen, as far as its policy lets models."""


def issuer(settings: Settings) -> str:
    """The authorization server's identifier (RFC 8414 section 2)."""
    return settings.public_url


def resource(settings: Settings) -> str:
    """What tokens are for (RFC 8707 section 2)."""
    return settings.public_url + MCP


def resource_metadata(settings: Settings) -> str:
    """Where the resource's metadata is (RFC 9728 section 3.1)."""
    return settings.public_url + RESOURCE_METADATA + MCP


def is_resource(settings: Settings, wanted: str | None) -> bool:
    """Whether a request's `resource` is ours; one that names none can mean no other."""
    return wanted is None or wanted.removesuffix("/") == resource(settings)
