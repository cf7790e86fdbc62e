"""Proof Key for Code Exchange: only whoever began an authorization can redeem its code.

Source: RFC 7636. `plain` is left out on purpose: its challenge is the secret itself (section 7.2; RFC 9700 section 2.1.1).
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets

from pydantic import SecretStr

from plugbay.auth.credentials import reveal
from plugbay.errors import ConfigurationError

__all__ = ["METHOD", "new_challenge", "new_verifier"]

METHOD = "S256"
"""The value of `code_challenge_method`."""

ENTROPY = 32
"""Random bytes of a verifier, as RFC 7636 section 4.1 recommends."""

_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


def new_verifier() -> SecretStr:
    """A new secret to keep until the code comes: 43 characters with 256 bits of chance (section 4.1)."""
    return SecretStr(secrets.token_urlsafe(ENTROPY))


def new_challenge(verifier: SecretStr | str) -> str:
    """What is sent of a verifier when the authorization begins (section 4.2).

    Raises:
        ConfigurationError: The verifier is not 43 to 128 unreserved characters; the error does not show it.
    """
    text = reveal(verifier)
    if not _VERIFIER.fullmatch(text):
        raise ConfigurationError("The code verifier must be 43 to 128 letters, digits, '-', '.', '_' or '~'.")
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
