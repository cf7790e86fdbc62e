"""What holds in every agent framework; each framework's test module subclasses it and runs its own agents."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import ClassVar

import pytest

from plugbay import ConfigurationError, Policy, tool_utils
from plugbay.connectors.zendesk_support import ZendeskSupportConnector
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector
from plugbay.errors import RateLimitedError

from .seen import CLOSE, GET, NAME, Seen, failures
from .user_code import user_module
from .zendesk import SECRET, SHORT, Zendesk

ENTITIES = list(ZendeskSupportConnector.operations)


class AdapterContract:
    """Facts about an adapter.

    Subclasses say how their framework takes tools and runs an agent that makes given calls.
    """

    framework: ClassVar[str]
    imports: ClassVar[str]
    context: ClassVar[str]
    builder_marks_failures: ClassVar[bool | None] = True
    decorator_marks_failures: ClassVar[bool | None] = True
    successes_marked: ClassVar[bool | None] = False
    has_raw_arguments: ClassVar[bool] = False
    runs_sync_tools: ClassVar[bool] = True

    def build(self, *connectors, **settings):
        """The adapter's own tools, for `run`."""
        raise NotImplementedError

    def decorate(self, function, *, context=False):
        """A function under the framework's decorator, for `run`."""
        raise NotImplementedError

    async def run(self, tools, *calls) -> Seen:
        """Runs an agent whose model makes the calls one after the other, and then says "done"."""
        raise NotImplementedError

    @pytest.fixture
    def zendesk(self):
        return Zendesk()

    @pytest.fixture(params=[False, True], ids=["evaluated", "postponed"])
    def user(self, request):
        return user_module(imports=self.imports, context=self.context, postponed=request.param)

    @pytest.fixture(params=[False, True], ids=["plain", "named"])
    def named(self, request):
        """Settings of `tool_utils`: without and with `framework=`."""
        return {"framework": self.framework} if request.param else {}

    @pytest.fixture(autouse=True)
    def _no_secret_is_logged(self, caplog):
        caplog.set_level(logging.DEBUG)
        yield
        logged = "\n".join(logging.Formatter().format(record) for record in caplog.get_records("call"))
        assert SECRET not in logged

    def offers(self, zendesk, user, named, **policy):
        """The same connector offered in the three ways, each ready for `run`."""
        connector = zendesk.connector(**policy)
        return {
            "builder": self.build(connector),
            "class": self.decorate(user.execute(connector, ZendeskSupportConnector.tool_utils(**named))),
            "instance": self.decorate(user.execute(connector, connector.tool_utils(**named))),
        }

    async def test_the_seeds_stack_works(self, zendesk, user):
        """A function under the connector's class's bare decorator answers with the ticket."""
        tool = self.decorate(user.execute(zendesk.connector(), ZendeskSupportConnector.tool_utils))

        seen = await self.run(tool, (NAME, GET))

        assert seen.only.json == {"data": SHORT, "meta": {}}
        assert seen.final == "done"
        assert zendesk.requests == [("GET", "/api/v2/tickets/7", None)]

    async def test_a_function_without_docstring_works(self, zendesk, user):
        """The catalogue is description enough for a function that has none of its own."""
        tool = self.decorate(user.execute_undocumented(zendesk.connector(), ZendeskSupportConnector.tool_utils))

        seen = await self.run(tool, (NAME, GET))

        assert seen.only.json == {"data": SHORT, "meta": {}}
        assert "tickets.get(ticket_id: int" in seen.shown[NAME].description

    async def test_every_way_gives_the_same_answer(self, zendesk, user, named):
        """The builder, the class's decorator and the connector's give the model equal JSON, none of it marked failed."""
        for tools in self.offers(zendesk, user, named).values():
            seen = await self.run(tools, (NAME, GET))

            assert seen.only.json == {"data": SHORT, "meta": {}}
            assert self.successes_marked == seen.only.failed
            assert SECRET not in str(seen)

    async def test_the_builders_answer_is_the_same_in_every_framework(self, zendesk):
        """A success is the same text, byte by byte, wherever it is read."""
        seen = await self.run(self.build(zendesk.connector()), (NAME, GET))

        assert seen.only.text == '{"data":{"id":7,"subject":"Größe „XL“","status":"open"},"meta":{}}'

    async def test_a_synchronous_function_works(self, zendesk, user, named):
        """A `def` runs in a thread and uses the connector's synchronous face."""
        if not self.runs_sync_tools:
            pytest.skip("the framework runs no synchronous tools")
        tool = self.decorate(user.execute_in_thread(zendesk.connector(), ZendeskSupportConnector.tool_utils(**named)))

        seen = await self.run(tool, (NAME, GET), (NAME, {**GET, "entity": "tiket"}))

        assert seen.outcomes[0].json == {"data": SHORT, "meta": {}}
        assert "unknown_operation" in seen.outcomes[1].text
        assert seen.final == "done"

    async def test_context_and_own_parameters_are_left_alone(self, zendesk, user, named):
        """The framework's context comes in and is not shown; a parameter of the author's own is both."""
        noted = []
        decorator = ZendeskSupportConnector.tool_utils(**named)
        tool = self.decorate(user.execute_with_context(zendesk.connector(), decorator, noted), context=True)

        seen = await self.run(tool, (NAME, {**GET, "reason": "curious"}))

        assert seen.only.json == {"data": SHORT, "meta": {}}
        [(context, reason)] = noted
        assert self.context.rpartition(": ")[2].partition("[")[0] in [kind.__name__ for kind in type(context).__mro__]
        assert reason == "curious"
        assert {"entity", "action", "params", "reason"} == set(seen.shown[NAME].schema["properties"])

    async def test_the_whole_catalogue_is_shown(self, zendesk, user, named):
        """No line is lost between the catalogue and the model, and the schema names entities and actions."""
        connector = zendesk.connector()
        for way, tools in self.offers(zendesk, user, named).items():
            shown = (await self.run(tools)).shown[NAME]
            text = connector.tool_utils(user.execute(connector, lambda function: function)).__doc__
            catalogue = ZendeskSupportConnector.describe() if way == "class" else text.partition("\n\n")[2]

            for line in catalogue.splitlines():
                assert line in shown.description
            if way != "builder":
                assert shown.description.startswith("Execute Zendesk-Support connector operations.")
            self.assert_schema(shown.schema)

    def assert_schema(self, schema):
        """The schema is a plain object with choices and texts."""
        assert schema["type"] == "object"
        assert not {"oneOf", "anyOf", "allOf", "$ref"} & set(schema)
        assert {"entity", "action", "params"} == set(schema["properties"])
        assert schema["required"] == ["entity", "action"]
        assert set(schema["properties"]["entity"]["enum"]) == set(ENTITIES)
        assert {"get", "list", "search"} < set(schema["properties"]["action"]["enum"])
        assert schema["properties"]["params"]["type"] == "object"
        assert "arguments by name" in schema["properties"]["params"]["description"]
        assert schema["properties"]["params"]["additionalProperties"] is True

    @pytest.mark.parametrize(("arguments", "code", "help_"), failures())
    async def test_failures_reach_the_model(self, zendesk, user, named, arguments, code, help_):
        """A failing call tells the model its code and what to do, and the run goes on."""
        connector = zendesk.connector()
        for way, tools in self.offers(zendesk, user, named).items():
            seen = await self.run(tools, (NAME, arguments), (NAME, GET))

            failed, healed = seen.outcomes
            assert code in failed.text, way
            assert help_ in failed.text, way
            assert healed.json == {"data": SHORT, "meta": {}}
            assert seen.final == "done"
            assert SECRET not in str(seen)
            if way == "builder":
                assert self.builder_marks_failures == failed.failed
            elif named:
                assert self.decorator_marks_failures == failed.failed
        await connector.close()

    async def test_many_failures_in_a_row_end_no_run(self, zendesk, user, named):
        """Three failures after each other leave the model free to go on."""
        wrong = {**GET, "entity": "tiket"}
        for tools in self.offers(zendesk, user, named).values():
            seen = await self.run(tools, (NAME, wrong), (NAME, wrong), (NAME, wrong), (NAME, GET))

            assert len(seen.outcomes) == 4
            assert seen.outcomes[-1].json == {"data": SHORT, "meta": {}}
            assert seen.final == "done"

    async def test_params_as_json_text_are_understood(self, zendesk, user, named):
        """A model that sends `params` as a JSON text gets its answer."""
        for tools in self.offers(zendesk, user, named).values():
            seen = await self.run(tools, (NAME, {**GET, "params": '{"ticket_id": "7"}'}))

            assert seen.only.json == {"data": SHORT, "meta": {}}

    @pytest.mark.parametrize(
        "arguments",
        [
            {},
            {"entity": "tickets"},
            {**GET, "self": 1, "config": {}, "run_manager": 1, "ctx": 1, "call_id": 1, "context": 1},
            {"args": [GET], "kwargs": GET},
        ],
        ids=["none", "no action", "unknown names", "wrapped"],
    )
    async def test_the_builders_tools_take_any_arguments(self, zendesk, arguments):
        """Arguments that are missing or made up are a failure like any other, again and again."""
        seen = await self.run(self.build(zendesk.connector()), *[(NAME, arguments)] * 3, (NAME, GET))

        for outcome in seen.outcomes[:3]:
            assert "invalid_parameter" in outcome.text
            assert f"Call {NAME} with" in outcome.text
        assert seen.outcomes[-1].json == {"data": SHORT, "meta": {}}
        assert seen.final == "done"

    async def test_arguments_that_are_no_json_end_no_run(self, zendesk):
        """Arguments cut off in the middle, or none at all, are refused like wrong ones."""
        if not self.has_raw_arguments:
            pytest.skip("the framework parses arguments before any tool is asked")
        calls = [(NAME, text) for text in ("garbage", '{"entity": "tick', "[1]", "")]
        seen = await self.run(self.build(zendesk.connector()), *calls, (NAME, json.dumps(GET)))

        assert all("invalid_parameter" in outcome.text for outcome in seen.outcomes[:-1])
        assert seen.outcomes[-1].json == {"data": SHORT, "meta": {}}

    async def test_a_value_of_ones_own_becomes_json(self, user, named):
        """Whatever a function returns, the model reads JSON."""
        tool = self.decorate(user.value_of_my_own(tool_utils(**named)))

        seen = await self.run(tool, ("my_report", {"days": 3}))

        expected = {
            "nothing": None,
            "nan": None,
            "day": "2026-11-22",
            "set": [3],
            "bytes": "YWI=",
            "object": "<object>",
        }
        assert {"data": expected, "meta": {}} == seen.only.json
        assert "A report." in seen.shown["my_report"].description

    async def test_nothing_becomes_json(self, user, named):
        """A function that returns nothing tells the model so."""
        seen = await self.run(self.decorate(user.nothing_of_my_own(tool_utils(**named))), ("my_nothing", {}))

        assert seen.only.json == {"data": None, "meta": {}}

    @pytest.mark.parametrize("make", ["failing", "failing_in_thread"])
    async def test_a_bug_ends_no_run(self, user, named, make):
        """An exception of the user's own is a failure that names its type and keeps its text to itself."""
        if make == "failing_in_thread" and not self.runs_sync_tools:
            pytest.skip("the framework runs no synchronous tools")
        tool = self.decorate(getattr(user, make)(tool_utils(**named), KeyError("a private text")))

        seen = await self.run(tool, ("my_failing", {}), ("my_failing", {}), ("my_failing", {}))

        assert all("KeyError" in outcome.text for outcome in seen.outcomes)
        assert "a private text" not in str(seen)
        assert seen.final == "done"

    async def test_a_named_failure_of_the_users_own_code_keeps_its_facts(self, user, named):
        """An error of the library raised by the user's function reaches the model with its wait."""
        error = RateLimitedError("Too many.", retry_after=12.5)

        seen = await self.run(self.decorate(user.failing(tool_utils(**named), error)), ("my_failing", {}))

        assert "rate_limited" in seen.only.text
        assert "12.5" in seen.only.text

    @pytest.mark.parametrize("said", ["It broke.", {"message": "It broke.", "retry_after": "soon"}])
    async def test_a_failure_that_is_told_of_is_one(self, user, named, said):
        """`{"error": ...}` returned by a function is a failure, whatever form it has."""
        seen = await self.run(self.decorate(user.telling(tool_utils(**named), said)), ("my_telling", {}))

        assert "It broke." in seen.only.text
        assert "error" in seen.only.text
        if named:
            assert self.decorator_marks_failures == seen.only.failed

    async def test_what_is_left_out_is_neither_shown_nor_run(self, zendesk):
        """`only` and `except_` narrow the description, the schema and the calls alike."""
        tools = self.build(zendesk.connector(), only=["tickets.*"], except_=["tickets.search"])

        seen = await self.run(tools, (NAME, {"entity": "users", "action": "me"}), (NAME, GET))

        shown = seen.shown[NAME]
        assert "tickets.get(" in shown.description
        assert "tickets.search(" not in shown.description
        assert "users." not in shown.description
        assert shown.schema["properties"]["entity"]["enum"] == ["tickets"]
        assert "policy_denied" in seen.outcomes[0].text
        assert seen.outcomes[1].json == {"data": SHORT, "meta": {}}
        assert zendesk.requests == [("GET", "/api/v2/tickets/7", None)]

    async def test_an_allowed_write_is_sent_once(self, zendesk, user, named):
        """A policy that allows an action shows it and lets it be sent, once."""
        policy = Policy(allow=["tickets.update", "tickets.get"])
        for tools in (
            self.build(zendesk.connector(), policy=policy),
            *self.offers(zendesk, user, named, policy=policy).values(),
            self.decorate(
                user.execute(zendesk.connector(), ZendeskSupportConnector.tool_utils(policy=policy, **named))
            ),
        ):
            zendesk.requests.clear()

            seen = await self.run(tools, (NAME, CLOSE))

            assert seen.only.json["data"] == {**SHORT, "status": "solved"}
            assert zendesk.requests == [("PUT", "/api/v2/tickets/7", {"ticket": {"status": "solved"}})]
            assert "!tickets.update(" in seen.shown[NAME].description

    async def test_a_cancelled_run_cancels_its_call(self, zendesk):
        """Cancelling the task that runs the agent breaks off the request that it waits for."""
        tools = self.build(zendesk.connector())
        run = asyncio.create_task(self.run(tools, (NAME, {**GET, "params": {"ticket_id": 99}})))
        await zendesk.asked.wait()

        run.cancel()
        await asyncio.wait([run])

        assert run.cancelled()
        assert zendesk.broken_off

    @pytest.mark.parametrize("make", ["failing", "failing_in_thread"])
    async def test_a_stray_cancellation_is_a_failure(self, user, named, make):
        """`CancelledError` that nobody asked for ends neither the run nor the connection."""
        if make == "failing_in_thread" and not self.runs_sync_tools:
            pytest.skip("the framework runs no synchronous tools")
        tool = self.decorate(getattr(user, make)(tool_utils(**named), asyncio.CancelledError()))

        seen = await self.run(tool, ("my_failing", {}), ("my_failing", {}))

        assert all("broken off" in outcome.text for outcome in seen.outcomes)
        assert seen.final == "done"

    async def test_the_calls_id_is_known(self, zendesk):
        """The framework's id of a call is on the call that the connector makes for it, another one each time."""
        await self.run(self.build(zendesk.connector()), (NAME, GET), (NAME, GET))

        assert len(set(zendesk.call_ids)) == 2
        assert all(self.is_call_id(call_id, number) for number, call_id in enumerate(zendesk.call_ids))

    def is_call_id(self, call_id, number):
        """Whether it is the id that `run` gave the call of that number."""
        return call_id == f"call-{number}"

    async def test_several_connectors_never_collide(self, zendesk):
        """Each connector has a tool of its own name, two of one service as well."""
        tools = self.build(
            zendesk.connector(), zendesk.connector(ZendeskTalkConnector), zendesk.connector(), only=["*.list"]
        )

        seen = await self.run(tools)

        assert {NAME, "zendesk_talk_execute", "zendesk_support_2_execute"} == set(seen.shown)

    def test_an_unknown_mode_is_refused(self, zendesk):
        """A mode that there is not is the programmer's mistake and raises."""
        with pytest.raises(ConfigurationError, match="mode"):
            self.build(zendesk.connector(), mode="telepathy")

    def test_nothing_left_is_refused(self, zendesk):
        """Tools that could do nothing are not built."""
        with pytest.raises(ConfigurationError, match="no action is left"):
            self.build(zendesk.connector(), only=["tickets.update"])
