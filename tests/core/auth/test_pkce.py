"""Verifiers and their challenges."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugbay.auth import pkce
from plugbay.errors import ConfigurationError

UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"


def test_the_standards_own_example():
    """The challenge of RFC 7636, appendix B, comes out as it stands there."""
    assert "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" == pkce.new_challenge(
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )


def test_verifiers_are_of_the_standards_form_and_never_the_same():
    """A verifier has 43 unreserved characters, and a thousand of them are a thousand different ones."""
    made = [pkce.new_verifier().get_secret_value() for _ in range(1000)]

    assert all(re.fullmatch(r"[A-Za-z0-9\-._~]{43}", verifier) for verifier in made)
    assert 1000 == len(set(made))


def test_no_repr_shows_a_verifier():
    """A verifier that is printed shows nothing of itself."""
    verifier = pkce.new_verifier()

    assert verifier.get_secret_value() not in f"{verifier!r} {verifier}"


@given(st.text(UNRESERVED, min_size=43, max_size=128))
def test_every_verifier_has_a_challenge_without_padding(verifier):
    """Whatever verifier the standard allows gives 43 characters of base64url."""
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", pkce.new_challenge(verifier))


@pytest.mark.parametrize("verifier", ["", "a" * 42, "a" * 129, "a" * 42 + "ä", "a" * 43 + "\n", "a" * 42 + " "])
def test_what_is_no_verifier_is_refused_and_not_shown(verifier):
    """Too short, too long, or with other characters: an error, which does not quote it."""
    with pytest.raises(ConfigurationError) as caught:
        pkce.new_challenge(verifier)
    assert not verifier or verifier not in str(caught.value)
