"""The contract in Pydantic AI, and what is its own."""

from __future__ import annotations

import pytest

pytest.importorskip("pydantic_ai")

from pydantic_ai import Agent, DeferredToolRequests, DeferredToolResults, ModelRetry, ToolReturnPart
from pydantic_ai.exceptions import ToolFailed
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.toolsets import AbstractToolset

from plugbay import tool_utils
from plugbay_adapters.pydantic_ai import toolset

from .contract import AdapterContract
from .seen import GET, NAME, Outcome, Seen, Shown
from .zendesk import SHORT


def scripted(calls, seen):
    """A model that makes the calls and notes what it is shown and told."""

    def respond(messages, info):
        for tool in info.function_tools:
            seen.shown[tool.name] = Shown(tool.description, tool.parameters_json_schema)
        for part in messages[-1].parts:
            if isinstance(part, ToolReturnPart):
                seen.outcomes.append(Outcome(part.model_response_str(), part.outcome != "success"))
            elif type(part).__name__ == "RetryPromptPart":  # how older versions say `outcome="retried"`
                seen.outcomes.append(Outcome(part.model_response(), failed=True))
        number = sum(isinstance(message, ModelResponse) for message in messages)
        if number < len(calls):
            name, arguments = calls[number]
            return ModelResponse(parts=[ToolCallPart(name, arguments, tool_call_id=f"call-{number}")])
        return ModelResponse(parts=[TextPart("done")])

    return FunctionModel(respond)


class TestPydanticAI(AdapterContract):
    framework = "pydantic_ai"
    imports = "from pydantic_ai import RunContext"
    context = "ctx: RunContext[None]"
    has_raw_arguments = True

    def build(self, *connectors, **settings):
        return toolset(*connectors, **settings)

    def decorate(self, function, *, context=False):
        return lambda agent: (agent.tool if context else agent.tool_plain)(function)

    async def run(self, tools, *calls):
        seen = Seen()
        is_toolset = isinstance(tools, AbstractToolset)
        agent = Agent(scripted(calls, seen), toolsets=[tools] if is_toolset else [])
        if not is_toolset:
            tools(agent)
        seen.final = (await agent.run("Go.")).output
        return seen

    @pytest.mark.parametrize("kind", [ModelRetry, ToolFailed])
    async def test_signals_pass_through(self, user, named, kind):
        """`ModelRetry` and `ToolFailed` of the user's function do what they do without us."""
        tool = self.decorate(user.failing(tool_utils(**named), kind("Ask me differently.")))

        seen = await self.run(tool, ("my_failing", {}))

        assert "Ask me differently." in seen.only.text
        assert seen.only.failed

    async def test_the_decorator_passes_the_calls_id_on(self, zendesk, user, named):
        """A function that takes the run's context needs nothing more for the call's id to be known."""
        decorator = type(zendesk.connector()).tool_utils(**named)
        tool = self.decorate(user.execute_with_context(zendesk.connector(), decorator, []), context=True)

        await self.run(tool, (NAME, GET))

        assert zendesk.call_ids == ["call-0"]

    async def test_hints_are_metadata(self, zendesk):
        """Filters can tell by the definition whether a tool only reads."""
        definitions = []

        async def keep(ctx, definition):
            definitions.append(definition)
            return True

        seen = await self.run(toolset(zendesk.connector()).filtered(keep), (NAME, GET))

        assert seen.only.json == {"data": SHORT, "meta": {}}
        assert definitions[0].metadata["annotations"]["readOnlyHint"] is True

    async def test_toolsets_can_be_wrapped(self, zendesk):
        """A prefix changes the name that the model sees, and the tool works."""
        seen = await self.run(toolset(zendesk.connector()).prefixed("acme"), (f"acme_{NAME}", GET))

        assert {f"acme_{NAME}"} == set(seen.shown)
        assert seen.only.json == {"data": SHORT, "meta": {}}

    async def test_approval_stops_and_goes_on(self, zendesk):
        """A call that waits for approval runs once it is given, and not before."""
        seen = Seen()
        agent = Agent(
            scripted([(NAME, GET)], seen),
            toolsets=[toolset(zendesk.connector()).approval_required()],
            output_type=[str, DeferredToolRequests],
        )

        waiting = await agent.run("Go.")

        assert zendesk.requests == []
        done = await agent.run(
            message_history=waiting.all_messages(),
            deferred_tool_results=DeferredToolResults(approvals={"call-0": True}),
        )
        assert done.output == "done"
        assert len(zendesk.requests) == 1

    async def test_endless_nesting_ends_no_run(self, zendesk):
        """Arguments nested deeper than any parser follows are refused like wrong ones."""
        seen = await self.run(toolset(zendesk.connector()), (NAME, "[" * 100_000))

        assert "invalid_parameter" in seen.only.text

    def test_toolsets_have_an_id(self, zendesk):
        """The id follows from the tools and can be chosen."""
        assert f"plugbay:{NAME}" == toolset(zendesk.connector()).id
        assert toolset(zendesk.connector(), id="mine").id == "mine"

    async def test_a_schema_generated_call_ends_no_run(self, zendesk):
        """A model that fills the schema with anything at all gets an answer."""
        result = await Agent(TestModel(), toolsets=[toolset(zendesk.connector())]).run("Go.")

        assert NAME in result.output
