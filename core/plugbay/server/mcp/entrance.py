"""Where requests for `/mcp` arrive: let in who may come in, and handed on to what speaks the protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, MutableMapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json
from starlette.requests import Request
from starlette.responses import Response

from plugbay.server.failures import ApiError, answer_for
from plugbay.server.mcp import addresses
from plugbay.server.mcp.gate import admit
from plugbay.server.mcp.hosts import check_host
from plugbay.server.mcp.speaker import HttpApp, Tools, find_maker
from plugbay.server.mcp.toolbox import Toolbox

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from plugbay.server.state import Server

__all__ = ["EXTRA", "Entrance"]

EXTRA = "fastmcp"
"""The extra without which the protocol is not spoken."""

_TOOLS = "plugbay.tools"
_REFUSED = -32600
"""Invalid request (JSON-RPC 2.0, section 5.1)."""


class Entrance:
    """`/mcp`; an ASGI application.

    Args:
        server: Whose connectors are the tools.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._app: HttpApp | None = None

    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        """Around the time in which requests are answered."""
        make = await asyncio.to_thread(find_maker)
        if make is None:
            yield
            return
        app = make(addresses.MCP, _tools_of)
        async with app.lifespan():
            self._app = app
            try:
                yield
            finally:
                self._app = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        scope["plugbay.route"] = addresses.MCP
        try:
            app = await self._admitted(Request(scope, receive, send))
        except Exception as error:  # noqa: BLE001 - every failure has an answer
            await _readable(answer_for(error, scope.get("plugbay.request_id", "")))(scope, receive, send)
            return
        await app(scope, receive, send)

    async def _admitted(self, request: Request) -> HttpApp:
        check_host(self._server.settings, request)
        if self._app is None:
            raise _not_installed()
        visitor = await admit(self._server, request)
        request.scope[_TOOLS] = Toolbox(self._server, visitor)
        return self._app


def _tools_of(scope: MutableMapping[str, Any]) -> Tools:
    tools: Tools = scope[_TOOLS]
    return tools


def _readable(answer: Response) -> Response:
    """The same refusal as an error of JSON-RPC 2.0, which is the only body that clients of the protocol show."""
    told = from_json(bytes(answer.body))["error"]
    text = f"{told['message']} {told['hint']}" if told["hint"] else told["message"]
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": _REFUSED, "message": text, "data": told}}
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    return Response(to_json(body), answer.status_code, headers)


def _not_installed() -> ApiError:
    return ApiError(
        501,
        f"This server does not speak the Model Context Protocol: the extra `{EXTRA}` is not installed.",
        error_code="mcp_not_installed",
        hint=f'Whoever runs it can add it: pip install "plugbay[server,{EXTRA}]", and start it again.',
    )
