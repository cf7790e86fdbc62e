"""What is told of calls, from end to end: a connector, real HTTP, and a Zendesk that answers."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugbay import DeadlineExceededError, InvalidParameterError, NetworkError, Policy, PolicyDeniedError
from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig
from plugbay.events import CallEvent
from plugbay.sandbox import Sandbox
from plugbay.transport import RetryPolicy

COMMENT = {"body": "It is on fire."}


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(seed=3, tickets=230, calls=0, plan=None) as running:
        yield running


@pytest.fixture(autouse=True)
def healed(sandbox):
    """No test is hit by the faults of another."""
    yield
    sandbox.heal()


@pytest.fixture
async def connect(sandbox):
    """Makes connectors, each with the list of the events it told."""
    made = []

    def make(to=sandbox, **given):
        told = []
        config = ZendeskSupportOauth20AuthConfig(access_token=to.access_token)
        chosen = {"base_url": to.base_url, "on_event": told.append, **given}
        made.append(ZendeskSupportConnector(config, **chosen))
        return made[-1], told

    yield make
    for connector in made:
        await connector.close()


def unreachable(reached):
    """A way to a service that never answers, which notes when a request is under way."""

    async def handle(request):
        reached.set()
        await asyncio.Future()

    return {"base_url": "https://acme.zendesk.com", "http": httpx.MockTransport(handle)}


def spend(sandbox, requests):
    """Another program of the account makes requests."""
    for _ in range(requests):
        httpx.get(f"{sandbox.base_url}/api/v2/tickets/5", headers={"authorization": f"Bearer {sandbox.access_token}"})


async def at_once(seconds):
    """Waits without waiting."""


def kinds(told):
    return [event.kind for event in told]


async def test_a_read_is_told_from_its_start_to_its_end(sandbox, connect):
    """A call begins, is tried, and ends; every event says which call and operation it belongs to."""
    connector, told = connect()
    await connector.tickets.get(7)

    started, attempt, ended = told
    assert ["call", "attempt", "call"] == kinds(told)
    assert {("zendesk-support", "tickets.get", started.call)} == {(e.connector, e.operation, e.call) for e in told}
    assert ("started", "read", None) == (started.phase, started.effect, started.outcome)
    assert (1, "GET", "127.0.0.1", 200, None) == (
        attempt.number, attempt.method, attempt.host, attempt.status, attempt.error,
    )  # fmt: skip
    assert attempt.request_id == sandbox.requests[-1].response_headers["x-request-id"]
    assert ("ended", "ok", None, 1, 0.0) == (ended.phase, ended.outcome, ended.fate, ended.attempts, ended.waited)
    assert ended.seconds >= attempt.seconds > 0
    assert started.at <= attempt.at <= ended.at


async def test_a_start_is_told_before_anything_is_sent(sandbox, connect):
    """When the service gets the request, whoever audits has been told of the call."""
    before = len(sandbox.requests)
    seen = []
    connector, _ = connect(on_event=lambda event: seen.append((event.kind, len(sandbox.requests) - before)))
    await connector.tickets.get(7)

    assert ("call", 0) == seen[0]


async def test_a_list_tells_of_its_pages(sandbox, connect):
    """A list over several pages is one call with a request and a page event for each, none of them sent again."""
    connector, told = connect()
    await connector.execute("tickets", "list", {"limit": 210})
    pages = [event for event in told if event.kind == "page"]
    attempts = [event for event in told if event.kind == "attempt"]

    assert ["call", *["attempt", "page"] * 3, "call"] == kinds(told)
    assert [(1, 100), (2, 100), (3, 10)] == [(page.number, page.records) for page in pages]
    assert [(1, 0), (2, 0), (3, 0)] == [(attempt.number, attempt.resent) for attempt in attempts]
    assert 3 == told[-1].attempts


async def test_a_total_is_told_where_the_service_says_it(connect):
    """A search's pages say how many records there are in all."""
    connector, told = connect()
    found = await connector.tickets.search("status:open", limit=1)
    [page] = [event for event in told if event.kind == "page"]

    assert (1, found.meta.total) == (page.number, page.total)


async def test_iterating_is_a_call_for_each_page(connect):
    """Iterating a list reads it page by page, and each of them is a call of its own."""
    connector, told = connect()
    count = sum([1 async for _ in connector.tickets.list()])

    assert 230 == count
    assert [(1, 100), (1, 100), (1, 30)] == [(page.number, page.records) for page in told if page.kind == "page"]
    assert 3 == len({event.call for event in told})


async def test_a_rate_limit_is_told_as_a_wait(connect):
    """After 429 a call tells how long it waits and why, and that its next request is the same one again."""
    with Sandbox(seed=3, tickets=5, plan="essential", now=datetime(2026, 6, 17, 12, 0, 59, tzinfo=UTC)) as limited:
        limited.clock.freeze()
        spend(limited, 10)

        async def sleep(seconds):
            limited.clock.advance(seconds=seconds)

        connector, told = connect(limited, retry=RetryPolicy(sleep=sleep))
        await connector.tickets.get(5)
        asked = float(limited.requests[-2].response_headers["retry-after"])

    _, refused, wait, answered, ended = told
    assert ["call", "attempt", "wait", "attempt", "call"] == kinds(told)
    assert [(1, 429, 0), (2, 200, 1)] == [(each.number, each.status, each.resent) for each in (refused, answered)]
    assert "throttled" == wait.reason
    assert wait.seconds >= asked
    assert (2, wait.seconds) == (ended.attempts, ended.waited)


async def test_a_used_up_budget_is_told_by_its_name(connect):
    """A wait for a budget that is known to be used up names it, and nothing was sent again."""
    with Sandbox(seed=3, tickets=5, plan="essential", now=datetime(2026, 6, 17, 12, 0, 59, tzinfo=UTC)) as limited:
        limited.clock.freeze()

        async def sleep(seconds):
            limited.clock.advance(seconds=seconds)

        # One clock for both sides, however slow the machine is.
        now = limited.clock.timestamp
        connector, told = connect(limited, retry=RetryPolicy(sleep=sleep, clock=now, monotonic=now))
        for _ in range(11):
            await connector.tickets.get(5)
    [wait] = [event for event in told if event.kind == "wait"]

    assert "limit" == wait.reason
    assert wait.bucket
    assert {0} == {event.resent for event in told if event.kind == "attempt"}


async def test_a_failure_is_told_by_its_code(sandbox, connect):
    """What ends a call ends it under the error's code."""
    connector, told = connect(max_attempts=1)
    sandbox.fail("/api/v2/tickets/7", reset=True)
    with pytest.raises(NetworkError):
        await connector.tickets.get(7)

    assert (None, "network") == (told[1].status, told[1].error)
    assert ("network", None) == (told[-1].outcome, told[-1].fate)


async def test_a_denied_write_is_told_and_not_sent(sandbox, connect):
    """A call that the policy keeps back is told as begun, denied and ended, and no request was made."""
    connector, told = connect(policy=Policy(read_only=True))
    before = len(sandbox.requests)
    with pytest.raises(PolicyDeniedError):
        await connector.tickets.create(comment=COMMENT)

    started, denied, ended = told
    assert ["call", "denied", "call"] == kinds(told)
    assert ("write", "policy_denied") == (started.effect, denied.reason)
    assert ("policy_denied", 0) == (ended.outcome, ended.attempts)
    assert before == len(sandbox.requests)


async def test_a_tool_call_is_told_with_its_id(connect):
    """What a model's tool does is told with the tool's name and the framework's id of the call."""
    connector, told = connect()

    @connector.tool_utils
    async def zendesk(entity: str, action: str, params: dict, tool_call_id: str = ""):
        return await connector.execute(entity, action, params)

    await zendesk("tickets", "get", {"ticket_id": 7}, tool_call_id="call_9")
    assert {("zendesk", "call_9")} == {(event.tool, event.tool_call_id) for event in told}
    told.clear()
    await connector.tickets.get(7)
    assert {(None, None)} == {(event.tool, event.tool_call_id) for event in told}


async def test_a_model_s_wrong_arguments_are_told(sandbox, connect):
    """Arguments that do not fit end a call before anything is sent, and those who listen are told of it."""
    connector, told = connect()

    @connector.tool_utils
    async def zendesk(entity: str, action: str, params: dict, tool_call_id: str = ""):
        return await connector.execute(entity, action, params)

    before = len(sandbox.requests)
    envelope = await zendesk("tickets", "get", {"ticket_id": "none"}, tool_call_id="call_9")

    assert "invalid_parameter" == envelope["error"]["code"]
    assert [("started", None), ("ended", "invalid_parameter")] == [(event.phase, event.outcome) for event in told]
    assert {("tickets.get", "zendesk", "call_9")} == {(e.operation, e.tool, e.tool_call_id) for e in told}
    assert (0, before) == (told[-1].attempts, len(sandbox.requests))


async def test_wrong_arguments_of_a_list_are_told(connect):
    """A list says so at once, where it is made."""
    connector, told = connect(record_content=True)
    with pytest.raises(InvalidParameterError):
        connector.tickets.list(limit="many")

    assert ["started", "ended"] == [event.phase for event in told]
    assert {"limit": "many"} == told[0].arguments


async def test_a_cancelled_call_is_told(sandbox, connect):
    """A read that the caller gives up ends as cancelled, and so does the request that was under way."""
    reached = asyncio.Event()
    connector, told = connect(**unreachable(reached))
    task = asyncio.ensure_future(connector.tickets.get(7))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert ["call", "attempt", "call"] == kinds(told)
    assert (None, "cancelled") == (told[1].status, told[1].error)
    assert ("cancelled", None, 1) == (told[-1].outcome, told[-1].fate, told[-1].attempts)


async def test_a_cancelled_write_may_have_been_done(sandbox, connect):
    """A write that is given up while it is being sent has an unknown fate, and its end says so."""
    reached = asyncio.Event()
    connector, told = connect(**unreachable(reached))
    task = asyncio.ensure_future(connector.tickets.create(comment=COMMENT))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert ("cancelled", "unknown") == (told[-1].outcome, told[-1].fate)


async def test_a_request_that_the_deadline_ends_is_told(sandbox, connect):
    """A request that hangs until the call has no time left is told like any other."""
    connector, told = connect(timeout=0.05)
    sandbox.fail("/api/v2/tickets/7", hang=True)
    with pytest.raises(DeadlineExceededError):
        await connector.tickets.get(7)

    assert ["call", "attempt", "call"] == kinds(told)
    assert ("GET", None, "cancelled") == (told[1].method, told[1].status, told[1].error)
    assert ("deadline_exceeded", 1) == (told[-1].outcome, told[-1].attempts)


async def test_a_lost_answer_leaves_a_write_s_fate_unknown(sandbox, connect):
    """A write that was carried out and whose answer was lost ends with an unknown fate."""
    connector, told = connect(max_attempts=1)
    sandbox.fail("/api/v2/tickets/7", method="PUT", reset=True, when="after")
    with pytest.raises(NetworkError):
        await connector.tickets.update(7, subject="New")

    assert ("network", "unknown") == (told[-1].outcome, told[-1].fate)


async def test_concurrent_calls_never_mix(sandbox, connect):
    """Each event of many calls at once has the id of its own call, and the counts are each call's own."""
    connector, told = connect(retry=RetryPolicy(sleep=at_once))
    sandbox.fail("/api/v2/tickets/*", status=503, times=5)
    await asyncio.gather(*(connector.tickets.get(number) for number in range(1, 21)), connector.tickets.list(limit=150))
    calls = {}
    for event in told:
        calls.setdefault(event.call, []).append(event)

    assert 21 == len(calls)
    for events in calls.values():
        attempts = [event.number for event in events if event.kind == "attempt"]
        assert 1 == len({event.operation for event in events})
        assert ("started", "ended") == (events[0].phase, events[-1].phase)
        assert list(range(1, events[-1].attempts + 1)) == attempts
        assert len([event for event in events if event.kind == "wait"]) == len(attempts) - (
            1 if events[0].operation == "tickets.get" else 2
        )


async def test_a_check_is_told(connect):
    """A check of the credentials is a call too."""
    connector, told = connect()
    await connector.check()

    assert {"check"} == {event.operation for event in told}
    assert ["call", "attempt", "call"] == kinds(told)


async def test_a_raising_listener_does_not_touch_the_call(connect, caplog):
    """A listener that raises costs a warning for each event, and the call nothing."""

    def broken(event):
        raise ValueError(event.call)

    connector, _ = connect(on_event=broken)
    assert 7 == (await connector.tickets.get(7))["id"]
    assert [("plugbay.events", logging.WARNING)] * 3 == [
        (r.name, r.levelno) for r in caplog.records if r.name != "httpx"
    ]


async def test_successful_work_logs_no_warning(connect, caplog):
    """Reading, writing, paging and being refused a wrong argument log nothing from WARNING on."""
    caplog.set_level(logging.DEBUG, "plugbay")
    connector, _ = connect()
    made = await connector.tickets.create(comment=COMMENT)
    await connector.tickets.update(made["id"], subject="New")
    await connector.tickets.list(limit=150)
    with pytest.raises(InvalidParameterError):
        await connector.execute("tickets", "get", {})

    assert [] == [record for record in caplog.records if record.levelno >= logging.WARNING]


@given(mark=st.text("abcdefgh", min_size=12, max_size=20))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_event_holds_content_unasked(sandbox, mark, caplog):
    """What is sent and what is answered is in no event and no log record, whatever becomes of the call."""
    caplog.set_level(logging.DEBUG, "plugbay")
    told = []
    config = ZendeskSupportOauth20AuthConfig(access_token=sandbox.access_token)
    retry = RetryPolicy(sleep=at_once)
    async with ZendeskSupportConnector(
        config, base_url=sandbox.base_url, on_event=told.append, retry=retry
    ) as connector:
        made = await connector.tickets.create(subject=mark, comment={"body": mark}, tags=[mark])
        sandbox.fail("/api/v2/search*", status=503)
        await connector.tickets.update(made["id"], subject=f"{mark}2")
        await connector.tickets.search(mark)
        with pytest.raises(InvalidParameterError):
            await connector.execute("tickets", "get", {"ticket_id": mark})
        sandbox.fail("/api/v2/tickets", method="POST", status=422, body={"error": mark, "description": mark})
        with pytest.raises(Exception, match=mark):
            await connector.tickets.create(subject=mark, comment={"body": mark})

    text = json.dumps([event.as_dict() for event in told]) + caplog.text
    assert "next try" in caplog.text
    assert mark not in text
    assert sandbox.access_token not in text


async def test_content_is_told_where_it_is_asked_for(connect):
    """With `record_content` a call's start holds its arguments and its end what it gave, both as JSON."""
    connector, told = connect(record_content=True)
    made = await connector.tickets.create(subject="Printer", comment=COMMENT)

    assert {"subject": "Printer", "comment": {"public": False, **COMMENT}} == told[0].arguments
    assert made == told[-1].result
    assert [event.as_dict() for event in told] == json.loads(json.dumps([event.as_dict() for event in told]))
    assert {None} == {event.result for event in told[:-1] if isinstance(event, CallEvent)}


async def test_listeners_cannot_change_a_call(connect):
    """What a listener does to the arguments or the result changes neither."""

    def meddle(event):
        for content in (getattr(event, "arguments", None), getattr(event, "result", None)):
            if content is not None:
                content.clear()

    connector, _ = connect(record_content=True, on_event=meddle)
    made = await connector.tickets.create(subject="Printer", comment=COMMENT)

    assert "Printer" == made["subject"]


def test_synchronous_calls_are_told_too(sandbox):
    """A call of `connector.sync` is told like any other."""
    told = []
    config = ZendeskSupportOauth20AuthConfig(access_token=sandbox.access_token)
    connector = ZendeskSupportConnector(config, base_url=sandbox.base_url, on_event=told.append)
    connector.sync.tickets.get(7)
    connector.sync.close()

    assert ["call", "attempt", "call"] == kinds(told)
