"""A seed decides what a round does, and which of its requests fail."""

from __future__ import annotations

from datetime import UTC, datetime

from chaos.plan import plan_of
from chaos.storm import Storm, mark_of
from hypothesis import given
from hypothesis import strategies as st

from plugbay.sandbox import RecordedRequest

NOW = datetime(2026, 6, 17, 12, tzinfo=UTC)


def request(number):
    if number % 5 == 0:
        return RecordedRequest("POST", "/oauth/tokens", [], {}, b"{}")
    if number % 5 == 1:
        return RecordedRequest("GET", f"/attachment/1/{number}", [], {}, b"", origin="files")
    if number % 5 == 2:
        return RecordedRequest("GET", "/api/v2/tickets", [("page[size]", str(number))], {}, b"")
    return RecordedRequest("POST", "/api/v2/tickets", [], {}, b'{"ticket":{"subject":"chaos-0-%d"}}' % number)


def fates(seed, numbers, share=0.5):
    storm = Storm(seed, share, lambda: NOW)
    asked = [request(number) for number in numbers]
    return sorted((f"{each.method} {each.path} {each.query} {each.body}", str(storm.choose(each))) for each in asked)


def test_same_seed_same_plan():
    """The same seed and round give the same operations under the same conditions, another seed others."""
    assert plan_of(3, 1, 50) == plan_of(3, 1, 50)
    assert plan_of(3, 1, 50) != plan_of(4, 1, 50)


def test_a_shorter_round_is_the_beginning_of_a_longer_one():
    """How many operations a round has changes none of them."""
    assert plan_of(3, 1, 200).jobs[:50] == plan_of(3, 1, 50).jobs


@given(st.randoms(use_true_random=False), st.integers(0, 99))
def test_order_of_arrival_changes_no_fate(rng, seed):
    """A request fails as it would have failed at another time, if it asks for the same as often."""
    numbers = [number % 40 for number in range(80)]
    shuffled = rng.sample(numbers, len(numbers))
    assert fates(str(seed), numbers) == fates(str(seed), shuffled)


def test_every_fault_can_be_carried_out():
    """Each fault is one that the sandbox accepts, and each comes up."""
    storm = Storm("all", 1.0, lambda: NOW)
    for number in range(4_000):
        assert storm.choose(request(number)) is not None
    assert len(storm.hit) > 25


def test_a_share_of_none():
    """Without faults nothing fails."""
    assert {"None"} == {fate for _, fate in fates("1", range(100), share=0.0)}


def test_mark():
    """A write is told from others by the mark in its body."""
    assert mark_of(request(3)) == "chaos-0-3"
    assert mark_of(request(2)) is None
