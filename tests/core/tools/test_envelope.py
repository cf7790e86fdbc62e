"""The one form of a tool's outcome."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugbay import Page, RateLimitedError, Result
from plugbay.result import Meta
from plugbay.tools.envelope import as_failure, failure, failure_text, is_failure, success

KEYS = ["code", "message", "hint", "retryable", "retry_after", "details"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Result(data=[1], meta=Meta(count=1)), {"data": [1], "meta": {"count": 1}}),
        (Page([1], Meta(count=1)), {"data": [1], "meta": {"count": 1}}),
        ({"data": [1], "meta": {"count": 1}}, {"data": [1], "meta": {"count": 1}}),
        ({"data": [1], "meta": None}, {"data": [1], "meta": {}}),
        ({"data": 1, "meta": [1]}, {"data": {"data": 1, "meta": [1]}, "meta": {}}),
        ({"data": 1, "other": 2}, {"data": {"data": 1, "other": 2}, "meta": {}}),
        (None, {"data": None, "meta": {}}),
        ([float("nan")], {"data": [None], "meta": {}}),
        ("text", {"data": "text", "meta": {}}),
    ],
)
def test_success(value, expected):
    """What a function returned is data, unless it says what its data is."""
    assert expected == success(value)
    assert expected == json.loads(str(success(value)))


def test_failure():
    """A failure has exactly six keys."""
    made = failure(RateLimitedError("m", retry_after=3, hint="h"))

    assert KEYS == list(made["error"])
    assert "rate_limited: m h Wait 3 seconds before trying again." == failure_text(made["error"])


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("boom", {"message": "boom"}),
        ({"message": "boom", "code": "x", "retryable": True}, {"message": "boom", "code": "x", "retryable": True}),
        ({"message": "boom", "status": 5}, {"message": "boom", "details": {"status": 5}}),
        ({"message": 5, "retry_after": "soon"}, {"details": {"message": 5, "retry_after": "soon"}}),
        (None, {"message": "null"}),
        ([1], {"message": "[1]"}),
    ],
)
def test_failure_that_a_function_tells_of(said, expected):
    """A returned `{"error": ...}` becomes a failure with the same six keys; nothing it says is lost."""
    made = as_failure(said)

    assert KEYS == list(made["error"])
    assert expected.items() <= made["error"].items()
    assert is_failure(made)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda x: st.dictionaries(st.text() | st.sampled_from(KEYS), x),
    )
)
def test_any_failure_has_the_keys(said):
    """Whatever a function says in `error`, the keys and their types stay."""
    error = as_failure(said)["error"]

    assert KEYS == list(error)
    assert isinstance(error["code"], str)
    assert isinstance(error["message"], str)
    assert isinstance(error["retryable"], bool)
    assert error["details"] is None or isinstance(error["details"], dict)
    assert failure_text(error)
