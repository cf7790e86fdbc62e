"""A server of one's own for a test: in the test's own process and event loop, on a port of loopback."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr
from starlette.applications import Starlette

from plugbay.sandbox import Sandbox
from plugbay.server.app import application, create_app
from plugbay.server.endpoint import Endpoint
from plugbay.server.listening import Process, listen
from plugbay.server.run import first_access, opened
from plugbay.server.settings import CONNECTOR_TYPES, Settings
from plugbay.server.state import Server

CALLBACK = "/api/v1/integrations/connectors/oauth/callback"


@dataclass
class Running:
    """A server that runs.

    Attributes:
        url: Where.
        client_id, client_secret, organization_id: Of the first client.
        server: Its parts.
        http: A client of it; its base URL is `url`.
        sandbox: The Zendesk that it calls, if it was given one.
        process: What listens.
    """

    url: str
    client_id: str
    client_secret: str
    organization_id: str
    server: Server
    http: httpx.AsyncClient
    sandbox: Sandbox | None
    process: Process

    async def bearer(self, client_id: str | None = None, client_secret: str | None = None) -> str:
        """A new token of a client; of the first one if none is named."""
        given = {"client_id": client_id or self.client_id, "client_secret": client_secret or self.client_secret}
        answer = await self.http.post("/api/v1/account/applications/token", json=given)
        assert 200 == answer.status_code, answer.text
        return str(answer.json()["access_token"])

    async def signed_in(self) -> dict[str, str]:
        """The headers of a request with a new token."""
        return {"authorization": f"Bearer {await self.bearer()}"}

    async def bound(self, workspace: str) -> dict[str, str]:
        """The headers of a request with a new token of one workspace, which is made if need be."""
        found = await self.server.workspaces.ensure(self.organization_id, workspace)
        facts = {"client_id": self.client_id, "organization_id": self.organization_id, "workspace_id": found.id}
        return {"authorization": f"Bearer {await self.server.bearers.issue('scoped', lifetime=60, **facts)}"}


@asynccontextmanager
async def serving(
    sandbox: Sandbox | None = None,
    *,
    endpoints: Sequence[Endpoint] | None = None,
    address: str = "127.0.0.1",
    **settings: Any,
) -> AsyncGenerator[Running]:
    """Runs a server for the block.

    Args:
        sandbox: The Zendesk that it calls, with its OAuth client as the operator's.
        endpoints: These in place of the server's own, for tests of what is around them.
        address: Where it listens.
        **settings: Of `Settings`; the database is a new SQLite file if none is named.
    """
    bound = listen(address, 0)
    try:
        with tempfile.TemporaryDirectory() as folder:
            settings.setdefault("database_url", f"sqlite:///{Path(folder) / 'plugbay.db'}")
            settings.setdefault("port", bound.getsockname()[1])
            if sandbox is not None:
                settings = {**_of_sandbox(sandbox), **settings}
            async with opened(Settings(**settings)) as server:
                if sandbox is not None:
                    sandbox.allow_redirect(f"{server.settings.public_url}{CALLBACK}")
                app = create_app(server) if endpoints is None else application(server, endpoints)
                async with _listening(app, server, bound) as process, _client(bound.getsockname()[1]) as http:
                    access = await first_access(server)
                    secret = access.client_secret.get_secret_value() if access.client_secret else ""
                    yield Running(
                        str(http.base_url), access.client_id or "", secret, access.organization_id, server, http,
                        sandbox, process,
                    )  # fmt: skip
    finally:
        bound.close()


def _of_sandbox(sandbox: Sandbox) -> dict[str, Any]:
    client = (sandbox.client_id, SecretStr(sandbox.client_secret))
    return {
        "zendesk_url": sandbox.base_url,
        "default_subdomain": sandbox.subdomain,
        "oauth_clients": dict.fromkeys(CONNECTOR_TYPES, client),
        "loopback_redirects": True,
    }


@asynccontextmanager
async def _listening(app: Starlette, server: Server, bound: Any) -> AsyncGenerator[Process]:
    ready = asyncio.Event()
    process = Process(app, server.settings, server.drain, on_ready=ready.set, has_signals=False)
    task = asyncio.create_task(process.serve(sockets=[bound]))
    try:
        await ready.wait()
        yield process
    finally:
        process.should_exit = True
        await task


def _client(port: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False)
