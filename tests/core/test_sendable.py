"""What a call may hold, found whatever its size and depth."""

from __future__ import annotations

import pytest

from plugbay.sendable import MAX_INTEGER, MIN_INTEGER, holds_at_most, unsendable


@pytest.mark.parametrize(
    "value",
    [None, True, "", "Zoë 😀", "\\u0000", MAX_INTEGER, MIN_INTEGER, 0.5, {"a": [1, {"b": "c"}]}, [], {}],
)
def test_what_every_service_takes(value):
    """Whole characters and numbers within 64 bits are let pass, on their own and in other values."""
    assert [] == list(unsendable(value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a\0", [([], "nul_character")]),
        ("\ud800", [([], "half_character")]),
        (MAX_INTEGER + 1, [([], "int_64")]),
        (MIN_INTEGER - 1, [([], "int_64")]),
        (float("nan"), [([], "int_64")]),
        (float("-inf"), [([], "int_64")]),
        ({"a": {"b\0": 1, "c\0": "\0"}}, [(["a"], "nul_character"), (["a", "c\0"], "nul_character")]),
        ({"a": ["x", "\0"], "b": "\udfff"}, [(["a", 1], "nul_character"), (["b"], "half_character")]),
    ],
)
def test_what_some_service_does_not_take(value, expected):
    """Each fault is found in its order, with the path to it; a name's fault is that of what has the name."""
    assert expected == [tuple(each) for each in unsendable(value)]


def test_very_deep_values():
    """Values within values are looked at without end of the stack."""
    deep = "\0"
    for _ in range(10_000):
        deep = [deep]
    assert [([0] * 10_000, "nul_character")] == [tuple(each) for each in unsendable(deep)]
    assert (True, False) == (holds_at_most(deep, 10_001), holds_at_most(deep, 10_000))


@pytest.mark.parametrize(
    ("value", "count"), [("a", 1), ([], 1), ({"a": 1, "b": [2, 3]}, 5), ([[], [], {"x": None}], 5)]
)
def test_how_much_a_value_holds(value, count):
    """A value counts, and all that it holds; names do not."""
    assert (True, False) == (holds_at_most(value, count), holds_at_most(value, count - 1))
