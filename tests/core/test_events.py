"""Events, who is told of them, and the call that code runs in."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import inspect
import json
import logging
import subprocess
import sys
from typing import Literal, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugbay import events
from plugbay.events import CallEvent, Event, PageEvent, WaitEvent
from plugbay.trace import Trace, current_trace, enter, leave, traced

KINDS = [
    kind for _, kind in inspect.getmembers(events, inspect.isclass) if issubclass(kind, Event) and kind is not Event
]


def _dicts(values):
    return st.dictionaries(st.text(), values)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | _dicts(inner)
)
PLAIN = {
    str: st.text(),
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    type(None): st.none(),
}


def _field(name, hint):
    """Values of a field, by its annotation."""
    if name == "arguments":
        return st.none() | _dicts(JSON)
    if name == "result":
        return JSON
    if get_origin(hint) is Literal:
        return st.sampled_from(get_args(hint))
    return st.one_of(*(PLAIN[part] for part in get_args(hint) or (hint,)))


def _events(kind):
    hints = get_type_hints(kind)
    return st.builds(kind, **{each.name: _field(each.name, hints[each.name]) for each in dataclasses.fields(kind)})


def test_every_kind_of_event_is_exported():
    """`from plugbay import events` has each kind by its name, and each kind says which it is."""
    assert {kind.__name__ for kind in KINDS} <= set(events.__all__)
    assert ["attempt", "call", "denied", "page", "refresh", "wait"] == sorted(kind.kind for kind in KINDS)


def test_events_are_found_without_a_connector():
    """`from plugbay import events` works on its own, in a program that has imported nothing else."""
    code = "from plugbay import events; print(events.CallEvent.kind)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "call" == done.stdout.strip()


def test_a_program_without_logging_is_told_nothing():
    """The library's own log records go nowhere where nobody has set up logging, not to standard error."""
    code = "import plugbay, logging; logging.getLogger('plugbay.events').warning('A listener failed')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "" == done.stderr


@given(st.one_of(*map(_events, KINDS)))
def test_every_event_is_json(event):
    """`as_dict()` of every kind is JSON that can be read back, and leaves out what is not known."""
    fields = event.as_dict()

    assert fields == json.loads(json.dumps(fields))
    assert None not in fields.values()
    assert event.kind == fields["kind"]


def test_an_event_cannot_be_changed():
    """Several listeners are given the same event, so none can change it."""
    event = PageEvent(at=1.0, call="c", connector="x", operation="y.list", number=1, records=2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.records = 3


def test_all_events_of_a_call_share_its_id():
    """Listeners are told in their order, of one call under one id."""
    first, second = [], []
    trace = Trace("x", "y.list", (first.append, second.append), tool="t", tool_call_id="call_1")
    trace.tell("wait", seconds=1.0, reason="limit", bucket="b")
    trace.tell("page", number=1, records=2)

    assert first == second
    assert [(WaitEvent, trace.id), (PageEvent, trace.id)] == [(type(event), event.call) for event in first]
    assert {("x", "y.list", "t", "call_1")} == {(e.connector, e.operation, e.tool, e.tool_call_id) for e in first}


def test_a_raising_listener_is_logged_and_passed_over(caplog):
    """A listener that raises is told of in the log, without the text of its error, and the next is told the event."""
    heard = []

    def broken(event):
        raise ValueError("s3cret")

    Trace("x", "y.list", (broken, heard.append)).tell("page", number=1, records=2)

    assert 1 == len(heard)
    assert [
        ("plugbay.events", logging.WARNING, "A listener failed on a page event: ValueError")
    ] == caplog.record_tuples


def test_a_listener_cannot_swallow_the_end_of_the_process():
    """What is no `Exception`, as Ctrl-C is, goes through."""

    def interrupted(event):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Trace("x", "y.list", (interrupted,)).tell("page", number=1, records=2)


def test_nobody_listens_outside_of_calls():
    """Code that runs in no call tells nobody."""
    current_trace().tell("page", number=1, records=2)

    assert () == current_trace().listeners


def test_calls_nest():
    """Inside a call's block the code runs in that call, and behind it in the one around it."""
    outer, inner = Trace("x", "a"), Trace("x", "b")
    with traced(outer):
        with traced(inner):
            assert inner is current_trace()
        assert outer is current_trace()
    assert outer is not current_trace()


def test_a_call_is_left_only_where_it_was_entered():
    """Another context, as that of the garbage collector, has nothing to leave, and says so instead of failing."""
    trace = Trace("x", "a")
    inside = contextvars.copy_context()
    token = inside.run(enter, trace)

    assert False is leave(token)
    assert trace is inside.run(current_trace)
    assert True is inside.run(leave, token)
    assert trace is not inside.run(current_trace)


def test_an_abandoned_block_is_closed_without_a_complaint():
    """A coroutine inside a block may be closed from anywhere."""

    async def forever():
        with traced(Trace("x", "a")):
            await asyncio.Future()

    async def begun():
        coroutine = forever()
        loop = asyncio.get_running_loop()
        task = loop.create_task(asyncio.sleep(0))
        coroutine.send(None)
        await task
        return coroutine

    coroutine = asyncio.run(begun())

    coroutine.close()
    assert () == current_trace().listeners


def test_the_start_of_a_call_knows_no_end():
    """A call's first event says what begins; the numbers come with its last."""
    event = CallEvent(at=1.0, call="c", connector="x", operation="y.get", phase="started", effect="read")

    assert {
        "kind": "call", "at": 1.0, "call": "c", "connector": "x", "operation": "y.get", "phase": "started",
        "effect": "read",
    } == event.as_dict()  # fmt: skip
