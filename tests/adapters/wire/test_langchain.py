"""LangChain's OpenAI client on the wire."""

from __future__ import annotations

import httpx
import pytest

pytest.importorskip("langchain_openai")

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from plugbay_adapters.langchain import toolkit

from .wire import WireContract


class TestLangChain(WireContract):
    async def run_built(self, base_url, api, connector):
        return await self._run(base_url, api, toolkit(connector).get_tools())

    async def run_decorated(self, base_url, api, function):
        return await self._run(base_url, api, [tool(function)])

    async def _run(self, base_url, api, tools):
        async with httpx.AsyncClient() as client:
            model = ChatOpenAI(
                model="gpt-4o",
                base_url=base_url,
                api_key="test",
                http_async_client=client,
                use_responses_api=api == "responses",
                max_retries=0,
            )
            state = await create_agent(model, tools).ainvoke({"messages": [("user", "Go.")]})
        return state["messages"][-1].text
