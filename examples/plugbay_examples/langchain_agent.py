"""The support assistant in LangChain."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType] - not all of it is typed
from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from plugbay_adapters import langchain
from plugbay_examples.scene import INSTRUCTIONS, Scene, scene
from plugbay_examples.script import Script
from plugbay_examples.transcript import Transcript


async def answer(at: Scene) -> Transcript:
    """Asks the assistant."""
    tools = langchain.toolkit(at.support, at.talk, mode="execute").get_tools()
    model: BaseChatModel = Scripted(script=at.script) if at.model is None else init_chat_model(at.model)
    agent = cast("Any", create_agent(model, tools, system_prompt=INSTRUCTIONS))
    state = await agent.ainvoke({"messages": [{"role": "user", "content": at.question}]})
    return transcribe(at, state["messages"])


class Scripted(BaseChatModel):
    """A model that follows the script."""

    script: Script

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **settings: Any) -> Any:
        return self

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **rest: Any
    ) -> ChatResult:
        move = self.script.next([str(message.content) for message in messages if isinstance(message, ToolMessage)])
        if isinstance(move, str):
            reply = AIMessage(move)
        else:
            call = {"name": move.tool, "args": move.arguments, "id": f"call_{len(messages)}", "type": "tool_call"}
            reply = AIMessage("", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=reply)])


def transcribe(at: Scene, messages: Sequence[BaseMessage]) -> Transcript:
    """What was said, from the framework's own messages."""
    transcript = at.transcript("LangChain")
    calls = {call["id"]: call for message in messages if isinstance(message, AIMessage) for call in message.tool_calls}
    for message in messages:
        if isinstance(message, ToolMessage):
            call = calls[message.tool_call_id]
            transcript.add(call["name"], call["args"], message.content)
    transcript.answer = messages[-1].text
    return transcript


async def main() -> None:
    """Plays the example and prints it."""
    async with scene() as at:
        print((await answer(at)).show())


if __name__ == "__main__":
    asyncio.run(main())
