"""The contract in LangChain, and what is its own."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("langchain")

from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import ToolException, tool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, interrupt
from pydantic import Field

from plugbay import tool_utils
from plugbay_adapters.langchain import toolkit

from .contract import AdapterContract
from .seen import GET, NAME, Outcome, Seen, Shown
from .zendesk import SHORT


class Scripted(GenericFakeChatModel):
    """A model that answers from a list and keeps the tools it was given."""

    shown: list = Field(default_factory=list)

    def bind_tools(self, tools, **kwargs):
        self.shown.extend(convert_to_openai_tool(each)["function"] for each in tools)
        return self


def scripted(*calls):
    turns = [
        AIMessage("", tool_calls=[{"name": name, "args": args, "id": f"call-{number}", "type": "tool_call"}])
        for number, (name, args) in enumerate(calls)
    ]
    return Scripted(messages=iter([*turns, AIMessage("done")]))


def as_seen(model, messages):
    return Seen(
        shown={each["name"]: Shown(each["description"], each["parameters"]) for each in model.shown},
        outcomes=[Outcome(m.content, m.status == "error") for m in messages if isinstance(m, ToolMessage)],
        final=messages[-1].content,
    )


class TestLangChain(AdapterContract):
    framework = "langchain"
    imports = "from langchain.tools import ToolRuntime"
    context = "runtime: ToolRuntime"
    # `@tool` ends the run for the one exception that could carry the mark.
    decorator_marks_failures = False

    def build(self, *connectors, **settings):
        return toolkit(*connectors, **settings).get_tools()

    def decorate(self, function, *, context=False):
        return [tool(function)]

    async def run(self, tools, *calls):
        model = scripted(*calls)
        state = await create_agent(model, tools).ainvoke({"messages": [("user", "Go.")]})
        return as_seen(model, state["messages"])

    def test_synchronous_agents_work(self, zendesk):
        """`agent.invoke` runs the toolkit's tools without a loop of its own."""
        model = scripted((NAME, GET), (NAME, {**GET, "entity": "tiket"}))

        state = create_agent(model, self.build(zendesk.connector())).invoke({"messages": [("user", "Go.")]})

        seen = as_seen(model, state["messages"])
        assert seen.outcomes[0].json == {"data": SHORT, "meta": {}}
        assert [outcome.failed for outcome in seen.outcomes] == [False, True]
        assert zendesk.call_ids[0] == "call-0"

    async def test_direct_calls_give_text(self, zendesk):
        """Outside an agent a tool takes a dict and returns the JSON text, of a failure too."""
        [each] = self.build(zendesk.connector())

        assert json.loads(await each.ainvoke(GET)) == {"data": SHORT, "meta": {}}
        assert json.loads(await each.ainvoke({**GET, "entity": "x"}))["error"]["code"] == "unknown_operation"
        assert json.loads(await each.ainvoke(json.dumps(GET))) == {"data": SHORT, "meta": {}}

    async def test_direct_calls_of_decorated_tools_give_the_envelope(self, zendesk, user, named):
        """Outside an agent a decorated tool returns the envelope, of a failure too."""
        [each] = self.decorate(user.execute(zendesk.connector(), zendesk.connector().tool_utils(**named)))

        assert await each.ainvoke(GET) == {"data": SHORT, "meta": {}}
        assert (await each.ainvoke({**GET, "entity": "x"}))["error"]["code"] == "unknown_operation"

    async def test_the_decorator_passes_the_calls_id_on(self, zendesk, user, named):
        """A function that takes the runtime needs nothing more for the call's id to be known."""
        decorator = type(zendesk.connector()).tool_utils(**named)

        await self.run(
            self.decorate(user.execute_with_context(zendesk.connector(), decorator, []), context=True), (NAME, GET)
        )

        assert zendesk.call_ids == ["call-0"]

    async def test_interrupts_pass_through(self, named):
        """`interrupt` inside a tool stops the run, and its answer comes back into the function."""

        @tool
        @tool_utils(**named)
        async def ask() -> str:
            """Asks a person."""
            return interrupt("May I?")

        model = scripted(("ask", {}))
        agent = create_agent(model, [ask], checkpointer=InMemorySaver())
        config = {"configurable": {"thread_id": "1"}}

        waiting = await agent.ainvoke({"messages": [("user", "Go.")]}, config)
        done = await agent.ainvoke(Command(resume="yes"), config)

        assert waiting["__interrupt__"][0].value == "May I?"
        assert as_seen(model, done["messages"]).only.json == {"data": "yes", "meta": {}}

    async def test_tool_exceptions_of_the_users_own_pass_through(self, user, named):
        """`ToolException` does what the tool was told to do with it."""
        [each] = self.decorate(user.failing(tool_utils(**named), ToolException("Told so.")))
        each.handle_tool_error = True

        seen = await self.run([each], ("my_failing", {}))

        assert Outcome("Told so.", failed=True) == seen.only

    def test_hints_are_metadata(self, zendesk):
        """Middleware can tell by the tool whether it only reads."""
        [each] = self.build(zendesk.connector())

        assert each.metadata["annotations"]["readOnlyHint"] is True
