"""Moments on the command line."""

from __future__ import annotations

import argparse
from datetime import datetime

__all__ = ["moment"]

_YEARS = (2000, 2999)


def moment(text: str) -> datetime:
    """A moment in ISO 8601; one without a zone is in UTC.

    Raises:
        ArgumentTypeError: It is none, or far away.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a moment in ISO 8601, as 2026-06-17T12:00:00Z") from error
    if not _YEARS[0] <= found.year <= _YEARS[1]:
        raise argparse.ArgumentTypeError(f"{text!r} is not within the years {_YEARS[0]} to {_YEARS[1]}")
    return found
