"""Connectors as tools without a Python signature."""

from __future__ import annotations

import json
import re

import pytest

from plugbay import ConfigurationError, Policy
from plugbay.context import current_tool_call
from plugbay.tools import execute_specs

BOX = {"box": {"id": 1, "name": "A"}}


def spec_of(world, answer=None, *, policy=None, **settings):
    (spec,) = execute_specs([world.cellar(BOX if answer is None else answer, policy=policy)], **settings)
    return spec


class TestSpec:
    """A tool as data."""

    def test_reading_tool(self, world):
        """Without a policy the tool only reads, in its text, its choices and its marks."""
        spec = spec_of(world)

        assert ("the_cellar_execute", "Cellar") == (spec.name, spec.title)
        assert (True, False, True) == (spec.read_only, spec.destructive, spec.idempotent)
        assert "boxes.create" not in spec.description
        assert ["list", "search", "get", "plain", "download"] == spec.parameters["properties"]["action"]["enum"]
        assert {
            "title": "Cellar",
            "readOnlyHint": True,
            "destructiveHint": False,
            "idempotentHint": True,
            "openWorldHint": True,
        } == (spec.annotations)

    def test_writing_tool(self, world):
        """With leave to write the tool says what it may do."""
        spec = spec_of(world, policy=Policy(read_only=False))

        assert (False, True, False) == (spec.read_only, spec.destructive, spec.idempotent)
        assert "!boxes.delete" in spec.description

    def test_narrowed(self, world):
        """`only` and `except_` narrow what is offered and what may be called, and give no leave."""
        spec = spec_of(world, only=["boxes.*"], except_=["*.plain"])

        assert {"entity": ["boxes"], "action": ["list", "search", "get"]} == {
            name: spec.parameters["properties"][name]["enum"] for name in ("entity", "action")
        }

    async def test_narrowing_holds(self, world):
        """What is not offered is not run either."""
        spec = spec_of(world, only=["things.*"], policy=Policy(read_only=False))

        envelope = await spec.call({"entity": "boxes", "action": "get", "params": {"box_id": 1}})

        assert "policy_denied" == envelope["error"]["code"]
        assert [] == world.requests

    @pytest.mark.parametrize(
        "settings",
        [
            {"mode": "nonsense"},
            {"only": ["boxes"]},
            {"only": "boxes.*"},
            {"only": ["nothing.*"]},
            {"max_output_chars": 1},
        ],
    )
    def test_wrong_settings(self, world, settings):
        """A wrong setting, or nothing left to offer, is said at once."""
        with pytest.raises(ConfigurationError):
            spec_of(world, **settings)

    def test_several_of_one_service(self, world):
        """Connectors of one service get names of their own, each a name that every provider takes."""
        names = [spec.name for spec in execute_specs([world.cellar(), world.cellar(), world.support()])]

        assert ["the_cellar_execute", "the_cellar_2_execute", "zendesk_support_execute"] == names
        assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in names)


class TestCall:
    """A call from a framework."""

    @pytest.mark.parametrize("as_text", [True, False])
    async def test_call(self, world, as_text):
        """Arguments come as an object or as its JSON text."""
        arguments = {"entity": "boxes", "action": "get", "params": {"box_id": 1}}

        envelope = await spec_of(world).call(json.dumps(arguments) if as_text else arguments)

        assert {"data": {"id": 1, "name": "A"}, "meta": {}} == envelope

    @pytest.mark.parametrize(
        ("arguments", "fields"),
        [
            (None, {"entity": ["missing"], "action": ["missing"]}),
            ({}, {"entity": ["missing"], "action": ["missing"]}),
            ({"entity": "boxes", "action": "get", "id": 1}, {"id": ["unknown"]}),
            ("not json", None),
            ("[1]", None),
            ("[" * 100_000, None),
            ("5", None),
        ],
    )
    async def test_refused(self, world, arguments, fields):
        """Arguments that do not fit are a failure with a call that would, never an exception."""
        error = (await spec_of(world).call(arguments))["error"]

        assert "invalid_parameter" == error["code"]
        assert fields == (error["details"] or {}).get("fields")
        assert "Call the_cellar_execute with" in error["hint"]
        assert [] == world.requests

    async def test_very_many_unknown(self, world):
        """Of very many arguments that are not the tool's some are named and the others counted."""
        arguments = {f"{index} {'k' * 1_000}": 1 for index in range(20_000)}
        error = (await spec_of(world).call({**arguments, "entity": "boxes", "action": "get"}))["error"]

        assert 50 == len(error["details"]["fields"])
        assert error["message"].startswith("20000 arguments are unknown. `0 kkk")
        assert 10_000 > len(json.dumps(error))

    async def test_call_id(self, world):
        """The framework's id of the call is on the call."""
        seen = []

        def answer(request):
            seen.append((current_tool_call().call_id, current_tool_call().tool))
            return BOX

        await spec_of(world, answer).call({"entity": "boxes", "action": "get", "params": {"box_id": 1}}, call_id="c1")

        assert [("c1", "the_cellar_execute")] == seen
