"""The code of the published connector pages runs here with another package name and nothing else changed.

Hosted credentials are replaced by a connector to the sandbox; everything else of a block is executed as it stands.
That the hosted credentials work as written as well is shown by `test_seeds_hosted.py`.
"""

from __future__ import annotations

import ast
import importlib.util
import json
from typing import Any

import pytest

from plugbay.connectors.zendesk_support import ZendeskSupportConnector
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector
from plugbay.errors import ConfigurationError

from .pages import PAGES, SEEDS, blocks_of, curls_of, renamed, restored, text_of

BLOCKS = {
    "zendesk-support-authentication.txt": (
        "support_oauth",
        "support_token",
        "support_pydantic_ai",
        "support_langchain",
        "support_openai_agents",
        "support_fastmcp",
        "support_pydantic_ai_explicit",
        "support_langchain_explicit",
        "support_openai_agents_explicit",
        "support_fastmcp_explicit",
    ),
    "zendesk-talk-authentication.txt": ("talk_oauth", "talk_token", "talk_pydantic_ai"),
}
CURLS = {
    "zendesk-support-authentication.txt": (
        "support_curl_oauth",
        "support_curl_initiate",
        "support_curl_token",
        "support_curl_execute",
    ),
    "zendesk-talk-authentication.txt": (
        "talk_curl_oauth",
        "talk_curl_initiate",
        "talk_curl_token",
        "talk_curl_execute",
    ),
}
ENDING = "ignore:Zendesk ends API tokens:FutureWarning"


def is_hosted(node: ast.stmt) -> bool:
    """Whether a statement is about hosted credentials: `connector = ...` and the import of `connect`."""
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0]) == "connector"
    return isinstance(node, ast.ImportFrom) and [name.name for name in node.names] == ["connect"]


def executed(name: str, **names: Any) -> dict[str, Any]:
    """The names of a block that was executed with the given ones in place of its hosted credentials."""
    module = ast.parse(restored(text_of(name)))
    module.body = [node for node in module.body if not is_hosted(node)]
    for node in module.body:
        if isinstance(node, ast.ImportFrom):
            node.names = [each for each in node.names if each.name != "AirbyteAuthConfig"]
    space: dict[str, Any] = {"__name__": "seed", **names}
    exec(compile(module, name, "exec"), space)
    return space


def local(name: str, sandbox: Any, base_url: str = "") -> Any:
    """The connector of a block for local credentials, with the sandbox's in place of its placeholders."""
    values = {
        "<OAuth 2.0 access token>": sandbox.access_token,
        "<OAuth 2.0 refresh token (optional)>": sandbox.refresh_token,
        "<OAuth client ID>": sandbox.client_id,
        "<OAuth client secret>": sandbox.client_secret,
        "<Your Zendesk account email address>": sandbox.email,
        "<Your Zendesk API token from Admin Center>": sandbox.api_token,
    }
    text = restored(text_of(name))
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    text = text.replace("Connector(\n", f"Connector(base_url={base_url!r},\n")
    space: dict[str, Any] = {"__name__": "seed"}
    exec(compile(text, name, "exec"), space)
    return space["connector"]


LOCAL = ["support_oauth", "support_token", "talk_oauth", "talk_token"]
KINDS = {"support": ZendeskSupportConnector, "talk": ZendeskTalkConnector}
CALLS = {"support": ("users", "me", {}), "talk": ("phone_numbers", "list", {})}


@pytest.mark.filterwarnings(ENDING)
@pytest.mark.parametrize("name", LOCAL)
async def test_local_credentials_make_a_connector_as_written(name):
    """The block for local credentials runs as it stands; without a tenant its first call says what is missing."""
    space: dict[str, Any] = {"__name__": "seed"}
    exec(compile(restored(text_of(name)), name, "exec"), space)
    kind = name.partition("_")[0]
    assert KINDS[kind] is type(space["connector"])
    with pytest.raises(ConfigurationError, match="subdomain"):
        await space["connector"].execute(*CALLS[kind])


@pytest.mark.filterwarnings(ENDING)
@pytest.mark.parametrize("name", LOCAL)
async def test_local_credentials_work(sandbox, name):
    """The block with real credentials in its placeholders makes a connector that the service accepts."""
    kind = name.partition("_")[0]
    async with local(name, sandbox, sandbox.base_url) as connector:
        assert "healthy" == (await connector.check())["status"]
        assert (await connector.execute(*CALLS[kind])).data


class Question:
    """What a scripted model does: it calls the tool once, and answers with what came back."""

    def __init__(self, ticket_id: int) -> None:
        self.calls = [
            ("read", {"entity": "tickets", "action": "get", "params": {"ticket_id": ticket_id}}),
            ("missing", {"entity": "tickets", "action": "get", "params": {"ticket_id": 999_999}}),
            ("slip", {"entity": "tickets", "action": "get", "params": {"ticket": ticket_id}}),
            ("write", {"entity": "tickets", "action": "update", "params": {"ticket_id": ticket_id, "subject": "x"}}),
        ]

    def check(self, results: dict[str, str], sandbox: Any) -> None:
        """The model was given the record, and each failure as data by which it can go on; nothing was written."""
        found = {name: json.loads(text) for name, text in results.items()}
        number = self.calls[0][1]["params"]["ticket_id"]
        stored = sandbox.account.tickets[number]
        assert (number, stored["subject"]) == (found["read"]["data"]["id"], found["read"]["data"]["subject"])
        assert ["not_found", "invalid_parameter", "policy_denied"] == [
            found[name]["error"]["code"] for name in ("missing", "slip", "write")
        ]
        assert {"GET"} == {request.method for request in sandbox.requests}
        assert stored["subject"] != "x"


@pytest.fixture
def question(ticket_id):
    """The question of every framework's test."""
    return Question(ticket_id)


def needs(*modules: str) -> Any:
    """Skips a test where a framework is not installed."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


async def asked_pydantic_ai(agent: Any, tool: str, arguments: dict[str, Any]) -> str:
    """What pydantic-ai gives its model for one call of a tool."""
    from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart, ToolReturnPart
    from pydantic_ai.models.function import FunctionModel

    def respond(messages: Any, info: Any) -> ModelResponse:
        returns = [part for message in messages for part in message.parts if isinstance(part, ToolReturnPart)]
        if returns:
            return ModelResponse(parts=[TextPart(returns[-1].model_response_str())])
        assert [tool] == [definition.name for definition in info.function_tools]
        return ModelResponse(parts=[ToolCallPart(tool, arguments)])

    with agent.override(model=FunctionModel(respond)):
        return (await agent.run("?")).output


@needs("pydantic_ai", "openai")
async def test_the_pydantic_ai_stack(monkeypatch, sandbox, support, question):
    """The page's pydantic-ai agent reads from the service, and a failing or forbidden call does not end its run."""
    monkeypatch.setenv("OPENAI_API_KEY", "placeholder")
    space = executed("support_pydantic_ai", connector=support)
    results = {
        name: await asked_pydantic_ai(space["agent"], "zendesk_support_execute", call) for name, call in question.calls
    }
    question.check(results, sandbox)


@needs("pydantic_ai")
async def test_the_pydantic_ai_stack_of_talk(sandbox, talk):
    """The Talk page's tool, on the agent that it assumes, reads phone numbers from the service."""
    from pydantic_ai import Agent

    space = executed("talk_pydantic_ai", connector=talk, agent=Agent())
    call = {"entity": "phone_numbers", "action": "list", "params": {}}
    result = json.loads(await asked_pydantic_ai(space["agent"], "zendesk_talk_execute", call))
    assert sorted(sandbox.account.phone_numbers) == sorted(number["id"] for number in result["data"])


@needs("langchain", "langchain_core")
async def test_the_langchain_stack(sandbox, support, question):
    """The page's LangChain tool reads from the service, and a failing or forbidden call does not end the run."""
    from langchain.agents import create_agent
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, ToolMessage
    from langchain_core.outputs import ChatGeneration, ChatResult

    class Scripted(BaseChatModel):
        arguments: dict[str, Any]

        @property
        def _llm_type(self) -> str:
            return "scripted"

        def bind_tools(self, tools: Any, **settings: Any) -> Any:
            return self

        def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **rest: Any) -> ChatResult:
            results = [message for message in messages if isinstance(message, ToolMessage)]
            if results:
                reply = AIMessage(str(results[-1].content))
            else:
                call = {"name": "zendesk_support_execute", "args": self.arguments, "id": "1", "type": "tool_call"}
                reply = AIMessage("", tool_calls=[call])
            return ChatResult(generations=[ChatGeneration(message=reply)])

    space = executed("support_langchain", connector=support)
    results = {}
    for name, call in question.calls:
        agent: Any = create_agent(Scripted(arguments=call), [space["zendesk_support_execute"]])
        state = await agent.ainvoke({"messages": [{"role": "user", "content": "?"}]})
        results[name] = state["messages"][-1].text
    question.check(results, sandbox)


@needs("agents")
async def test_the_openai_agents_stack(sandbox, support, question):
    """The page's OpenAI agent reads from the service, and a failing or forbidden call does not end its run."""
    from agents import RunConfig, Runner
    from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call

    space = executed("support_openai_agents", connector=support)
    assert "Zendesk-Support Assistant" == space["agent"].name
    results = {}
    for name, call in question.calls:
        model = ScriptedModel(
            [
                ModelStep(output=[function_call("zendesk_support_execute", call, call_id="1")]),
                ModelStep(output=[assistant_message("done")]),
            ]
        )
        settings = RunConfig(model=model, tracing_disabled=True)
        run = await Runner.run(space["agent"], "?", run_config=settings)
        assert "done" == run.final_output
        results[name] = next(
            str(item.raw_item["output"]) for item in run.new_items if item.type == "tool_call_output_item"
        )
    question.check(results, sandbox)


@needs("fastmcp")
async def test_the_fastmcp_stack(sandbox, support, question):
    """The page's MCP server gives its client what it read, and a failure as a result that can be read."""
    from fastmcp import Client

    space = executed("support_fastmcp", connector=support)
    results = {}
    async with Client(space["mcp"]) as client:
        assert ["zendesk_support_execute"] == [tool.name for tool in await client.list_tools()]
        for name, call in question.calls:
            result = await client.call_tool("zendesk_support_execute", call, raise_on_error=False)
            results[name] = "".join(block.text for block in result.content if block.type == "text")
    question.check(results, sandbox)


@pytest.mark.skipif(PAGES is None, reason="the pages are not beside the repository")
@pytest.mark.parametrize("page", BLOCKS)
def test_the_copies_are_the_pages_own_text(page):
    """Each copy is the block of the page, character for character but for the package's name."""
    text = (PAGES / page).read_text(encoding="utf-8")
    assert [text_of(name) for name in BLOCKS[page]] == [renamed(block) for block in blocks_of(text)]
    assert [text_of(name) for name in CURLS[page]] == curls_of(text)


def test_no_copy_is_unused():
    """Every file among the copies is the copy of a known block."""
    names = [name for names in (*BLOCKS.values(), *CURLS.values()) for name in names]
    assert sorted(names) == sorted(file.stem for file in SEEDS.iterdir())
