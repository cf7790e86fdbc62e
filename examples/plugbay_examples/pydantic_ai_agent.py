"""The support assistant in pydantic-ai."""

from __future__ import annotations

import asyncio

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, FunctionModel

from plugbay_adapters import pydantic_ai
from plugbay_examples.scene import INSTRUCTIONS, Scene, scene
from plugbay_examples.script import Script
from plugbay_examples.transcript import Transcript


async def answer(at: Scene) -> Transcript:
    """Asks the assistant."""
    toolset = pydantic_ai.toolset(at.support, at.talk, mode="execute")
    model: Model | str = scripted(at.script) if at.model is None else _named(at.model)
    agent = Agent(model, instructions=INSTRUCTIONS, toolsets=[toolset])
    result = await agent.run(at.question)
    return transcribe(at, result.all_messages(), result.output)


def _named(model: str) -> str:
    return model if ":" in model else f"openai:{model}"


def scripted(script: Script) -> FunctionModel:
    """A model that follows the script."""

    def respond(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:  # noqa: ARG001 - the model's interface
        move = script.next([part.model_response_str() for part in _returns(messages)])
        if isinstance(move, str):
            return ModelResponse(parts=[TextPart(move)])
        return ModelResponse(parts=[ToolCallPart(move.tool, move.arguments)])

    return FunctionModel(respond)


def _returns(messages: list[ModelMessage]) -> list[ToolReturnPart]:
    return [part for message in messages for part in message.parts if isinstance(part, ToolReturnPart)]


def transcribe(at: Scene, messages: list[ModelMessage], output: str) -> Transcript:
    """What was said, from the framework's own messages."""
    transcript = at.transcript("pydantic-ai")
    calls = {
        part.tool_call_id: part for message in messages for part in message.parts if isinstance(part, ToolCallPart)
    }
    for part in _returns(messages):
        transcript.add(part.tool_name, calls[part.tool_call_id].args_as_json_str(), part.model_response_str())
    transcript.answer = output
    return transcript


async def main() -> None:
    """Plays the example and prints it."""
    async with scene() as at:
        print((await answer(at)).show())


if __name__ == "__main__":
    asyncio.run(main())
