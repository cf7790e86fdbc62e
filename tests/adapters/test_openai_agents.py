"""The contract in the OpenAI Agents SDK, and what is its own."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("agents")

from agents import Agent, Runner, function_tool, set_tracing_disabled
from agents.testing import ScriptedModel, assistant_message, function_call

from plugbay_adapters.openai_agents import tools as plugbay_tools

from .contract import AdapterContract
from .seen import GET, NAME, Outcome, Seen, Shown

set_tracing_disabled(True)


class TestOpenAIAgents(AdapterContract):
    framework = "openai_agents"
    imports = "from agents import RunContextWrapper"
    context = "ctx: RunContextWrapper"
    # The Responses API has no mark for a failed function call.
    builder_marks_failures = None
    decorator_marks_failures = None
    successes_marked = None
    has_raw_arguments = True

    def build(self, *connectors, **settings):
        return plugbay_tools(*connectors, **settings)

    def decorate(self, function, *, context=False):
        return [function_tool(strict_mode=False)(function)]

    async def run(self, tools, *calls):
        model = ScriptedModel(
            [
                *([function_call(name, args, call_id=f"call-{number}")] for number, (name, args) in enumerate(calls)),
                [assistant_message("done")],
            ]
        )
        result = await Runner.run(Agent(name="test", model=model, tools=tools), "Go.", max_turns=20)
        last = model.last_call
        return Seen(
            shown={tool.name: Shown(tool.description, tool.params_json_schema) for tool in last.tools},
            outcomes=[
                Outcome(item["output"], failed=None)
                for item in last.input
                if item.get("type") == "function_call_output"
            ],
            final=result.final_output,
        )

    async def test_the_decorator_passes_the_calls_id_on(self, zendesk, user, named):
        """A function that takes the run's context needs nothing more for the call's id to be known."""
        decorator = type(zendesk.connector()).tool_utils(**named)

        await self.run(
            self.decorate(user.execute_with_context(zendesk.connector(), decorator, []), context=True), (NAME, GET)
        )

        assert zendesk.call_ids == ["call-0"]

    async def test_several_calls_of_one_turn_fail_alone(self, zendesk):
        """One failing call among three made at once leaves the others their answers."""
        wrong = {**GET, "entity": "tiket"}
        turn = [function_call(NAME, args, call_id=f"c{number}") for number, args in enumerate((GET, wrong, GET))]
        model = ScriptedModel([turn, [assistant_message("done")]])

        await Runner.run(Agent(name="test", model=model, tools=self.build(zendesk.connector())), "Go.")

        outputs = [json.loads(item["output"]) for item in model.last_call.input if "output" in item]
        assert ["data" in output for output in outputs] == [True, False, True]
