"""Proof that who redeems a code is who asked for it (RFC 7636); S256 only."""

from __future__ import annotations

import hmac
import re

from plugbay.auth.pkce import METHOD, new_challenge
from plugbay.errors import ConfigurationError
from plugbay.server.mcp.authorization.refusals import OAuthError

__all__ = ["check_challenge", "proves"]

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


def check_challenge(challenge: str | None, method: str | None) -> str:
    """The challenge of a request.

    Raises:
        OAuthError: There is none, or it is not of the method S256.
    """
    if not challenge:
        raise OAuthError("invalid_request", "code_challenge is missing: PKCE is required.")
    if method != METHOD:
        raise OAuthError("invalid_request", "code_challenge_method must be S256.")
    if not _CHALLENGE.fullmatch(challenge):
        raise OAuthError("invalid_request", "code_challenge must be the base64url of a SHA-256 digest.")
    return challenge


def proves(verifier: str | None, challenge: str) -> bool:
    """Whether a verifier is the one that the challenge was made of."""
    try:
        return hmac.compare_digest(new_challenge(verifier or ""), challenge)
    except ConfigurationError:
        return False
