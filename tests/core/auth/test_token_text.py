"""What stores of texts write is read again, and nothing else is."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretBytes, SecretStr

from plugbay.auth import Tokens
from plugbay.auth.token_text import FORMAT, read_text, write_text
from plugbay.errors import ConfigurationError

HEADER_TEXT = st.text(string.ascii_letters + string.digits + "-._~+/=", min_size=1)
PAIRS = st.builds(
    Tokens,
    HEADER_TEXT.map(SecretStr),
    st.none() | st.text(min_size=1).map(SecretStr),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.text(),
)
WHOLE = {"format": FORMAT, "access_token": "a-secret", "refresh_token": "r-secret", "expires_at": 1.5, "scope": "read"}


@given(PAIRS)
def test_any_pair_is_read_as_it_was_written(pair):
    """Every pair with a token that can be sent comes back as it was."""
    text = write_text(pair)

    assert pair == read_text(text, "it") == read_text(SecretBytes(text.get_secret_value().encode()), "it")


@given(PAIRS, st.data())
def test_no_part_of_a_text_is_taken_for_the_whole(pair, data):
    """A text that was cut off anywhere is refused."""
    text = write_text(pair).get_secret_value()
    cut = data.draw(st.integers(0, len(text) - 1))

    with pytest.raises(ConfigurationError):
        read_text(SecretStr(text[:cut]), "it")


@given(st.binary())
def test_bytes_of_others_are_refused(noise):
    """Whatever else is in a file is refused, and nothing but that error is raised."""
    with pytest.raises(ConfigurationError):
        read_text(SecretBytes(noise), "it")


@pytest.mark.parametrize(
    "change",
    [
        {"format": "plugbay-tokens-2"},
        {"access_token": None},
        {"access_token": ""},
        {"access_token": "a-secret\n"},
        {"refresh_token": 5},
        {"expires_at": "soon"},
        {"expires_at": True},
        {"expires_at": float("nan")},
        {"expires_at": float("inf")},
        {"expires_at": 10**400},
        {"scope": ["read"]},
    ],
)
def test_wrong_field_is_refused_without_showing_any(change):
    """A field of the wrong kind makes the text a foreign one; the error names the place and no value."""
    with pytest.raises(ConfigurationError, match="/some/where") as caught:
        read_text(SecretStr(json.dumps(WHOLE | change)), "/some/where")
    assert "secret" not in str(caught.value.payload())
    assert caught.value.__context__ is None


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "null", '"a-secret"', "{}", '{"access_token": "a-secret"}'])
def test_other_json_is_refused(text):
    """JSON of any other shape is refused, however deep."""
    with pytest.raises(ConfigurationError) as caught:
        read_text(SecretStr(text), "it")
    assert "secret" not in str(caught.value.payload())


def test_fields_of_later_versions_are_let_pass():
    """A field that a later version adds within the same format does no harm."""
    assert read_text(SecretStr(json.dumps(WHOLE | {"more": 1})), "it").scope == "read"


def test_end_that_is_no_moment_is_not_written():
    """A life without end is written as one that is not known, as JSON has no infinity."""
    assert read_text(write_text(Tokens(SecretStr("a"), expires_at=float("inf"))), "it") == Tokens(SecretStr("a"))


def test_token_that_cannot_be_sent_is_not_written():
    """A token that would be refused when read is refused when written, by name and not by value."""
    with pytest.raises(ConfigurationError) as caught:
        write_text(Tokens(SecretStr("a-secret\n")))
    assert "a-secret" not in str(caught.value)
