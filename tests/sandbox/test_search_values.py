from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugbay.sandbox.errors import Refused
from plugbay.sandbox.search_values import dated, equals, ranked, says

NOW = datetime(2026, 6, 17, 12, 0, tzinfo=UTC)
RANKS = ("low", "normal", "high", "urgent")
moments = st.integers(0, 400 * 86_400).map(lambda back: NOW - timedelta(seconds=back))


@given(moments, st.dates(date(2025, 6, 1), NOW.date()))
def test_a_day_is_before_within_or_after(moment, day):
    """Exactly one of before, on and after a day holds of any moment, and <= and >= are what they say."""
    value, text = moment.isoformat(), day.isoformat()
    before, on, after = (dated(value, sign, text, NOW) for sign in ("<", ":", ">"))

    assert [before, on, after].count(True) == 1
    assert on == (moment.date() == day)
    assert dated(value, "<=", text, NOW) == (before or on)
    assert dated(value, ">=", text, NOW) == (on or after)


@given(moments, st.integers(1, 300), st.sampled_from(["hours", "days", "weeks", "minutes"]))
def test_an_age_is_a_moment(moment, amount, unit):
    """`created>7days` holds of what is younger than seven days."""
    edge = NOW - timedelta(**{unit: amount})

    assert dated(moment.isoformat(), ">", f"{amount}{unit}", NOW) == (moment > edge)
    assert dated(moment.isoformat(), "<", f"{amount}{unit}", NOW) == (moment < edge)


@given(st.sampled_from(RANKS), st.sampled_from(RANKS))
def test_ranks(left, right):
    """Comparing by rank follows the order of the scale."""
    here, there = RANKS.index(left), RANKS.index(right)

    assert ranked(left, "<", right, RANKS, "priority") == (here < there)
    assert ranked(left, ">=", right, RANKS, "priority") == (here >= there)
    assert ranked(left, ":", right, RANKS, "priority") == (here == there)


@pytest.mark.parametrize("text", ["soon", "2026-13-01", "2026-02-30", "", "99999999999years", "5 eggs"])
def test_no_date(text):
    """A value that names no time is refused with 422."""
    with pytest.raises(Refused) as caught:
        dated(NOW.isoformat(), ":", text, NOW)

    assert caught.value.reply.status == 422


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        ("Where is my parcel?", "PARCEL", True),
        ("Where is my parcel?", "parc", False),
        ("Where is my parcel?", "parc*", True),
        ("Where is my parcel?", "*arcel", True),
        ("Where is my parcel?", "my parcel", True),
        ("Where is my parcel?", "parcel my", False),
        ("order LK-123", "LK-123", True),
        ("ÄRGER im Lager", "ärger", True),
        (None, "x", False),
        ("costs 5 €", "€", True),
        ("anything", "", False),
    ],
)
def test_words_in_a_text(text, wanted, expected):
    """Words are found whole, next to each other, whatever their case; `*` stands for letters."""
    assert says(text, wanted) is expected


def test_whole_values():
    """A whole value is compared without case; only `*` is a wildcard."""
    assert equals("Ann@Example.com", "ann@example.com")
    assert equals("ann@example.com", "ann@*")
    assert not equals("ann@example.com", "ann")
    assert equals("a[1]?", "A[1]?")
    assert not equals("ab", "a?")
