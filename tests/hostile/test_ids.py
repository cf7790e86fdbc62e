"""An id is one segment of a path on the tenant's host, or nothing is sent."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.hostile.service import CONTROLS, HOST, OPERATIONS, Service, arguments_of, called, hostile_texts

from plugbay import InvalidParameterError, PlugbayError

WITH_IDS = [(kind, operation) for kind, operation in OPERATIONS if "{" in operation.path]

IDS = [
    "..", ".", "", " ", "/", "\\", "a/b", "../1", "1/..", "1/../2", "1?x=1", "1#f", "1;x", "1%2f..", "%2e%2e", "1\r\nHost: evil.com",
    "1\0", "1\n", "\x7f", "１２", "١٢", "²", "1_000", "0x1", "1e3", "1.0", " 1 ", "+1", "-1", "0", "00", "9" * 400, "1" * 5_000,
    -1, 0, 2**63, 10**400, 1.5, float("nan"), float("inf"), True, False, [1], {"id": 1}, {}, [], b"1", None, ["../2"],
    "@evil.com", "//evil.com", "https://evil.com/", *CONTROLS,
]  # fmt: skip

anything = st.integers() | st.floats() | st.booleans() | st.text() | hostile_texts | st.lists(st.integers(), max_size=2)


def typed(connector, operation, arguments):
    """The call with the action as a method."""
    return getattr(getattr(connector, operation.entity), operation.action)(**arguments)


def by_name(connector, operation, arguments):
    """The call by `execute()`."""
    return connector.execute(operation.entity, operation.action, arguments)


def check(way, kind, operation, value):
    """The one request is at its place, or there is none and the error says that the argument is wrong."""
    service = Service({})

    async def act(connector):
        return await way(connector, operation, arguments_of(operation, value))

    outcome = called(service, act, kind)

    if not service.requests:
        assert isinstance(outcome, InvalidParameterError), (operation.name, value, outcome)
        return
    assert isinstance(outcome, PlugbayError)  # the answer was empty
    (request,) = service.requests
    path = request.url.raw_path.decode().partition("?")[0]
    before, _, rest = operation.path.partition("{")
    behind = rest.partition("}")[2]
    segment = path.removeprefix(before).removesuffix(behind)
    assert HOST == request.url.host
    assert before + segment + behind == path
    assert segment.isascii()
    assert segment.isdigit()
    assert int(segment) >= 1
    number = value.decode() if isinstance(value, bytes) else value
    assert Decimal(number.strip() if isinstance(number, str) else number) == int(segment)


@pytest.mark.parametrize("way", [typed, by_name])
@pytest.mark.parametrize(("kind", "operation"), WITH_IDS, ids=lambda value: getattr(value, "name", ""))
def test_hostile_ids(way, kind, operation):
    """Every id that has more than digits in it, or is no positive number, is refused before anything is sent."""
    for value in IDS:
        check(way, kind, operation, value)


@given(st.sampled_from(WITH_IDS), st.sampled_from([typed, by_name]), anything)
@settings(max_examples=150)
def test_any_id(where, way, value):
    """Whatever is given for an id, the request has it as the one segment that it stands for, or there is none."""
    check(way, *where, value)
