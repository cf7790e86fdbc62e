"""A server with a sandbox as its Zendesk, its client, and people with browsers."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from tests.server.serving import serving

from plugbay.sandbox import Sandbox

from .person import Person

INITIATE = "/api/v1/integrations/connectors/oauth/initiate"
APP = "http://127.0.0.1:9/app"


class Hosting:
    """A running server, and what programs ask of it."""

    def __init__(self, running, headers):
        self.running = running
        self.server = running.server
        self.sandbox = running.sandbox
        self.http = running.http
        self.url = running.server.settings.public_url
        self.organization_id = running.organization_id
        self.headers = headers

    async def initiate(self, headers=None, **body):
        """The answer to a request for a consent."""
        known = {"workspace_name": "acme", "connector_type": "Zendesk-Support", "redirect_url": APP}
        given = {name: value for name, value in (known | body).items() if value is not ...}
        return await self.http.post(INITIATE, json=given, headers=headers or self.headers)

    async def consent_url(self, headers=None, **body):
        """The address of a consent page."""
        answer = await self.initiate(headers, **body)
        assert 200 == answer.status_code, answer.text
        return answer.json()["consent_url"]

    async def connectors(self, organization_id=None):
        """The connectors that an organization has."""
        found = await self.server.connectors.list(organization_id or self.organization_id, limit=100)
        return found.items

    async def other_client(self, name="Other"):
        """Another organization, and the headers of its client."""
        organization = await self.server.organizations.create(name)
        client, secret = await self.server.clients.create(organization.id, name)
        return organization, {"authorization": f"Bearer {await self.running.bearer(client.id, secret)}"}

    async def scoped(self, workspace_name):
        """The headers of a token of one workspace."""
        path = "/api/v1/account/applications/scoped-token"
        answer = await self.http.post(path, json={"workspace_name": workspace_name}, headers=self.headers)
        assert 200 == answer.status_code, answer.text
        return {"authorization": f"Bearer {answer.json()['token']}"}

    def exchanges(self):
        """The statuses of what the sandbox's token endpoint was asked."""
        return [sent.status for sent in self.sandbox.requests if sent.path == "/oauth/tokens"]


@asynccontextmanager
async def hosting_with(sandbox=None, **settings):
    async with serving(sandbox, **settings) as running:
        # The second server of a database is not told the first client's secret.
        yield Hosting(running, await running.signed_in() if running.client_secret else {})


@pytest.fixture(scope="module")
def zendesk():
    with Sandbox(tickets=2, calls=1, plan=None) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(zendesk):
    """The module's sandbox, well, and with nothing on its record."""
    zendesk.heal()
    zendesk.requests.clear()
    return zendesk


@pytest.fixture
async def hosting(sandbox):
    async with hosting_with(sandbox) as hosting:
        yield hosting


@pytest.fixture
async def hosting_by():
    """Makes a server with other settings."""
    async with AsyncExitStack() as stack:
        yield lambda sandbox=None, **settings: stack.enter_async_context(hosting_with(sandbox, **settings))


@pytest.fixture
async def person():
    async with Person() as person:
        yield person


@pytest.fixture
async def stranger():
    async with Person() as stranger:
        yield stranger
