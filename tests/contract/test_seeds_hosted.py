"""The hosted blocks of the published connector pages run here, Python and shell, against a server of our own.

Only the host, the package's name and what stands in angle brackets are replaced.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from typing import Any

import pytest

pytest.importorskip("sqlalchemy")

from plugbay.sandbox import Sandbox

from ..server.serving import serving
from .pages import restored, text_of
from .test_seeds import ENDING, asked_pydantic_ai, needs

VENDOR = "https://api.airbyte.ai"
WORKSPACE = "acme support"
RETURN = "https://yourapp.com/oauth/callback"

pytestmark = pytest.mark.filterwarnings(ENDING)


@pytest.fixture
async def hosted(monkeypatch):
    """A server with a Support and a Talk connector, which the environment names as the pages say."""
    with Sandbox(seed=3, tickets=40, calls=30, plan=None) as sandbox:
        async with serving(sandbox, allowed_redirects=(RETURN,)) as running:
            monkeypatch.setenv("AIRBYTE_API_URL", running.url)
            monkeypatch.setenv("AIRBYTE_CLIENT_ID", running.client_id)
            monkeypatch.setenv("AIRBYTE_CLIENT_SECRET", running.client_secret)
            monkeypatch.delenv("AIRBYTE_ORGANIZATION_ID", raising=False)
            yield running


@pytest.fixture
async def support(hosted):
    """A Support connector on the server."""
    return await created(hosted, "support_curl_token")


@pytest.fixture
async def talk(hosted):
    """A Talk connector on the server."""
    return await created(hosted, "talk_curl_token")


def filled(text: str, running: Any, **more: str) -> str:
    """A block with the server's host, and real values in its placeholders."""
    sandbox = running.sandbox
    start = "<UTC date and time in the format YYYY-MM-DDT00:00:00Z from which to start replicating data.>"
    values = {
        VENDOR: running.url,
        "<WORKSPACE_NAME>": WORKSPACE,
        "<CUSTOMER_NAME>": WORKSPACE,
        "<your_workspace_name>": WORKSPACE,
        "<your_customer_name>": WORKSPACE,
        "<your_organization_id>": running.organization_id,
        "<YOUR_ORGANIZATION_ID>": running.organization_id,
        "<your-client-id>": running.client_id,
        "<your-client-secret>": running.client_secret,
        "<OAuth 2.0 access token>": sandbox.access_token,
        "<OAuth 2.0 refresh token (optional)>": sandbox.refresh_token,
        "<OAuth client ID>": sandbox.client_id,
        "<OAuth client secret>": sandbox.client_secret,
        "<Your Zendesk account email address>": sandbox.email,
        "<Your Zendesk API token from Admin Center>": sandbox.api_token,
        start: "2026-01-01T00:00:00Z",
        **{f"<{name}>": value for name, value in more.items()},
    }
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


async def run(name: str, running: Any, **more: str) -> Any:
    """What the shell command of a block answers."""
    command = filled(text_of(name), running, YOUR_BEARER_TOKEN=await running.bearer(), **more)
    process = await asyncio.create_subprocess_exec(
        shutil.which("bash") or "bash", "-c", command.replace("curl -X", "curl -sS --fail-with-body -X"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    assert 0 == process.returncode, (output, errors)
    return json.loads(output)


async def created(running: Any, name: str) -> str:
    """The id of the connector that a block makes."""
    return (await run(name, running))["id"]


needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@needs_curl
@pytest.mark.parametrize(
    ("kind", "name", "entity", "action"),
    [
        ("support", "support_curl_oauth", "tickets", "list"),
        ("support", "support_curl_token", "tickets", "list"),
        ("talk", "talk_curl_oauth", "phone_numbers", "list"),
        ("talk", "talk_curl_token", "phone_numbers", "list"),
    ],
)
async def test_the_shell_blocks_create_and_execute(hosted, kind, name, entity, action):
    """Both kinds of credentials make a connector by the page's own command, and the page's own command calls it."""
    connector_id = await created(hosted, name)
    answer = await run(f"{kind}_curl_execute", hosted, connector_id=connector_id, entity=entity, action=action)
    stored = hosted.sandbox.account.tickets if entity == "tickets" else hosted.sandbox.account.phone_numbers
    assert "success" == answer["status"]
    assert {record["id"] for record in answer["result"]} <= set(stored)
    assert answer["result"]


@needs_curl
@pytest.mark.parametrize("name", ["support_curl_initiate", "talk_curl_initiate"])
async def test_the_shell_blocks_begin_the_oauth_flow(hosted, name):
    """The page's own command is answered with the address of a consent page of this server."""
    consent_url = (await run(name, hosted))["consent_url"]
    page = await hosted.http.get(consent_url)
    assert (200, True) == (page.status_code, consent_url.startswith(hosted.url))
    assert WORKSPACE in page.text


CALL = {"entity": "tickets", "action": "get", "params": {"ticket_id": 1}}


def space_of(name: str, running: Any, **names: Any) -> dict[str, Any]:
    """The names of a block that was executed as it stands."""
    space: dict[str, Any] = {"__name__": "seed", **names}
    exec(compile(restored(filled(text_of(name), running)), name, "exec"), space)
    return space


def subject_in(text: str) -> str:
    """The ticket's subject in what a model was given."""
    return json.loads(text)["data"]["subject"]


@pytest.mark.usefixtures("support")
@needs("pydantic_ai", "openai")
@pytest.mark.parametrize("name", ["support_pydantic_ai", "support_pydantic_ai_explicit"])
async def test_the_pydantic_ai_blocks(monkeypatch, hosted, name):
    """The page's pydantic-ai agent reads a ticket through the server, however its credentials are given."""
    monkeypatch.setenv("OPENAI_API_KEY", "placeholder")
    space = space_of(name, hosted)
    seen = await asked_pydantic_ai(space["agent"], "zendesk_support_execute", CALL)
    assert hosted.sandbox.account.tickets[1]["subject"] == subject_in(seen)
    await space["connector"].close()


@pytest.mark.usefixtures("support")
@needs("langchain_core")
@pytest.mark.parametrize("name", ["support_langchain", "support_langchain_explicit"])
async def test_the_langchain_blocks(hosted, name):
    """The page's LangChain tool reads a ticket through the server, however its credentials are given."""
    space = space_of(name, hosted)
    message = await space["zendesk_support_execute"].ainvoke(
        {"type": "tool_call", "id": "1", "name": "zendesk_support_execute", "args": CALL}
    )
    assert hosted.sandbox.account.tickets[1]["subject"] == subject_in(message.text)
    await space["connector"].close()


@pytest.mark.usefixtures("support")
@needs("agents")
@pytest.mark.parametrize("name", ["support_openai_agents", "support_openai_agents_explicit"])
async def test_the_openai_agents_blocks(hosted, name):
    """The page's OpenAI agent reads a ticket through the server, however its credentials are given."""
    from agents import RunConfig, Runner
    from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call

    space = space_of(name, hosted)
    model = ScriptedModel(
        [
            ModelStep(output=[function_call("zendesk_support_execute", CALL, call_id="1")]),
            ModelStep(output=[assistant_message("done")]),
        ]
    )
    done = await Runner.run(space["agent"], "?", run_config=RunConfig(model=model, tracing_disabled=True))
    outputs = [str(item.raw_item["output"]) for item in done.new_items if item.type == "tool_call_output_item"]
    assert [hosted.sandbox.account.tickets[1]["subject"]] == [subject_in(text) for text in outputs]
    await space["connector"].close()


@pytest.mark.usefixtures("support")
@needs("fastmcp")
@pytest.mark.parametrize("name", ["support_fastmcp", "support_fastmcp_explicit"])
async def test_the_fastmcp_blocks(hosted, name):
    """The page's MCP server reads a ticket through the server, however its credentials are given."""
    from fastmcp import Client

    space = space_of(name, hosted)
    async with Client(space["mcp"]) as client:
        result = await client.call_tool("zendesk_support_execute", CALL)
    text = "".join(block.text for block in result.content if block.type == "text")
    assert hosted.sandbox.account.tickets[1]["subject"] == subject_in(text)
    await space["connector"].close()


@pytest.mark.usefixtures("talk")
@needs("pydantic_ai")
async def test_the_pydantic_ai_block_of_talk(hosted):
    """The Talk page's tool, with its customer's name, reads phone numbers through the server."""
    from pydantic_ai import Agent

    space = space_of("talk_pydantic_ai", hosted, agent=Agent())
    call = {"entity": "phone_numbers", "action": "list", "params": {}}
    result = json.loads(await asked_pydantic_ai(space["agent"], "zendesk_talk_execute", call))
    assert sorted(hosted.sandbox.account.phone_numbers) == sorted(number["id"] for number in result["data"])
    await space["connector"].close()
