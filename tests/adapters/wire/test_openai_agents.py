"""The OpenAI Agents SDK's clients on the wire."""

from __future__ import annotations

from typing import ClassVar

import pytest

pytest.importorskip("agents")

from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI

from plugbay_adapters.openai_agents import tools

from .wire import WireContract

set_tracing_disabled(True)

MODELS = {"chat": OpenAIChatCompletionsModel, "responses": OpenAIResponsesModel}


class TestOpenAIAgents(WireContract):
    decorator: ClassVar = {"framework": "openai_agents"}

    async def run_built(self, base_url, api, connector):
        return await self._run(base_url, api, tools(connector))

    async def run_decorated(self, base_url, api, function):
        return await self._run(base_url, api, [function_tool(strict_mode=False)(function)])

    async def _run(self, base_url, api, tools):
        async with AsyncOpenAI(base_url=base_url, api_key="test") as client:
            model = MODELS[api](model="gpt-4o", openai_client=client)
            return (await Runner.run(Agent(name="test", model=model, tools=tools), "Go.")).final_output


class TestOpenAIAgentsUnnamed(TestOpenAIAgents):
    """Without `framework=` the envelope's own `str()` is what the framework sends."""

    decorator: ClassVar = {}
