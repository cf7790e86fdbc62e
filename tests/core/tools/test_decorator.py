"""tool_utils: a function becomes a tool."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import threading
from typing import Annotated, Any, get_type_hints

import pytest
from pydantic import TypeAdapter

import plugbay
from plugbay import ConfigurationError, NetworkError, Policy, RateLimitedError, ServiceError, tool_utils
from plugbay.connectors.zendesk_support import ZendeskSupportConnector
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector
from plugbay.context import current_tool_call
from plugbay.tools.decorator import identified

BOX = {"id": 1, "name": "A", "state": None}
KEYS = ["code", "message", "hint", "retryable", "retry_after", "details"]
PEER_SUPPORT_CHARACTERS = 29_809


class Context:
    """A framework's context."""


async def generic(entity: str, action: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
    """Ask the cellar.

    More for programmers.

    Args:
        entity: What.
    """
    raise NotImplementedError


@pytest.fixture
def tool(world):
    """A generic tool on a cellar that answers as told, and the cellar's world."""

    def make(answer=None, policy=None, **settings):
        cellar = world.cellar({"box": BOX} if answer is None else answer, policy=policy)

        @cellar.tool_utils(**settings)
        async def cellar_tool(entity: str, action: str, params: dict[str, Any] | None = None):
            """Ask the cellar."""
            return await cellar.execute(entity, action, params)

        return cellar_tool

    return make


class TestForms:
    """However it is written, it decorates."""

    @pytest.mark.parametrize(
        "decorate",
        [
            lambda world: tool_utils,
            lambda world: tool_utils(),
            lambda world: tool_utils(framework="none"),
            lambda world: tool_utils(world.cellar(), world.support()),
            lambda world: tool_utils(world.Cellar, max_output_chars=2_000),
            lambda world: world.Cellar.tool_utils,
            lambda world: world.Cellar.tool_utils(),
            lambda world: world.Cellar.tool_utils(policy=Policy(read_only=False)),
            lambda world: world.cellar().tool_utils,
            lambda world: world.cellar().tool_utils(internal_retries=1),
        ],
    )
    async def test_every_form(self, world, decorate):
        """Bare, called, with settings, on a class, on a connector, and for several connectors: a real function."""

        async def hands(x: int) -> str:
            """Do it."""
            return f"{x}"

        def feet(x: int) -> str:
            """Walk."""
            return f"{x}"

        made, walked = decorate(world)(hands), decorate(world)(feet)

        assert inspect.isfunction(made)
        assert inspect.iscoroutinefunction(made)
        assert inspect.isfunction(walked)
        assert not inspect.iscoroutinefunction(walked)
        assert {"data": "5", "meta": {}} == await made(5) == walked(x=5)
        assert ("hands", hands) == (made.__name__, made.__wrapped__)
        assert made.__doc__.startswith("Do it.")

    def test_method(self, world):
        """A method is decorated like a function."""

        class Desk:
            @world.Cellar.tool_utils
            def look(self, entity: str, action: str):
                """Look."""
                return [self.__class__.__name__, entity]

        assert ["Desk", "boxes"] == Desk().look("boxes", "get")["data"]

    def test_function_is_not_changed(self, world):
        """The user's own function keeps its docstring, annotations and name."""
        before = (generic.__doc__, dict(generic.__annotations__), inspect.signature(generic))

        world.Cellar.tool_utils(generic)

        assert before == (generic.__doc__, dict(generic.__annotations__), inspect.signature(generic))

    @pytest.mark.parametrize(
        "settings", [{"framework": "langchian"}, {"max_output_chars": 10}, {"internal_retries": -1}]
    )
    def test_wrong_settings(self, settings):
        """A wrong setting is said at once."""
        with pytest.raises(ConfigurationError):
            tool_utils(**settings)(generic)

    @pytest.mark.parametrize("thing", ["zendesk-support", None, 5, Context()])
    def test_neither_function_nor_connector(self, thing):
        """Something that is neither a function nor a connector is said at once."""
        with pytest.raises(ConfigurationError, match="function or connectors"):
            tool_utils(thing)

    def test_several_connectors(self, world):
        """With several connectors the tool tells of all of them."""
        made = tool_utils(world.Cellar, ZendeskTalkConnector)(generic)

        assert "Cellar actions;" in made.__doc__
        assert "Zendesk Talk actions;" in made.__doc__
        enum = TypeAdapter(made.__annotations__["entity"]).json_schema()["enum"]
        assert {*world.Cellar.operations, *ZendeskTalkConnector.operations} == set(enum)


class TestDescription:
    """What a model reads."""

    def test_own_first_paragraph_stays(self, world):
        """The user's first paragraph comes first; what is for programmers is left out."""
        text = world.Cellar.tool_utils(generic).__doc__

        assert text.startswith("Ask the cellar.\n\nCellar actions;")
        assert "More for programmers" not in text
        assert "Args:" not in text

    def test_docstring_may_stay(self, world):
        """With update_docstring=False the docstring is the user's."""
        assert generic.__doc__ == world.Cellar.tool_utils(update_docstring=False)(generic).__doc__

    def test_without_a_docstring(self, world):
        """A function without a docstring gets the catalogue alone."""

        async def bare(entity: str, action: str): ...

        assert world.Cellar.tool_utils(bare).__doc__.startswith("Cellar actions;")

    @pytest.mark.parametrize("connector", [ZendeskSupportConnector, ZendeskTalkConnector])
    @pytest.mark.parametrize("style", ["google", "numpy", "sphinx"])
    def test_survives_docstring_parsers(self, connector, style):
        """The parsers of agent frameworks find one section of text and keep all of it."""
        griffe = pytest.importorskip("griffe")
        text = connector.tool_utils(generic).__doc__

        sections = griffe.Docstring(text).parse(style)

        assert ["text"] == [section.kind.value for section in sections]
        assert inspect.cleandoc(text) == sections[0].value

    def test_costs_a_fifth_of_the_peer(self):
        """The text for Support is at most a fifth as long as the published client's."""
        assert PEER_SUPPORT_CHARACTERS / 5 >= len(ZendeskSupportConnector.tool_utils(generic).__doc__)

    def test_policy_hides_actions(self, world):
        """A connector tells a model only what its policy lets it do: without one, reading."""
        hidden = world.cellar().tool_utils(generic).__doc__
        shown = world.cellar(policy=Policy(read_only=False, deny=["boxes.delete"])).tool_utils(generic).__doc__
        narrowed = world.Cellar.tool_utils(policy=Policy(allow=["things.*"]))(generic).__doc__

        assert "boxes.create" not in hidden
        assert "changes data" not in hidden
        assert "!boxes.create" in shown
        assert "boxes.delete" not in shown
        assert "boxes." not in narrowed


class TestAnnotations:
    """What frameworks read from the signature."""

    def test_choices(self, world):
        """Entity and action have choices, params a text; other parameters stay as they are."""

        async def mine(
            context: Context, entity: str, action: str, params: dict, *, note: Annotated[str, "n"] = ""
        ) -> str:
            """Mine."""

        hints = get_type_hints(world.Cellar.tool_utils(mine), globalns=globals(), localns=locals(), include_extras=True)

        assert ["boxes", "things", "files"] == TypeAdapter(hints["entity"]).json_schema()["enum"]
        assert "annotate" in TypeAdapter(hints["action"]).json_schema()["enum"]
        assert "object" == TypeAdapter(hints["params"]).json_schema()["type"]
        assert "select_fields" in TypeAdapter(hints["params"]).json_schema()["description"]
        assert (Context, Annotated[str, "n"]) == (hints["context"], hints["note"])
        assert "return" not in hints

    def test_postponed_annotations(self, world):
        """This file's annotations are texts; they are resolved with the user's own names."""
        made = world.Cellar.tool_utils(generic)

        assert "dict[str, Any] | None" == generic.__annotations__["params"]
        assert {"entity", "action", "params"} == get_type_hints(made).keys()
        assert list(inspect.signature(made).parameters) == ["entity", "action", "params"]

    def test_own_functions_keep_theirs(self):
        """A function without entity and action keeps every annotation but that of its result."""

        @tool_utils
        def add(x: int, params: str = "") -> int:
            return x

        assert {"x": "int", "params": "str"} == add.__annotations__

    async def test_anything_gets_through_to_us(self, tool):
        """A value outside the choices is no error of the framework's: the answer with a suggestion is ours."""
        made = tool()
        adapter = TypeAdapter(made.__annotations__["entity"])

        assert "boxs" == adapter.validate_python("boxs")
        assert "Did you mean 'boxes'?" in (await made("boxs", "get"))["error"]["message"]


class TestCalls:
    """From a model's call to an envelope."""

    async def test_success(self, tool):
        """A success is data and meta, whose text is JSON."""
        envelope = await tool()("boxes", "get", {"box_id": 1})

        assert {"data": {"id": 1, "name": "A"}, "meta": {}} == envelope
        assert isinstance(envelope, dict)
        assert envelope == json.loads(str(envelope))

    @pytest.mark.parametrize("params", ['{"box_id": 1}', {"box_id": "1"}, '{"box_id": "1", "include": "lid"}'])
    async def test_params_as_text(self, tool, params):
        """Params may be the JSON text of an object."""
        assert 1 == (await tool()("boxes", "get", params))["data"]["id"]

    @pytest.mark.parametrize("params", [None, "", {}, "{}"])
    async def test_no_params(self, tool, params):
        """No params, in whatever form, are none."""
        assert [] == (await tool({"boxes": []})("boxes", "list", params))["data"]

    @pytest.mark.parametrize("params", [[1], "x", "[1]", 5])
    async def test_params_that_are_no_object(self, tool, params):
        """Params that are no object are refused with an example."""
        error = (await tool()("boxes", "list", params))["error"]

        assert "invalid_parameter" == error["code"]
        assert '{"limit": 10}' in error["hint"]

    async def test_slips_in_names(self, tool):
        """Case and hyphens in the names of entity and action do not count."""
        assert 1 == (await tool()(" Boxes", "GET ", {"box_id": 1}))["data"]["id"]

    @pytest.mark.parametrize("fields", [["state", "id"], "id,state", '["id"]'])
    async def test_select_fields(self, tool, fields):
        """params.select_fields chooses fields and is no argument of the action."""
        answer = {"boxes": [{"id": 1, "name": "A", "state": "open"}], "meta": {}}
        (box,) = (await tool(answer)("boxes", "list", {"select_fields": fields}))["data"]

        assert "name" not in box
        assert 1 == box["id"]

    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ([1], "must be a list of field names"),
            ({"id": 1}, "must be a list of field names"),
            (5, "must be a list of field names"),
            (["id"] * 201, "has at most 200 names"),
            ("id," * 201, "has at most 200 names"),
            (["id", "a." * 101], "has names of at most 200 characters"),
            ("a." * 450_000, "has names of at most 200 characters"),
        ],
    )
    async def test_select_fields_that_are_none(self, tool, world, fields, problem):
        """Fields that are no names, or more and longer than any record's, are refused before anything is sent."""
        error = (await tool()("boxes", "list", {"select_fields": fields}))["error"]

        assert f"`select_fields` {problem}." == error["message"]
        assert {"fields": {"params.select_fields": [problem]}} == error["details"]
        assert [] == world.requests

    async def test_most_fields(self, tool):
        """As many fields as there may be, as long as they may be, are taken."""
        answer = {"boxes": [{"id": 1, "name": "A"}], "meta": {}}
        envelope = await tool(answer)("boxes", "list", {"select_fields": ["id", *["x" * 200] * 199]})

        assert [{"id": 1}] == envelope["data"]

    async def test_lists_are_summaries(self, tool):
        """A list has summary fields and says so; a record by itself is whole."""
        answer = {"boxes": [{"id": 1, "name": "A", "state": "open"}], "meta": {}}
        envelope = await tool(answer)("boxes", "list")

        assert [{"id": 1, "name": "A"}] == envelope["data"]
        assert "select_fields" in envelope["meta"]["note"]

    async def test_what_the_function_makes_is_its_own(self, world):
        """Summary fields and cursors are those of the service's records, not of what a function made of them."""
        cellar = world.cellar({"boxes": [{"id": n, "state": "open"} for n in range(50)], "meta": {}})

        @cellar.tool_utils(max_output_chars=1_000)
        async def counting(entity: str, action: str):
            """Count."""
            result = await cellar.execute(entity, action)
            return {"total": len(result.data), "open": [box["id"] for box in result.data]}

        @cellar.tool_utils(max_output_chars=1_000)
        async def odd(entity: str, action: str):
            """Only odd ones."""
            return [{**box, "text": "x" * 20} for box in (await cellar.execute(entity, action)).data if box["id"] % 2]

        assert {"total": 50, "open": list(range(50))} == (await counting("boxes", "list"))["data"]
        envelope = await odd("boxes", "list")
        assert 25 > len(envelope["data"])
        assert envelope["meta"]["cursor"] is None

    async def test_forgotten_await(self, world):
        """A list that is returned without awaiting it is awaited."""
        cellar = world.cellar({"boxes": [{"id": 1}], "meta": {}})

        @cellar.tool_utils
        async def boxes():
            return cellar.boxes.list()

        assert [{"id": 1}] == (await boxes())["data"]

    def test_synchronous_function_that_returns_a_coroutine(self, world):
        """A synchronous function whose result must be awaited is told so, and leaves nothing unawaited."""
        cellar = world.cellar()

        @cellar.tool_utils
        def boxes():
            return cellar.boxes.get(1)

        assert "async def" in boxes()["error"]["hint"]

    def test_synchronous(self, world):
        """A synchronous function uses the synchronous face and is a model's call all the same."""
        cellar = world.cellar({"box": BOX})

        @cellar.tool_utils
        def ask(entity: str, action: str, params: dict):
            return cellar.sync.execute(entity, action, params)

        assert {"id": 1, "name": "A"} == ask("boxes", "get", {"box_id": 1})["data"]
        assert "policy_denied" == ask("boxes", "delete", {"box_id": 1})["error"]["code"]

    async def test_both_policies_must_agree(self, tool, world):
        """A write needs leave; the tool's policy cannot widen the connector's."""
        params = ("boxes", "create", {"name": "A"})

        codes = [
            (await tool(**settings)(*params)).get("error", {}).get("code")
            for settings in [
                {},
                {"policy": Policy(read_only=False)},
                {"policy": Policy(read_only=True)},
                {"policy": Policy(confirm=["boxes.create"])},
            ]
        ]

        assert ["policy_denied", None, "policy_denied", "approval_required"] == codes
        assert 1 == len(world.requests)

    async def test_call_id(self, tool):
        """The framework's id of a call is on the call, and not on calls inside it."""
        seen = []

        @tool_utils
        async def inner():
            seen.append(current_tool_call().call_id)

        @tool_utils
        async def outer(context: Any = None):
            seen.append(current_tool_call().call_id)
            await inner()

        with identified("a"):
            await outer()
        context = Context()
        context.tool_call_id = "b"
        await outer(context)

        assert ["a", None, "b", None] == seen

    async def test_extra_parameters_pass(self, world):
        """Parameters of the user's own arrive untouched."""
        seen = []

        @world.Cellar.tool_utils
        async def mine(context: Context, entity: str, action: str, *rest: int, note: str = "x", **more: Any):
            seen.append((context, entity, rest, note, more))

        context = Context()
        await mine(context, "boxes", "get", 1, 2, note="n", z=3)

        assert [(context, "boxes", (1, 2), "n", {"z": 3})] == seen

    async def test_arguments_that_do_not_fit(self, tool):
        """Arguments that the function does not take are a failure that says so."""
        error = (await tool()("boxes", "get", {}, 5))["error"]

        assert "invalid_parameter" == error["code"]

    async def test_long_name_of_an_argument(self, tool):
        """The name of an argument that the function does not take is told as far as people read it."""
        error = (await tool()("boxes", "get", **{"k" * 100_000: 1}))["error"]

        assert "The tool's arguments do not fit: " == error["message"][:33]
        assert 400 > len(error["message"])


class TestSize:
    """Results of bounded size."""

    @pytest.mark.parametrize(
        "value", ["x" * 10**6, ["x" * 50] * 10**5, {"a": {"b": ["x"] * 10**6}}, {"error": "x" * 10**6}]
    )
    def test_any_value(self, value):
        """Whatever a function returns, its text has at most the characters it may have."""

        @tool_utils(max_output_chars=2_000)
        def big():
            return value

        assert len(str(big())) <= 2_000

    def test_default(self):
        """By default that is 40,000."""

        @tool_utils
        def big():
            return ["x" * 100] * 1_000

        assert 39_000 < len(str(big())) <= 40_000


class TestFailures:
    """Failures are data; nothing ends a run."""

    async def test_keys(self, tool):
        """A failure has exactly six keys."""
        envelope = await tool()("boxes", "get", {"id": 1})

        assert ["error"] == list(envelope)
        assert KEYS == list(envelope["error"])
        assert {"box_id": ["missing"]}.items() <= envelope["error"]["details"]["fields"].items()

    async def test_foreign_exceptions_are_not_shown(self, caplog):
        """Of an exception that is not ours the model sees the class, never the text."""

        @tool_utils
        async def broken():
            raise ValueError("s3cret")

        envelope = await broken()

        assert "s3cret" not in str(envelope)
        assert "The tool failed with ValueError." == envelope["error"]["message"]
        assert "tool broken failed" in caplog.text

    async def test_control_flow_passes(self):
        """A framework's own signal passes, and is not tried again."""
        signal = type("GraphInterrupt", (Exception,), {"__module__": "langgraph.errors"})
        calls = []

        @tool_utils(internal_retries=3, should_internal_retry=lambda *_: True)
        async def interrupted():
            calls.append(1)
            raise signal

        with pytest.raises(signal):
            await interrupted()
        assert [1] == calls

    async def test_stray_cancellation(self):
        """A `CancelledError` that nobody asked for is a failure, in async and sync functions."""

        @tool_utils
        async def stray():
            future = asyncio.get_running_loop().create_future()
            future.cancel()
            await future

        @tool_utils
        def sync_stray():
            raise asyncio.CancelledError

        assert "network" == (await stray())["error"]["code"]
        assert "network" == sync_stray()["error"]["code"]

    async def test_real_cancellation(self):
        """A cancelled task ends, and so does one whose time is up."""
        started = asyncio.Event()

        @tool_utils
        async def slow():
            started.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(slow())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await slow()

    def test_exit_passes(self):
        """Leaving the program is no failure of a tool."""

        @tool_utils
        def leave():
            raise SystemExit(3)

        with pytest.raises(SystemExit):
            leave()

    async def test_context_ends_with_the_call(self, tool):
        """After a call, successful or not, no model is calling."""
        await tool()("boxes", "get", {})

        assert current_tool_call() is None

    async def test_tools_do_not_mix(self, world):
        """Calls at the same time, in tasks and threads, each know their own tool."""

        @tool_utils
        async def one():
            await asyncio.sleep(0)
            return [current_tool_call().tool, await asyncio.to_thread(two)]

        @tool_utils
        def two():
            return [current_tool_call().tool, threading.current_thread() is threading.main_thread()]

        found = await asyncio.gather(*(one() for _ in range(5)))

        assert [["one", {"data": ["two", False], "meta": {}}]] * 5 == [each["data"] for each in found]


class TestRetries:
    """Calling again, unseen by the model."""

    @staticmethod
    def _failing(*errors, **settings):
        left, calls = list(errors), []

        @tool_utils(**settings)
        async def flaky(x, y=0):
            calls.append((x, y))
            if left:
                raise left.pop(0)
            return "done"

        return flaky, calls

    @pytest.mark.parametrize(
        ("error", "retries", "expected"),
        [
            (ServiceError("m"), 0, 1),
            (ServiceError("m"), 1, 2),
            (NetworkError("m"), 3, 2),
            (RateLimitedError("m", retry_after=5), 3, 1),
            (ConfigurationError("m"), 3, 1),
            (ValueError("m"), 3, 1),
        ],
    )
    async def test_by_default(self, error, retries, expected):
        """Without a hook, failures that say they may pass and name no wait are tried again."""
        flaky, calls = self._failing(error, internal_retries=retries)
        await flaky(1)

        assert expected == len(calls)

    async def test_hook_decides(self):
        """The hook is given the failure and the arguments, and decides; the retries are an upper limit."""
        seen = []

        def hook(error, values, named):
            seen.append((str(error), values, named))
            return True

        flaky, calls = self._failing(*[ValueError("m")] * 5, internal_retries=2, should_internal_retry=hook)
        envelope = await flaky(1, y=2)

        assert [("m", (1,), {"y": 2})] * 2 == seen
        assert 3 == len(calls)
        assert "error" in envelope

    async def test_message_when_used_up(self):
        """The message for the model may be the user's; None keeps the failure's own."""
        for text, expected in [("Sorry.", "Sorry."), (None, "m")]:
            flaky, _ = self._failing(ServiceError("m"), exhausted_runtime_failure_message=lambda *_, text=text: text)
            assert expected == (await flaky(1))["error"]["message"]

    async def test_broken_hooks(self, caplog):
        """A hook's own failure does not end a run."""

        def broken(*_):
            raise KeyError("x")

        flaky, calls = self._failing(
            ServiceError("m"),
            internal_retries=3,
            should_internal_retry=broken,
            exhausted_runtime_failure_message=broken,
        )

        assert "m" == (await flaky(1))["error"]["message"]
        assert 1 == len(calls)
        assert "should_internal_retry of tool flaky failed" in caplog.text

    def test_synchronous(self):
        """Synchronous functions are called again in the same way."""
        errors = [ServiceError("m")]

        @tool_utils(internal_retries=1)
        def flaky():
            if errors:
                raise errors.pop()
            return 1

        assert 1 == flaky()["data"]


def test_package_exports_it():
    """`plugbay.tool_utils` is the decorator."""
    assert tool_utils is plugbay.tool_utils
    assert re.match("Decorator", tool_utils.__doc__)


async def test_unknown_fields_are_said(world):
    """A field that no record has is named, since a record without its fields tells nothing."""
    cellar = world.cellar({"box": {"id": 1, "name": "A"}})

    @cellar.tool_utils
    async def ask(entity: str, action: str, params: dict | None = None):
        return await cellar.execute(entity, action, params)

    answer = await ask("boxes", "get", {"box_id": 1, "select_fields": ["nmae", "id"]})

    assert {"id": 1} == answer["data"]
    assert "No record has nmae." == answer["meta"]["note"]
