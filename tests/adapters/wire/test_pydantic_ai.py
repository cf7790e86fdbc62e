"""Pydantic AI's OpenAI clients on the wire."""

from __future__ import annotations

from typing import ClassVar

import pytest

pytest.importorskip("pydantic_ai")
pytest.importorskip("openai")

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

from plugbay_adapters.pydantic_ai import toolset

from .wire import WireContract

MODELS = {"chat": OpenAIChatModel, "responses": OpenAIResponsesModel}


class TestPydanticAI(WireContract):
    added_to_objects: ClassVar = {"properties": {}}

    async def run_built(self, base_url, api, connector):
        return await self._run(base_url, api, Agent(toolsets=[toolset(connector)]))

    async def run_decorated(self, base_url, api, function):
        agent = Agent()
        agent.tool_plain(function)
        return await self._run(base_url, api, agent)

    async def _run(self, base_url, api, agent):
        provider = OpenAIProvider(base_url=base_url, api_key="test")
        async with provider.client:
            return (await agent.run("Go.", model=MODELS[api]("gpt-4o", provider=provider))).output
