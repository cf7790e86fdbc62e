from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugbay.sandbox.search_query import FIELDS, OPERATORS, Query, Term, lex, parse

words = st.text("abcdefghijklmnopqrstuvwxyzäöü0123456789@._*", min_size=1, max_size=12)
phrases = st.text("abcdefghij xyz:<>-", min_size=0, max_size=20)
fields = st.sampled_from(sorted(FIELDS)) | st.integers(1, 10**14).map(lambda number: f"custom_field_{number}")


@st.composite
def terms(draw: st.DrawFn) -> Term:
    negated, phrase = draw(st.booleans()), draw(st.booleans())
    field = draw(st.none() | fields)
    value = draw(phrases if phrase else words)
    if field is None and phrase and not value:
        value = "x"
    return Term(field, ":" if field is None else draw(st.sampled_from(OPERATORS)), value, negated, phrase)


def written(term: Term) -> str:
    value = f'"{term.value}"' if term.phrase else term.value
    return f"{'-' if term.negated else ''}{term.field or ''}{term.operator if term.field else ''}{value}"


@given(st.lists(terms(), max_size=6), st.sampled_from([" ", "  ", "\t", "\n "]))
def test_reading_what_was_written(given_terms, gap):
    """Any list of terms, written down with any white space between, is read back the same."""
    assert lex(gap.join(written(term) for term in given_terms)) == given_terms


@given(st.text())
@settings(max_examples=200)
def test_every_text_is_a_query(text):
    """No text fails to parse, and a free word is never empty."""
    assert all(term.value for term in parse(text).terms if term.field is None)


def test_control_words():
    """type:, order_by: and sort: are taken out of the terms."""
    query = parse("type:ticket,user printer order_by:created sort:asc")

    assert query == Query((Term(None, ":", "printer"),), frozenset({"ticket", "user"}), "created", False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("status<=open", Term("status", "<=", "open")),
        ("-tags:a", Term("tags", ":", "a", negated=True)),
        ('subject:"late parcel"', Term("subject", ":", "late parcel", phrase=True)),
        ("created>2026-01-01T10:00:00Z", Term("created", ">", "2026-01-01T10:00:00Z")),
        ("requester:a@example.com", Term("requester", ":", "a@example.com")),
        ('"open quote', Term(None, ":", "open quote", phrase=True)),
        ("http://x.example", Term(None, ":", "http://x.example")),
        ("TAG:x", Term("tags", ":", "x")),
        ("custom_field_12:x", Term("custom_field_12", ":", "x")),
        ("custom_field_:x", Term(None, ":", "custom_field_:x")),
    ],
)
def test_single_terms(text, expected):
    """Each form of a term is read as written."""
    assert lex(text) == [expected]


def test_a_lone_dash_is_nothing():
    """A dash by itself is no term."""
    assert lex("- a -") == [Term(None, ":", "a")]
