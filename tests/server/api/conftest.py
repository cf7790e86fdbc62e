"""A server with a sandbox behind it, and a client of its API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

pytest.importorskip("sqlalchemy")

from plugbay.sandbox import Sandbox

from ..serving import Running, serving

CONNECTORS = "/api/v1/integrations/connectors"
OPERATOR = "operator-" + "x" * 32


@dataclass
class Api:
    """A client of the API with one token."""

    running: Running
    headers: dict[str, str]

    async def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """The answer to a request."""
        headers = {**self.headers, **more.pop("headers", {})}
        return await self.running.http.request(method, path, json=body, headers=headers, **more)

    async def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """The JSON of an answer that must be a success."""
        answer = await self(method, path, body, **more)
        assert answer.is_success, (answer.status_code, answer.text)
        return answer.json() if answer.content else None

    async def refused(self, status: int, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """The JSON of an answer that must be this failure."""
        answer = await self(method, path, body, **more)
        assert status == answer.status_code, answer.text
        return answer.json()

    async def create(self, workspace: str = "acme", **fields: Any) -> str:
        """The id of a new Support connector."""
        sandbox = self.running.sandbox
        assert sandbox is not None
        body = {
            "workspace_name": workspace,
            "connector_type": "zendesk-support",
            "credentials": {"access_token": sandbox.access_token},
            **fields,
        }
        return (await self.ok("POST", CONNECTORS, body))["id"]

    async def execute(self, connector_id: str, entity: str, action: str, params: Any = None, **more: Any) -> Any:
        """What a call of an action answers."""
        body = {"entity": entity, "action": action, "params": params or {}, **more}
        return await self.ok("POST", f"{CONNECTORS}/{connector_id}/execute", body)

    async def scoped(self, workspace: str) -> Api:
        """The same client with a token of one workspace."""
        answer = await self.ok("POST", "/api/v1/account/applications/scoped-token", {"workspace_name": workspace})
        return Api(self.running, {"authorization": f"Bearer {answer['token']}"})

    async def other(self, name: str = "other") -> Api:
        """A client of another organization."""
        server = self.running.server
        organization = await server.organizations.create(name)
        client, secret = await server.clients.create(organization.id, name)
        return Api(self.running, {"authorization": f"Bearer {await self.running.bearer(client.id, secret)}"})


@pytest.fixture
def sandbox():
    """A small account of one's own, without rate limits."""
    with Sandbox(seed=3, tickets=40, calls=10, plan=None) as running:
        yield running


@pytest.fixture
async def running(sandbox):
    """A server that calls the sandbox."""
    async with serving(sandbox, admin_token=SecretStr(OPERATOR)) as server:
        yield server


@pytest.fixture
async def api(running):
    """A client of the first organization."""
    return Api(running, await running.signed_in())


@pytest.fixture
async def operator(running):
    """The operator's client."""
    return Api(running, {"authorization": f"Bearer {OPERATOR}"})


@pytest.fixture
async def connector_id(api):
    """A Support connector in the workspace `acme`."""
    return await api.create()
