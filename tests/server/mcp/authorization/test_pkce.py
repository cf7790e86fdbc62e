"""Proof that who redeems a code is who asked for it."""

from __future__ import annotations

import pytest

from plugbay.server.mcp.authorization.pkce import check_challenge, proves
from plugbay.server.mcp.authorization.refusals import OAuthError

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_example_of_the_rfc():
    """The verifier of RFC 7636 appendix B fits its challenge."""
    assert CHALLENGE == check_challenge(CHALLENGE, "S256")
    assert proves(VERIFIER, CHALLENGE)


@pytest.mark.parametrize(
    "verifier", [None, "", VERIFIER[:-1], VERIFIER[:-1] + "K", CHALLENGE, VERIFIER + " ", "ü" * 43]
)
def test_another_verifier(verifier):
    """No verifier, another one, or the challenge itself does not fit."""
    assert not proves(verifier, CHALLENGE)


@pytest.mark.parametrize(
    ("challenge", "method"),
    [(None, "S256"), ("", "S256"), (CHALLENGE, None), (CHALLENGE, "plain"), (CHALLENGE, "s256"), ("short", "S256")],
)
def test_only_s256(challenge, method):
    """A request without a challenge, or with one of another method than S256, is refused."""
    with pytest.raises(OAuthError) as caught:
        check_challenge(challenge, method)
    assert "invalid_request" == caught.value.error
