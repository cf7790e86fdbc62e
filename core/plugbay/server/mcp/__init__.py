"""The Model Context Protocol over a server: `/mcp`, and the authorization server that its clients need."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from starlette.routing import Route

from plugbay.server.mcp import addresses
from plugbay.server.mcp.authorization import consent, metadata, registration, tokens
from plugbay.server.mcp.entrance import Entrance

if TYPE_CHECKING:
    from plugbay.server.state import Server

__all__ = ["Mcp"]

_READ = ["GET", "OPTIONS"]
_POST = ["POST", "OPTIONS"]


class Mcp:
    """What an application is given so that it serves the Model Context Protocol.

    Args:
        server: Whose connectors are the tools; it is the application's `state.server` too.

    Attributes:
        routes: The routes to add.
    """

    def __init__(self, server: Server) -> None:
        self._entrance = Entrance(server)
        self.routes = (
            Route(addresses.MCP, self._entrance),
            Route(addresses.RESOURCE_METADATA, metadata.protected_resource, methods=_READ),
            Route(addresses.RESOURCE_METADATA + addresses.MCP, metadata.protected_resource, methods=_READ),
            Route(addresses.SERVER_METADATA, metadata.server_metadata, methods=_READ),
            consent.show,
            consent.decide,
            Route(addresses.TOKEN, tokens.token, methods=_POST),
            Route(addresses.FALLBACK_TOKEN, tokens.token, methods=_POST),
            Route(addresses.REGISTER, registration.register, methods=_POST),
            Route(addresses.REVOKE, tokens.revoke, methods=_POST),
        )

    def lifespan(self) -> AbstractAsyncContextManager[None]:
        """To be entered before the first request, and left in the same task after the last."""
        return self._entrance.lifespan()
