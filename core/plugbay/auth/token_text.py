"""A token pair as a text, for stores that keep texts."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from pydantic import SecretBytes, SecretStr

from plugbay.auth.credentials import header_text
from plugbay.auth.tokens import Tokens
from plugbay.errors import ConfigurationError
from plugbay.json_safe import is_object

__all__ = ["read_text", "write_text"]

FORMAT = "plugbay-tokens-1"
"""Tells our texts from everything else that may be in a file."""


def write_text(tokens: Tokens) -> SecretStr:
    """The pair as one line of JSON.

    Raises:
        ConfigurationError: The access token cannot stand in a header, so it would not be read again.
    """
    refresh, ends = tokens.refresh_token, tokens.expires_at
    return SecretStr(
        json.dumps(
            {
                "format": FORMAT,
                "access_token": header_text(tokens.access_token, "access token"),
                "refresh_token": None if refresh is None else refresh.get_secret_value(),
                "expires_at": ends if ends is not None and math.isfinite(ends) else None,
                "scope": tokens.scope,
            }
        )
    )


def read_text(text: SecretStr | SecretBytes, where: str) -> Tokens:
    """The pair that `write_text` wrote.

    Args:
        text: The text.
        where: What to call it in the error, which never shows the text.

    Raises:
        ConfigurationError: It is something else, or only a part.
    """
    tokens = _tokens(text)
    if tokens is not None:
        return tokens
    # Raised here, where no exception that quotes the text is its context.
    raise ConfigurationError(
        f"{where} does not hold a token pair of plugbay's ({FORMAT}).",
        hint="It was left as it is. If it is a damaged one, move it away and authorize again; if not, name another place.",
    )


def _tokens(text: SecretStr | SecretBytes) -> Tokens | None:
    try:
        fields: Any = json.loads(text.get_secret_value())
    except (ValueError, RecursionError):
        return None
    return _pair(fields) if is_object(fields) and fields.get("format") == FORMAT else None


def _pair(fields: Mapping[str, Any]) -> Tokens | None:
    access, refresh = fields.get("access_token"), fields.get("refresh_token")
    expires_at, scope = fields.get("expires_at"), fields.get("scope")
    if not isinstance(access, str) or not isinstance(refresh, str | None) or not isinstance(scope, str | None):
        return None
    try:
        return Tokens(
            access_token=SecretStr(header_text(access, "access token")),
            refresh_token=SecretStr(refresh) if refresh else None,
            expires_at=None if expires_at is None else _moment(expires_at),
            scope=scope,
        )
    except (ConfigurationError, TypeError, ValueError, OverflowError):
        return None


def _moment(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError
    return float(value)
