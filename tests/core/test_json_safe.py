"""Any value becomes JSON that parses."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import itertools
import json
import math
import pathlib
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from plugbay.json_safe import MASK, JsonDict, dumps, to_json


class Colour(enum.Enum):
    RED = "red"


class Model(BaseModel):
    token: SecretStr
    when: dt.date


@dataclasses.dataclass
class Point:
    x: float
    above: object = None


class Stranger:
    def __repr__(self):
        return "a secret"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, None),
        (-math.inf, None),
        (dt.datetime(2026, 1, 31, tzinfo=dt.UTC), "2026-01-31T00:00:00+00:00"),
        (dt.timedelta(minutes=1), 60.0),
        (decimal.Decimal("1.10"), "1.10"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (pathlib.PurePosixPath("/a"), "/a"),
        (b"\xff", "/w=="),
        (Colour.RED, "red"),
        ({Colour.RED: 1, 2: 3, None: 4, (1, 2): 5}, {"red": 1, "2": 3, "null": 4, "[1,2]": 5}),
        ((1, {2}, range(2)), [1, [2], [0, 1]]),
        (collections.deque([1]), [1]),
        (Model(token=SecretStr("s"), when=dt.date(2026, 1, 1)), {"token": MASK, "when": "2026-01-01"}),
        (SecretStr("s"), MASK),
        (Point(math.nan), {"x": None, "above": None}),
        (Stranger(), "<Stranger>"),
        (Stranger, "<type>"),
        ("\ud800a", "?a"),
        ([10**5_000], ["<int of 16610 bits>"]),
        (True, True),
    ],
)
def test_forms(value, expected):
    """Every kind of value has one form; what nobody knows is its type's name, never its repr."""
    assert expected == to_json(value)


def test_loops_end_where_they_close():
    """Data that holds itself is cut where it begins again, however many ways lead round."""
    loop = []
    loop += [loop, loop, 1]
    parent = Point(1)
    parent.above = [Point(2, parent), Point(3, parent)]

    assert ["…", "…", 1] == to_json(loop)
    assert {"x": 1.0, "above": [{"x": 2, "above": "…"}, {"x": 3, "above": "…"}]} == to_json(parent)


def test_same_value_twice_is_no_loop():
    """A value that appears twice side by side is printed twice."""
    shared = {"a": 1}

    assert [shared, shared] == to_json([shared, shared])


def test_depth_is_bounded():
    """Data nested beyond reason is cut."""
    deep = None
    for _ in range(100_000):
        deep = [deep]

    assert 200 > len(dumps(to_json(deep)))


def test_endless_iterators_end():
    """An iterator without an end gives a long list, not a hang."""
    assert to_json(itertools.repeat(None))[:3] == [None, None, None]


def test_json_dict_prints_json():
    """The text of a `JsonDict` is JSON, letters beyond ASCII as they are."""
    assert '{"data":["é",null,true]}' == str(JsonDict(data=["é", None, True]))


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=[]))
    | st.binary()
    | st.decimals()
    | st.datetimes()
    | st.timedeltas()
    | st.builds(Stranger)
    | st.builds(Point, st.floats()),
    lambda inner: st.lists(inner) | st.frozensets(st.integers()) | st.dictionaries(st.text() | st.floats(), inner),
    max_leaves=20,
)


@given(anything)
def test_always_json(value):
    """Whatever comes becomes text in UTF-8 that a strict reader of JSON takes."""

    def refuse(constant):
        raise AssertionError(constant)

    made = to_json(value)

    assert made == json.loads(dumps(made).encode(), parse_constant=refuse)
    assert made == to_json(made)
