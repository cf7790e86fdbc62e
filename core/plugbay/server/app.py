"""The application: every room of the server behind one way in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from pydantic_core import to_json
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Scope

from plugbay.server import api, health, oauth, pages
from plugbay.server.caller import authenticate
from plugbay.server.endpoint import Call, Endpoint, endpoint, routes
from plugbay.server.failures import answer_for
from plugbay.server.mcp import Mcp
from plugbay.server.middleware.access_log import AccessLog
from plugbay.server.middleware.bodies import Bodies
from plugbay.server.middleware.boundary import Boundary
from plugbay.server.middleware.deadlines import Deadlines
from plugbay.server.middleware.draining import Draining
from plugbay.server.middleware.request_ids import RequestIds
from plugbay.server.middleware.security_headers import SecurityHeaders
from plugbay.server.middleware.tracing import Tracing
from plugbay.server.openapi import Document, document
from plugbay.server.state import Server
from plugbay.server.upkeep import keep_up

__all__ = ["ENDPOINTS", "application", "create_app"]

ENDPOINTS: tuple[Endpoint, ...] = (*health.ENDPOINTS, *api.ENDPOINTS, *oauth.ENDPOINTS)
"""What programs may call."""

ROUTES: tuple[BaseRoute, ...] = (*oauth.ROUTES, *pages.ROUTES)
"""What browsers see; of these the OpenAPI document says nothing."""

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def create_app(server: Server) -> Starlette:
    """The whole server.

    Args:
        server: Its parts, open.
    """
    mcp = Mcp(server)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        async with mcp.lifespan(), _beside(keep_up(server)):
            yield

    return application(server, ENDPOINTS, (*ROUTES, *mcp.routes), lifespan)


def application(
    server: Server,
    endpoints: Sequence[Endpoint],
    others: Sequence[BaseRoute] = (),
    lifespan: Lifespan | None = None,
) -> Starlette:
    """An application of these endpoints, with everything that each request passes.

    Args:
        server: The parts that handlers are given; routes find them as `request.app.state.server`.
        endpoints: What the OpenAPI document describes.
        others: More routes.
        lifespan: What is around the time in which requests are answered.
    """
    described = _described(endpoints, server.settings.public_url)
    app = _Application(routes=[*routes(server, described, authenticate), *others], lifespan=lifespan)
    # A redirect would lose the body of a POST, and its address would be taken from the request's Host header.
    app.router.redirect_slashes = False
    app.state.server = server
    return app


@asynccontextmanager
async def _beside(work: Coroutine[None, None, None]) -> AsyncGenerator[None]:
    """Lets something run during the block."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class _Application(Starlette):
    """Starlette's routing, with our own way in: its own answers failures in another form."""

    def build_middleware_stack(self) -> ASGIApp:
        """What a request passes, the innermost first."""
        server: Server = self.state.server
        settings = server.settings
        inner: ASGIApp = Boundary(Deadlines(self.router, seconds=settings.request_timeout), _failure)
        inner = Bodies(inner, server.drain, limit=settings.body_limit, seconds=settings.body_timeout)
        inner = Draining(inner, server.drain, settings.max_requests)
        inner = SecurityHeaders(inner, is_https=settings.is_https)
        return RequestIds(Tracing(AccessLog(inner)))


def _failure(scope: Scope, error: Exception) -> Response:
    """A page for a person, the envelope for a program."""
    request = Request(scope)
    if not scope["path"].startswith("/api/") and "text/html" in request.headers.get("accept", ""):
        return pages.failed(request, error)
    return answer_for(error, scope.get("plugbay.request_id", ""))


def _described(endpoints: Sequence[Endpoint], public_url: str) -> list[Endpoint]:
    """The endpoints, and the one that describes them all and itself."""
    content = b""

    @endpoint("GET", "/openapi.json", summary="This document", answer=Document, auth="none", tag="Health")
    async def openapi(_call: Call) -> Response:
        """The OpenAPI 3.1 description of everything that programs may call."""
        return Response(content, media_type="application/json")

    described = [*endpoints, openapi]
    content = to_json(document(described, public_url))
    return described
