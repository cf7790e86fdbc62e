"""The one form of a tool's outcome."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugbay import InvalidParameterError, Page, RateLimitedError, Result
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


HIDDEN = "\u202e\x1b\u200b\x00"


@pytest.mark.parametrize(
    "value",
    [
        Result(data=[{f"k{HIDDEN}": f"v{HIDDEN}"}, f"t{HIDDEN}"], meta=Meta(count=2)),
        Page([{f"k{HIDDEN}": f"v{HIDDEN}"}, f"t{HIDDEN}"], Meta(count=2)),
        {"data": [{f"k{HIDDEN}": f"v{HIDDEN}"}, f"t{HIDDEN}"], "meta": {"count": 2}},
    ],
)
def test_hidden_characters_are_removed_and_told_of(value):
    """Keys and values lose what nobody sees, the note says in how many, and the value itself stays as it was."""
    before = str(value)

    made = success(value)

    assert [{"k": "v"}, "t"] == made["data"]
    assert {"count": 2, "note": "Invisible or control characters were removed from 3 texts."} == made["meta"]
    assert before == str(value)


def test_note_is_added_to_another():
    """What is said of removed characters stands behind what the note says already, which is made plain itself."""
    made = success(Result(data="a", meta=Meta(note=f"More{HIDDEN} follows.")))

    assert "More follows. Invisible or control characters were removed from one text." == made["meta"]["note"]


def test_plain_data_has_no_note():
    """Where nothing was removed nothing is said; other ends of lines are no loss."""
    assert {"data": ["a\nb", "👨\u200d👩 می\u200cخواهم"], "meta": {}} == success(["a\r\nb", "👨\u200d👩 می\u200cخواهم"])


def test_part_of_a_file_keeps_its_places():
    """In a part of a file hidden bytes become spaces, so that offsets still count the file's own bytes."""
    text = "a\u202eb\r\nc\x00"
    part = {"file_name": "f", "offset": 5, "length": len(text.encode()), "encoding": "utf-8", "content": text}

    made = success(Result(data=part, meta=Meta()))

    assert {**part, "content": "a   b \nc "} == made["data"]
    assert "Invisible or control characters were removed from one text." == made["meta"]["note"]


def test_failures_hide_nothing():
    """A failure's texts are plain as well, those that a function tells of among them."""
    error = InvalidParameterError("m")
    error.details = {"a": 1}
    error.details[f"b{HIDDEN}"] = [f"c{HIDDEN}"]

    assert {"a": 1, "b": ["c"]} == failure(error)["error"]["details"]
    said = as_failure({"message": f"m{HIDDEN}", "code": f"c{HIDDEN}", f"x{HIDDEN}": f"y{HIDDEN}"})["error"]
    assert ("m", "c", {"x": "y"}) == (said["message"], said["code"], said["details"])
