"""The support assistant in OpenAI Agents."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from agents import Agent, Model, RunConfig, Runner
from agents.items import RunItem, ToolCallItem, ToolCallOutputItem
from agents.testing import ModelCall, ModelStep, ScriptedModel, assistant_message, function_call

from plugbay.json_safe import is_list, is_object
from plugbay_adapters import openai_agents
from plugbay_examples.scene import INSTRUCTIONS, Scene, scene
from plugbay_examples.script import Script
from plugbay_examples.transcript import Transcript

MAX_TURNS = 12


async def answer(at: Scene) -> Transcript:
    """Asks the assistant."""
    tools = openai_agents.tools(at.support, at.talk, mode="execute")
    model: Model | str = at.model or scripted(at.script)
    agent = Agent(name="Support assistant", instructions=INSTRUCTIONS, tools=tools, model=model)
    # Traces would go to OpenAI; tickets are private.
    settings = RunConfig(tracing_disabled=True)
    result = await Runner.run(agent, at.question, max_turns=MAX_TURNS, run_config=settings)
    return transcribe(at, result.new_items, str(result.final_output))


def scripted(script: Script) -> ScriptedModel:
    """A model that follows the script."""

    def respond(call: ModelCall) -> ModelStep:
        items = [item for item in call.input if is_object(item)] if is_list(call.input) else []
        results = [str(item["output"]) for item in items if item.get("type") == "function_call_output"]
        move = script.next(results)
        if isinstance(move, str):
            return ModelStep(output=[assistant_message(move)])
        return ModelStep(output=[function_call(move.tool, move.arguments, call_id=f"call_{len(results)}")])

    return ScriptedModel([ModelStep(responder=respond) for _ in range(MAX_TURNS)])


def transcribe(at: Scene, items: Sequence[RunItem], output: str) -> Transcript:
    """What was said, from the framework's own items."""
    transcript = at.transcript("OpenAI Agents")
    calls: dict[Any, Any] = {}
    for item in items:
        if isinstance(item, ToolCallItem):
            calls[getattr(item.raw_item, "call_id", None)] = item.raw_item
        elif isinstance(item, ToolCallOutputItem) and isinstance(item.raw_item, dict):
            call = calls[item.raw_item.get("call_id")]
            transcript.add(call.name, call.arguments, str(item.raw_item.get("output")))
    transcript.answer = output
    return transcript


async def main() -> None:
    """Plays the example and prints it."""
    async with scene() as at:
        print((await answer(at)).show())


if __name__ == "__main__":
    asyncio.run(main())
