"""Real clients of the protocol: from the address alone, by way of a person's consent, to a tool call."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import warnings

import httpx2
import pytest

pytest.importorskip("fastmcp")

from fastmcp import Client
from fastmcp.client.auth import OAuth
from fastmcp.client.transports import StreamableHttpTransport
from key_value.aio.stores.memory import MemoryStore
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata
from mcp.shared.exceptions import MCPError

from ..serving import serving
from .browser import Browser, answer_of
from .office import REDIRECT, Office

TOOL = "zendesk_support_execute"
LIST = {"entity": "tickets", "action": "list", "params": {"limit": 2}}
UPDATE = {"entity": "tickets", "action": "update", "params": {"ticket_id": 1, "priority": "high"}}

MODES = ["legacy", "auto"]
"""Revisions of the protocol up to 2025-11-25, which begin with a handshake; and 2026-07-28, which does not."""


class DrivenOAuth(OAuth):
    """FastMCP's own OAuth client, with a person's browser that is driven by the test."""

    def __init__(self, running, workspace="acme", **settings):
        settings.setdefault("callback_port", _quiet_port())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that tokens are kept in memory
            super().__init__(address(running), **settings)
        self.running = running
        self.workspace = workspace
        self.asked = []

    async def redirect_handler(self, authorization_url):
        self.asked.append(authorization_url)

    async def callback_handler(self):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._agree())
            return await super().callback_handler()

    async def _agree(self):
        running = self.running
        async with Browser(running.url) as browser:
            page = await browser.sign_in(running.client_id, running.client_secret, self.asked[-1])
            decided = await browser.decide(page, self.workspace)
            await browser.http.get(decided.headers["location"])


def _quiet_port():
    """A free port that the system gives to nobody by itself: one of those may be another's before the client listens."""
    for port in random.sample(range(20_000, 30_000), 1_000):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise OSError("no port is free")


def address(running):
    return f"{running.url.rstrip('/')}/mcp"


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_needs_only_the_address(running, office, mode):
    """FastMCP's client finds the authorization server, registers, is granted a workspace by a person, and calls a tool."""
    await office.connect()
    auth = DrivenOAuth(running, client_name="Desk helper")

    async with Client(address(running), auth=auth, mode=mode) as client:
        [tool] = await client.list_tools()
        result = await client.call_tool(TOOL, LIST)

    assert TOOL == tool.name
    assert 2 == len(result.structured_content["data"])
    assert 1 == len(auth.asked)


@pytest.mark.parametrize("mode", MODES)
async def test_a_failure_is_a_result(running, office, mode):
    """A call that cannot be done is a result with isError and the error as JSON, never an error of the protocol."""
    await office.connect()
    token = await office.scoped()

    async with Client(address(running), auth=token, mode=mode) as client:
        result = await client.call_tool(TOOL, {**LIST, "entity": "tiket"}, raise_on_error=False)

    [content] = result.content
    assert result.is_error
    assert '"unknown_operation"' in content.text
    assert result.structured_content is None


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_is_told_why_it_may_not_come_in(running, office, mode):
    """A refusal before any tool reaches whoever uses a client in its own words, with what to do about it."""
    await office.connect()
    client = Client(address(running), auth=await running.bearer(), mode=mode)

    with pytest.raises(MCPError, match=r"good for several workspaces: name one\. Add \?workspace=NAME to the address"):
        async with client:
            await client.list_tools()


@pytest.mark.parametrize("mode", MODES)
async def test_a_write_is_refused_in_the_words_of_the_policy(running, office, mode):
    """Without leave from the organization's policy a model may only read, and is told so."""
    await office.connect()
    token = await office.scoped()

    async with Client(address(running), auth=token, mode=mode) as client:
        result = await client.call_tool(TOOL, UPDATE, raise_on_error=False)

    assert result.is_error
    assert "tickets.update is not allowed by the policy: it would write." in result.content[0].text


async def test_the_sdks_own_client_is_granted_a_workspace(running, office):
    """The client of the protocol's own SDK goes the same way, and validates the issuer in the answer."""
    await office.connect()
    storage = _Storage()

    async with Browser(running.url) as browser:
        told = {}

        async def redirect(url):
            page = await browser.sign_in(running.client_id, running.client_secret, url)
            told.update(answer_of(await browser.decide(page, "acme")))

        async def callback():
            return AuthorizationCodeResult(code=told["code"], state=told["state"], iss=told["iss"])

        auth = OAuthClientProvider(
            address(running),
            OAuthClientMetadata(client_name="SDK", redirect_uris=[REDIRECT], token_endpoint_auth_method="none"),
            storage,
            redirect,
            callback,
        )
        async with _session(address(running), auth) as session:
            listed = await session.list_tools()
            result = await session.call_tool(TOOL, LIST)

    assert [TOOL] == [tool.name for tool in listed.tools]
    assert 2 == len(result.structured_content["data"])
    assert running.server.settings.public_url == told["iss"]
    assert storage.tokens.refresh_token


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_client_renews_its_tokens(running, office, restarted):
    """A client whose access token has ended renews it by itself, also after a restart, and nobody is asked again."""
    await office.connect()
    store = MemoryStore()
    auth = first = DrivenOAuth(running, token_storage=store)
    async with Client(address(running), auth=auth) as client:
        await client.list_tools()
    before = auth.context.current_tokens
    await running.server.bearers.revoke(before.access_token)
    if restarted:
        expired = {"expires_at": 1.0}
        await store.put(f"{address(running)}/token_expiry", expired, collection="mcp-oauth-token-expiry")
        auth = DrivenOAuth(running, token_storage=store, callback_port=first.redirect_port)
    else:
        auth.context.token_expiry_time = 1.0

    async with Client(address(running), auth=auth) as client:
        [tool] = await client.list_tools()

    assert TOOL == tool.name
    assert 1 == len({*first.asked, *auth.asked})
    assert before.refresh_token != auth.context.current_tokens.refresh_token


async def test_any_process_answers_any_request(sandbox, tmp_path):
    """Two servers on one database answer one client's requests in turn."""
    shared = {"database_url": f"sqlite:///{tmp_path / 'one.db'}", "public_url": "http://127.0.0.1:9"}
    async with serving(sandbox, **shared) as first, serving(sandbox, **shared) as second:
        office = Office(first, await first.signed_in())
        await office.connect()
        token = await office.scoped()
        turns = _Turns([first, second])
        transport = StreamableHttpTransport(address(first), auth=token, httpx_client_factory=turns.client)
        async with Client(transport, mode="legacy") as client:
            await client.list_tools()
            results = [await client.call_tool(TOOL, LIST) for _ in range(3)]

    assert [2, 2, 2] == [len(result.structured_content["data"]) for result in results]
    assert {first.url, second.url} == turns.asked


class _Turns:
    """Sends each request to the next of several servers, as a load balancer does."""

    def __init__(self, servers):
        self.servers = servers
        self.asked = set()
        self.count = 0

    def client(self, **settings):
        return httpx2.AsyncClient(**{"timeout": 20, **settings}, event_hooks={"request": [self._turn]})

    async def _turn(self, request):
        server = self.servers[self.count % len(self.servers)]
        self.count += 1
        self.asked.add(server.url)
        request.url = httpx2.URL(address(server))
        request.headers["host"] = request.url.netloc.decode()


class _Storage:
    tokens = None
    client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


@contextlib.asynccontextmanager
async def _session(url, auth):
    async with (
        httpx2.AsyncClient(auth=auth, timeout=20) as http,
        streamable_http_client(url, http_client=http) as streams,
        ClientSession(streams[0], streams[1]) as session,
    ):
        await session.initialize()
        yield session
