"""The support assistant's tools as a FastMCP server, and a client that uses them.

`python -m plugbay_examples.fastmcp_agent serve` serves the tools over stdio, for any MCP client.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from fastmcp import Client, FastMCP
from mcp.types import TextContent

from plugbay_adapters import fastmcp
from plugbay_examples.scene import INSTRUCTIONS, Scene, scene
from plugbay_examples.script import Call
from plugbay_examples.transcript import Transcript

MAX_TURNS = 12


def server(at: Scene) -> FastMCP[Any]:
    """The server."""
    return fastmcp.server(at.support, at.talk, mode="execute", name="Support assistant")


async def answer(at: Scene) -> Transcript:
    """Asks the assistant, which reaches its tools through MCP."""
    transcript = at.transcript("FastMCP")
    async with Client(server(at)) as client:
        mind = Scripted(at) if at.model is None else Model(at, at.model, await client.list_tools())
        for _ in range(MAX_TURNS):
            move = await mind.next(transcript)
            if isinstance(move, str):
                transcript.answer = move
                break
            result = await client.call_tool(move.tool, move.arguments, raise_on_error=False)
            text = "".join(block.text for block in result.content if isinstance(block, TextContent))
            transcript.add(move.tool, move.arguments, text)
    return transcript


class Scripted:
    """Follows the script."""

    def __init__(self, at: Scene) -> None:
        self._script = at.script

    async def next(self, so_far: Transcript) -> Call | str:
        """The next call, or the answer."""
        return self._script.next([step.result for step in so_far.steps])


class Model:
    """Asks a model of OpenAI's, one call at a time."""

    def __init__(self, at: Scene, model: str, tools: list[Any]) -> None:
        from openai import AsyncOpenAI  # noqa: PLC0415 - only needed with a model

        self._client = AsyncOpenAI()
        self._model = model.removeprefix("openai:")
        self._tools: list[Any] = [
            {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": tool.input_schema},
            }
            for tool in tools
        ]
        self._messages: list[Any] = [
            {"role": "system", "content": INSTRUCTIONS},
            {"role": "user", "content": at.question},
        ]

    async def next(self, so_far: Transcript) -> Call | str:
        """The next call, or the answer."""
        if so_far.steps:
            call_id = self._messages[-1].tool_calls[0].id
            self._messages.append({"role": "tool", "tool_call_id": call_id, "content": so_far.steps[-1].result})
        reply = await self._client.chat.completions.create(
            model=self._model, messages=self._messages, tools=self._tools, parallel_tool_calls=False
        )
        message: Any = reply.choices[0].message
        self._messages.append(message)
        if not message.tool_calls:
            return str(message.content)
        function = message.tool_calls[0].function
        return Call(function.name, json.loads(function.arguments))


async def main() -> None:
    """Plays the example and prints it, or serves the tools."""
    async with scene() as at:
        if sys.argv[1:] == ["serve"]:
            await server(at).run_async(show_banner=False)
        else:
            print((await answer(at)).show())


if __name__ == "__main__":
    asyncio.run(main())
