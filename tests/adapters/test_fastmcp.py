"""The contract in FastMCP, where the client stands for the model, and what is its own."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path

import pytest

pytest.importorskip("fastmcp")

from fastmcp import Client, FastMCP
from fastmcp.client.transports import StdioTransport
from fastmcp.exceptions import ToolError
from fastmcp.server.providers import Provider

from plugbay import Policy, tool_utils
from plugbay_adapters.fastmcp import provider, server

from .contract import AdapterContract
from .seen import GET, NAME, Outcome, Seen, Shown
from .zendesk import SHORT


async def converse(client, calls):
    """What a client that makes the calls sees."""
    seen = Seen()
    for tool in await client.list_tools():
        seen.shown[tool.name] = Shown(tool.description, tool.input_schema)
    for name, arguments in calls:
        result = await client.call_tool(name, arguments, raise_on_error=False)
        [content] = result.content
        if result.is_error:
            assert result.structured_content is None
        else:
            assert json.loads(content.text) == result.structured_content
        seen.outcomes.append(Outcome(content.text, result.is_error))
    seen.final = "done"
    return seen


class TestFastMCP(AdapterContract):
    framework = "fastmcp"
    imports = "from fastmcp import Context"
    context = "ctx: Context"
    mode = "auto"

    def build(self, *connectors, **settings):
        return provider(*connectors, **settings)

    def decorate(self, function, *, context=False):
        return lambda mcp: mcp.tool(function)

    async def run(self, tools, *calls):
        mcp = FastMCP("test")
        if isinstance(tools, Provider):
            mcp.add_provider(tools)
        else:
            tools(mcp)
        async with Client(mcp, mode=self.mode) as client:
            return await converse(client, calls)

    def is_call_id(self, call_id, number):
        session, _, request = call_id.rpartition(":")
        return len(session) >= 32 and bool(request)

    async def test_signals_pass_through(self, user, named):
        """`ToolError` of the user's function does what it does without us."""
        seen = await self.run(
            self.decorate(user.failing(tool_utils(**named), ToolError("Told so."))), ("my_failing", {})
        )

        assert Outcome("Told so.", failed=True) == seen.only

    async def test_failures_are_quiet(self, zendesk, user, named, capsys, caplog):
        """A failing call prints no traceback and no error on the server's side."""
        for tools in self.offers(zendesk, user, named).values():
            await self.run(tools, (NAME, {**GET, "entity": "tiket"}))

        assert "Traceback" not in capsys.readouterr().err
        assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []

    async def test_clients_are_told_what_kind_of_tool_it_is(self, zendesk):
        """The annotations follow from what is permitted."""
        for policy, read_only, destructive in ((None, True, False), (Policy(read_only=False), False, False)):
            async with Client(server(zendesk.connector(), policy=policy)) as client:
                [tool] = await client.list_tools()

            assert tool.title == "Zendesk Support"
            assert read_only is tool.annotations.read_only_hint
            assert destructive is tool.annotations.destructive_hint
            assert tool.annotations.open_world_hint is True
            assert tool.output_schema is None

    async def test_a_server_has_the_connectors_name_or_its_own(self, zendesk):
        """A server is named after its connectors unless it is given a name."""
        assert server(zendesk.connector()).name == "Zendesk Support"
        assert server(zendesk.connector(), name="Desk").name == "Desk"

    async def test_the_server_runs_over_http(self, zendesk):
        """`run_http_async` serves the tools, and a page from elsewhere is refused."""
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
        listener.listen()
        serving = asyncio.create_task(
            server(zendesk.connector()).run_http_async(
                show_banner=False, sockets=[listener], host_origin_protection="auto", log_level="error"
            )
        )
        try:
            async with Client(url, mode=self.mode) as client:
                seen = await converse(client, [(NAME, GET), (NAME, {**GET, "entity": "tiket"})])
        finally:
            serving.cancel()
            await asyncio.wait([serving])
            listener.close()

        assert seen.outcomes[0].json == {"data": SHORT, "meta": {}}
        assert seen.outcomes[1].json["error"]["code"] == "unknown_operation"
        assert seen.outcomes[1].failed

    async def test_the_server_runs_over_standard_input_and_output(self):
        """`run` in a process of its own serves the tools, and nothing but the protocol is on its output."""
        script = Path(__file__).with_name("stdio_server.py")
        transport = StdioTransport(sys.executable, [str(script)], keep_alive=False)
        async with Client(transport, mode=self.mode) as client:
            seen = await converse(client, [(NAME, GET), (NAME, {**GET, "entity": "tiket"})])

        assert seen.outcomes[0].json == {"data": {"id": 7, "subject": "Over a pipe"}, "meta": {}}
        assert seen.outcomes[1].json["error"]["code"] == "unknown_operation"


class TestFastMCPForOlderClients(TestFastMCP):
    mode = "legacy"
