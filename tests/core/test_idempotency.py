"""A call that may have been done is repeated under the key that it had; every other call has a new one."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from plugbay import Policy
from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig
from plugbay.context import ToolCall, open_tool_call
from plugbay.errors import NetworkError, ServiceError, ValidationFailedError
from plugbay.idempotency import MOST_DOUBTFUL, IdempotencyKeys
from plugbay.sandbox import Sandbox
from plugbay.tools.spec import execute_specs

CREATE = ZendeskSupportConnector.find("tickets", "create")
CALL_ID, OTHER_ID = "call_9aZ81bQqPxTn4wLmVc0KdR2s", "call_3hY7eUoGfXj5tBkSiC6WnA1v"
DOUBT = ServiceError("?", details={"fate": "unknown"})


def scripted(statuses, keys):
    """A connector to a service that answers with these statuses, or fails so, and notes the keys it is sent."""
    left = list(statuses)

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["idempotency-key"])
        status = left.pop(0)
        if isinstance(status, Exception):
            raise status
        return httpx.Response(status, json={"ticket": {"id": 1}})

    return ZendeskSupportConnector(
        ZendeskSupportOauth20AuthConfig(access_token="t"),
        subdomain="acme",
        max_attempts=1,
        http=httpx.MockTransport(answer),
    )


async def test_a_repetition_has_the_key_of_the_call_that_may_have_been_done():
    """After an answer of 500 the same create has the same key, so the service makes one ticket; then a new one."""
    keys: list[str] = []
    connector = scripted([500, 201, 201], keys)
    call = {"subject": "Once", "comment": {"body": "Hi"}}

    with pytest.raises(ServiceError) as caught:
        await connector.execute("tickets", "create", call)
    await connector.execute("tickets", "create", call)
    await connector.execute("tickets", "create", call)

    assert (True, "unknown") == (caught.value.retryable, caught.value.details["fate"])
    assert keys[0] == keys[1] != keys[2]


async def test_other_arguments_have_another_key():
    """A call with other arguments is another call, whatever became of the one before."""
    keys: list[str] = []
    connector = scripted([500, 201], keys)

    with pytest.raises(ServiceError):
        await connector.tickets.create(comment={"body": "A"})
    await connector.tickets.create(comment={"body": "B"})

    assert 2 == len(set(keys))


async def test_a_refused_call_is_forgotten():
    """What was surely not done has a new key the next time."""
    keys: list[str] = []
    connector = scripted([422, 201], keys)

    with pytest.raises(ValidationFailedError):
        await connector.tickets.create(comment={"body": "A"})
    await connector.tickets.create(comment={"body": "A"})

    assert 2 == len(set(keys))


async def test_a_models_repetition_makes_one_ticket():
    """A model that does as the error says, and calls again, repeats under the same key."""
    keys: list[str] = []
    connector = scripted([500, 201], keys)

    @connector.tool_utils(policy=Policy(allow=["tickets.create"]))
    async def run(entity: str, action: str, params: dict | None = None):
        return await connector.execute(entity, action, params)

    failed = await run("tickets", "create", {"comment": {"body": "A"}})
    done = await run("tickets", "create", {"comment": {"body": "A"}})

    assert (True, {"id": 1}) == (failed["error"]["retryable"], done["data"])
    assert 1 == len(set(keys))


async def test_a_repetition_that_never_arrived_leaves_the_doubt():
    """A repetition that was surely not sent keeps the key for the next one."""
    keys: list[str] = []
    connector = scripted([500, httpx.ConnectError("refused"), 201], keys)
    call = {"comment": {"body": "A"}}

    for kind in (ServiceError, NetworkError):
        with pytest.raises(kind):
            await connector.execute("tickets", "create", call)
    await connector.execute("tickets", "create", call)

    assert (3, 1) == (len(keys), len(set(keys)))


async def test_a_cancelled_call_may_have_been_done():
    """Who cancels a create in mid-air and makes it again makes one ticket."""
    keys: list[str] = []
    sent = asyncio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["idempotency-key"])
        if len(keys) == 1:
            sent.set()
            await asyncio.Event().wait()
        return httpx.Response(201, json={"ticket": {"id": 1}})

    config = ZendeskSupportOauth20AuthConfig(access_token="t")
    connector = ZendeskSupportConnector(config, subdomain="acme", http=httpx.MockTransport(answer))
    first = asyncio.create_task(connector.tickets.create(comment={"body": "A"}))
    await sent.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await connector.tickets.create(comment={"body": "A"})
    await connector.close()

    assert (2, 1) == (len(keys), len(set(keys)))


def of_tool_call(call_id, *bodies, keys=None):
    """The keys of some creates within one run of a tool."""
    keys = keys or IdempotencyKeys()
    with open_tool_call(ToolCall("tool", call_id=call_id)):
        return [keys.key_for(CREATE, {"comment": {"body": body}}) for body in bodies]


def test_a_tool_call_that_is_run_again_has_its_keys_again():
    """The key follows from the framework's id of the tool call, in whichever process it is run again."""
    assert of_tool_call(CALL_ID, "A", "B") == of_tool_call(CALL_ID, "A", "B")
    assert of_tool_call(CALL_ID, "A") != of_tool_call(OTHER_ID, "A")


def test_equal_creates_of_one_tool_call_are_two():
    """A tool that makes the same ticket twice on purpose makes two, and the same two when it is run again."""
    first, second = of_tool_call(CALL_ID, "A", "A")
    assert first != second
    assert [first, second] == of_tool_call(CALL_ID, "A", "A")


@pytest.mark.parametrize("counted", ["call_1", "3", "", None, "conversation-calls", "D681PevKs"])
def test_an_id_that_may_come_again_is_not_relied_on(counted):
    """An id that is short, or has no digit, may be another conversation's too: the ticket has a key of its own."""
    assert of_tool_call(counted, "A") != of_tool_call(counted, "A")


def test_of_two_equal_calls_at_once_one_is_the_repetition():
    """While a doubtful call is being repeated, an equal call is one of its own."""
    keys = IdempotencyKeys()
    arguments = {"comment": {"body": "A"}}
    doubtful = keys.key_for(CREATE, arguments)
    keys.done(CREATE, arguments, doubtful, DOUBT)
    assert doubtful == keys.key_for(CREATE, arguments) != keys.key_for(CREATE, arguments)


@pytest.mark.parametrize("restarts", [0, 1])
async def test_an_agents_own_repeat_is_one_ticket(restarts):
    """A framework that runs a tool call again, after a restart too, makes one ticket at the service."""
    with Sandbox(tickets=5) as sandbox:
        before = len(sandbox.account.tickets)
        made = []
        for _ in range(2):
            config = ZendeskSupportOauth20AuthConfig(access_token=sandbox.access_token)
            policy = Policy(allow=["tickets.create"])
            connector = ZendeskSupportConnector(config, base_url=sandbox.base_url, policy=policy)
            (spec,) = execute_specs([connector])
            call = {"entity": "tickets", "action": "create", "params": {"subject": "A", "comment": {"body": "B"}}}
            made += [(await spec.call(call, call_id=CALL_ID))["data"]["id"] for _ in range(2 - restarts)]
            await connector.close()
        assert (1, before + 1) == (len(set(made)), len(sandbox.account.tickets))


def test_memory_of_doubt_is_bounded():
    """Only so many calls of unknown fate are remembered, the latest of them."""
    keys = IdempotencyKeys()
    sent = []
    for number in range(MOST_DOUBTFUL + 1):
        key = keys.key_for(CREATE, {"subject": str(number)})
        sent.append(key)
        keys.done(CREATE, {"subject": str(number)}, key, DOUBT)

    assert sent[-1] == keys.key_for(CREATE, {"subject": str(MOST_DOUBTFUL)})
    assert sent[0] != keys.key_for(CREATE, {"subject": "0"})


def test_a_service_without_keys_is_sent_none():
    """An operation that knows no keys has none."""
    assert None is IdempotencyKeys().key_for(ZendeskSupportConnector.find("tickets", "update"), {})
