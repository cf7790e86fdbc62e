"""The model that a run is held to: what may be in the account after what was reported."""

from __future__ import annotations

import pytest
from chaos.check import Reading, Said, Write, wrong_with_reading, wrong_with_write

TICKET = {"id": 7, "subject": "chaos-0-1", "tags": ["a"]}
DONE = Said("ok", record=TICKET)
SURE = Said("rate_limited")
UNKNOWN = Said("network", unknown=True)
CANCELLED = Said("cancelled")
CARRIED_OUT, LOST, REFUSED = ("POST", 201, ""), ("POST", None, "reset after"), ("POST", 429, "429 bare")


def wrong(*said, there=(), seen=(LOST,), kind="ticket"):
    return list(wrong_with_write(Write(kind, 1, list(said)), there, seen))


@pytest.mark.parametrize(
    ("said", "there"),
    [
        ([DONE], [TICKET]),
        ([SURE], []),
        ([UNKNOWN], []),
        ([UNKNOWN], [TICKET]),
        ([CANCELLED], []),
        ([CANCELLED], [TICKET]),
        ([UNKNOWN, DONE], [TICKET]),
        ([SURE, SURE, DONE, DONE], [TICKET]),
    ],
)
def test_what_may_be(said, there):
    """A write that was done is there once; one whose fate is unknown may be; one that failed for certain is not."""
    assert [] == wrong(*said, there=there)


def test_a_lost_write():
    """What was reported as done must be there."""
    assert ["the ticket was reported as done and is not there"] == wrong(DONE)


@pytest.mark.parametrize("said", [[DONE], [UNKNOWN], [CANCELLED], [DONE, DONE]])
def test_a_duplicate(said):
    """Nothing may be there twice, whatever was reported."""
    assert ["the ticket is there 2 times"] == wrong(*said, there=[TICKET, TICKET])


@pytest.mark.parametrize("said", [[SURE], [SURE, Said("validation_failed")]])
def test_a_write_that_was_denied(said):
    """What was reported as certainly not done must not be there."""
    (text,) = wrong(*said, there=[TICKET])
    assert "reported as certainly not done" in text


def test_another_record():
    """A record must be as it was reported, each of its fields."""
    (text,) = wrong(DONE, there=[{**TICKET, "tags": ["b"]}])
    assert "another than it is (tags: ['a'] for ['b'])" in text


def test_a_field_that_is_missing():
    """A whole record has all its fields."""
    (text,) = wrong(Said("ok", record={"id": 7, "subject": "chaos-0-1"}), there=[TICKET])
    assert "tags" in text


def test_a_shortened_record():
    """What a model is given may leave fields out."""
    assert [] == wrong(Said("ok", record={"id": 7}, whole=False), there=[TICKET])


def test_a_made_up_record():
    """A success without a record is none."""
    (text,) = wrong(Said("ok", record={}), there=[TICKET])
    assert "reported as done with the record" in text


@pytest.mark.parametrize("seen", [[], [REFUSED], [REFUSED, ("POST", 403, "4xx")]])
def test_a_doubt_without_reason(seen):
    """Where each request was refused, or none was sent, nothing is unknown."""
    (text,) = wrong(UNKNOWN, seen=seen)
    assert "said to be unknown" in text


@pytest.mark.parametrize(
    "seen",
    [
        [LOST],
        [REFUSED, LOST],
        [("POST", 500, "5xx")],
        [("POST", 408, "408")],
        [("POST", 401, "truncated after")],
        [CARRIED_OUT],
    ],
)
def test_a_doubt_with_reason(seen):
    """A request that was not refused may have been carried out."""
    assert [] == wrong(UNKNOWN, seen=seen)


def test_a_doubt_of_a_call_that_was_ended():
    """The last request of a call that was ended from outside may be on its way."""
    assert [] == wrong(Said("deadline_exceeded", unknown=True, broken_off=True), seen=[])


def test_a_whole_list():
    """A list has what was there all the time, once, and may have more."""
    assert [] == list(wrong_with_reading(Reading(1, "the list", [1, 2, 3, 9, 9], frozenset({1, 2, 3}))))


def test_a_list_that_leaves_out():
    """What was there all the time must not be missing."""
    (text,) = wrong_with_reading(Reading(1, "the list", [1, 3], frozenset({1, 2, 3})))
    assert "left out 1 of 3 records, such as [2]" in text


def test_a_list_that_repeats():
    """What was there all the time must not come twice."""
    (text,) = wrong_with_reading(Reading(1, "the list", [1, 2, 2], frozenset({1, 2})))
    assert "more than once, such as [2]" in text
