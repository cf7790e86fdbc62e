"""Ids that become a part of a path."""

from __future__ import annotations

import re
from typing import Any

from plugbay.errors import PlugbayError

__all__ = ["checked_id"]

_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._~-]{0,127}")
"""UUIDs, and whatever else is one segment of a path that no parser reads in two ways (RFC 3986 section 3.3)."""


def checked_id(value: Any, name: str, error: type[PlugbayError]) -> str:
    """The id, if it can stand in a path as it is.

    Args:
        value: The id.
        name: What it is of, for the message.
        error: What to raise.

    Raises:
        PlugbayError: It is no text, or could leave its place in the path.
    """
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    raise error(f"The id of the {name} is not one: it must be letters, digits and hyphens, as a UUID is.")
