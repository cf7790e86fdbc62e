"""What goes over the wire to a model, the same facts for every framework's OpenAI clients."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest
from tests.adapters.seen import GET, NAME
from tests.adapters.user_code import user_module
from tests.adapters.zendesk import SECRET, SHORT, Zendesk
from tests.support.fake_openai import FINAL, FakeOpenAI

from plugbay.connectors.zendesk_support import ZendeskSupportConnector
from plugbay.tools import execute_specs

WRONG = {**GET, "params": {"ticket": 7}}
ANSWER = '{"data":{"id":7,"subject":"Größe „XL“","status":"open"},"meta":{}}'


def tools_sent(request):
    """Name, description, schema and strictness of each tool in a request."""
    return [
        {key: tool.get("function", tool).get(key) for key in ("name", "description", "parameters", "strict")}
        for tool in request["tools"]
    ]


def results_sent(request):
    """The text of each tool result in a request, of either API."""
    messages = request.get("messages") or request["input"]
    return [
        message.get("content") or message.get("output")
        for message in messages
        if message.get("role") == "tool" or message.get("type") == "function_call_output"
    ]


class WireContract:
    """Facts about the bytes; subclasses run their framework's agent against the address they are given."""

    decorator: ClassVar[dict[str, Any]] = {}
    added_to_objects: ClassVar[dict[str, Any]] = {}
    """What the framework's client puts into the schema of `params` by itself."""

    async def run_built(self, base_url, api, connector):
        """Runs an agent with the adapter's own tools; returns its final words."""
        raise NotImplementedError

    async def run_decorated(self, base_url, api, function):
        """Runs an agent with a function under the framework's decorator; returns its final words."""
        raise NotImplementedError

    @pytest.mark.parametrize("api", ["chat", "responses"])
    async def test_the_builders_tools_on_the_wire(self, api):
        """The service reads the whole description and schema, then the answer byte by byte, then the error."""
        connector = Zendesk().connector()
        [spec] = execute_specs([connector])
        with FakeOpenAI((NAME, json.dumps(GET)), (NAME, json.dumps(WRONG))) as openai:
            final = await self.run_built(openai.base_url, api, connector)

        [tool] = tools_sent(openai.requests[0])
        assert final == FINAL
        assert spec.description == tool["description"]
        params = spec.parameters["properties"]["params"] | self.added_to_objects
        assert {**spec.parameters, "properties": {**spec.parameters["properties"], "params": params}} == tool[
            "parameters"
        ]
        assert tool["strict"] in {None, False}
        answer, error = results_sent(openai.requests[-1])
        assert answer == ANSWER
        assert "invalid_parameter" in error
        assert "did you mean `ticket_id`?" in error
        assert SECRET not in json.dumps(openai.requests)

    @pytest.mark.parametrize("api", ["chat", "responses"])
    async def test_a_decorated_function_on_the_wire(self, api):
        """The seeds' stack sends the catalogue, a schema with choices, and JSON for success and failure."""
        connector = Zendesk().connector()
        function = user_module(postponed=True).execute(connector, ZendeskSupportConnector.tool_utils(**self.decorator))
        with FakeOpenAI((NAME, json.dumps(GET)), (NAME, json.dumps(WRONG))) as openai:
            final = await self.run_decorated(openai.base_url, api, function)

        [tool] = tools_sent(openai.requests[0])
        assert final == FINAL
        assert f"Execute Zendesk-Support connector operations.\n\n{connector.describe()}" == tool["description"]
        assert list(connector.operations) == tool["parameters"]["properties"]["entity"]["enum"]
        assert tool["parameters"]["required"] == ["entity", "action"]
        params = tool["parameters"]["properties"]["params"]
        assert params["type"] == "object"
        assert params["additionalProperties"] is True
        assert tool["strict"] in {None, False}
        answer, error = results_sent(openai.requests[-1])
        assert json.loads(answer) == {"data": SHORT, "meta": {}}
        assert json.loads(error)["error"]["code"] == "invalid_parameter"
        assert SECRET not in json.dumps(openai.requests)
