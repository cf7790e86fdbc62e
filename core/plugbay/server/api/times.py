"""Moments as the API writes them."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["moment"]


def moment(seconds: float) -> str:
    """A moment in UTC as `2026-11-22T07:00:00Z`.

    Args:
        seconds: Since the epoch.
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
