"""What the adapters rely on in `tool_utils`, in no framework."""

from __future__ import annotations

import asyncio
import functools

import pytest

from plugbay import ConfigurationError, tool_utils
from plugbay.context import current_tool_call
from plugbay.errors import NetworkError
from plugbay.tools import execute_specs

from .seen import GET
from .zendesk import SHORT, Zendesk


class Callable:
    def __call__(self):
        return 1


@pytest.mark.parametrize("what", [Callable(), functools.partial(print), "text", None])
def test_only_functions_become_tools(what):
    """Anything but a function or a connector is refused where it is decorated, not when a model calls it."""
    with pytest.raises(ConfigurationError, match="a function or connectors"):
        tool_utils(what)


def unavailable():
    raise NetworkError("No network.")


async def test_a_default_entity_is_kept():
    """A function with a default for `entity` may be called without it."""
    connector = Zendesk().connector()

    @connector.tool_utils
    async def get(action: str = "get", entity: str = "tickets", params: dict | None = None):
        return await connector.execute(entity, action, params)

    assert await get(params={"ticket_id": 7}) == {"data": SHORT, "meta": {}}


async def test_a_hook_that_fails_ends_no_run():
    """A bug in `should_internal_retry` or in the message's hook leaves the failure as it was."""

    def broken(*arguments):
        raise ZeroDivisionError

    tool = tool_utils(internal_retries=1, should_internal_retry=broken, exhausted_runtime_failure_message=broken)

    assert tool(unavailable)()["error"]["code"] == "network"


def test_a_stray_cancellation_in_a_thread_is_a_failure():
    """Without a running loop there is nobody who could have cancelled."""

    @tool_utils
    def tool():
        raise asyncio.CancelledError

    assert tool()["error"]["code"] == "network"


@pytest.mark.parametrize("said", ["broke", ["broke"], {"message": 7, "hint": 7, "code": "mine", "more": {1}}, None])
def test_every_told_failure_has_the_payloads_names(said):
    """A failure that is returned has every name of a payload, of the right type, and is JSON."""
    error = tool_utils(lambda: {"error": said})()["error"]

    assert {"code", "message", "hint", "retryable", "retry_after", "details"} <= set(error)
    assert isinstance(error["message"], str)
    assert isinstance(error["code"], str)
    assert error["hint"] is None


async def test_a_call_inside_a_call_has_no_borrowed_id():
    """A tool that calls another tool does not lend it its id."""
    seen = []

    @tool_utils
    async def inner():
        seen.append(current_tool_call().call_id)

    [spec] = execute_specs([Zendesk().connector()])

    @tool_utils
    async def outer(**arguments):
        seen.append(current_tool_call().call_id)
        return await inner()

    object.__setattr__(spec, "invoke", outer)
    await spec.call(GET, call_id="one")

    assert seen == ["one", None]


async def test_a_retried_call_keeps_its_id():
    """Every attempt of one call has the id of the call."""
    seen = []

    @tool_utils(internal_retries=1)
    async def flaky(tool_call_id: str):
        seen.append(current_tool_call().call_id)
        unavailable()

    await flaky(tool_call_id="one")

    assert seen == ["one", "one"]


@pytest.mark.parametrize("text", ["[" * 100_000, '{"entity":' * 100_000, "null", "7", '"text"'])
async def test_arguments_of_any_text_are_answered(text):
    """A tool answers whatever text a model sends for its arguments."""
    [spec] = execute_specs([Zendesk().connector()])

    assert (await spec.call(text))["error"]["code"] == "invalid_parameter"


async def test_made_up_arguments_are_not_echoed_whole():
    """A very long name of an argument comes back clipped."""
    [spec] = execute_specs([Zendesk().connector()])

    assert len(str(await spec.call({**GET, "x" * 100_000: 1}))) < 1_000
