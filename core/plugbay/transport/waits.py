"""How long a service asks to be left alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC

__all__ = ["asked_wait"]

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?", re.ASCII)

LONGEST = 366 * 86_400.0
"""The longest wait that is told on, in seconds; more is as good as never, and may not fit a float."""

LONGEST_DATE = 64


def asked_wait(headers: Mapping[str, str], *, throttled: bool, now: float) -> float | None:
    """The seconds to wait by `retry-after-ms`, `Retry-After` or `ratelimit-reset`; None if it does not say.

    Args:
        headers: Of the answer.
        throttled: Whether the answer was 429; only then is `ratelimit-reset` about it, as others carry it, too.
        now: Seconds since the epoch, for a `Retry-After` that is a date (RFC 9110 section 10.2.3).
    """
    milliseconds = _seconds(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    told = headers.get("retry-after")
    wait = _seconds(told)
    if wait is None and told is not None:
        wait = _until(told, now)
    if wait is None and throttled:
        wait = _seconds(headers.get("ratelimit-reset"))
    return wait


def _seconds(text: str | None) -> float | None:
    if text is None or not _NUMBER.fullmatch(text := text.strip()):
        return None
    return min(max(float(text), 0.0), LONGEST)


def _until(text: str, now: float) -> float | None:
    if len(text) > LONGEST_DATE:
        return None
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - seldom needed, and slow to import

    try:
        moment = parsedate_to_datetime(text)
        at = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(at - now, 0.0), LONGEST)
