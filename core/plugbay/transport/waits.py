"""How long a service asks to be left alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC

__all__ = ["asked_wait"]

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?", re.ASCII)

_COMMA = r"(?i)(?<!mon)(?<!tue)(?<!wed)(?<!thu)(?<!fri)(?<!sat)(?<!sun)(?<!day),"
"""What joins the values of a header that was sent more than once; not the comma after a date's day of the week."""

LONGEST = 366 * 86_400.0
"""The longest wait that is told on, in seconds; more is as good as never, and may not fit a float."""

LONGEST_DATE = 64

LONGEST_WINDOW = 86_400.0
"""The longest window of a rate limit that is believed, in seconds."""


def asked_wait(headers: Mapping[str, str], *, throttled: bool, now: float) -> float | None:
    """The longest wait of `retry-after-ms`, `Retry-After` and `ratelimit-reset`, in seconds; None if none says.

    A `Retry-After` that is a date (RFC 9110 section 10.2.3) counts from the answer's own `Date`, so that clocks
    which disagree make no wait shorter.

    Args:
        headers: Of the answer, by lower-case name; a header that came more than once is joined by commas.
        throttled: Whether the answer was 429; only then is `ratelimit-reset` about it, as others carry it, too.
        now: Seconds since the epoch, for a date in an answer that has no `Date`.
    """
    after = _parts(headers.get("retry-after"))
    told = [
        *(_seconds(part, 0.001) for part in _parts(headers.get("retry-after-ms"))),
        *(_seconds(part) for part in after),
        *(wait for part in _parts(headers.get("ratelimit-reset")) if throttled and _is_window(wait := _seconds(part))),
    ]
    waits = [wait for wait in told if wait is not None]
    if moments := _moments(after):
        waits.append(_bounded(max(moments) - min(_moments(_parts(headers.get("date"))), default=now)))
    return max(waits, default=None)


def _parts(text: str | None) -> list[str]:
    if not text:
        return []
    return [part.strip() for part in (re.split(_COMMA, text) if "," in text else [text])]


def _seconds(text: str, unit: float = 1.0) -> float | None:
    return _bounded(float(text) * unit) if _NUMBER.fullmatch(text) else None


def _is_window(seconds: float | None) -> bool:
    """Whether it is how long a window lasts, and not a moment, as which some services give it."""
    return seconds is not None and seconds <= LONGEST_WINDOW


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST)


def _moments(parts: list[str]) -> list[float]:
    """The seconds since the epoch of those parts that are dates."""
    return [at for part in parts if not _NUMBER.fullmatch(part) and (at := _moment(part)) is not None]


def _moment(text: str) -> float | None:
    if len(text) > LONGEST_DATE:
        return None
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - seldom needed, and slow to import

    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
