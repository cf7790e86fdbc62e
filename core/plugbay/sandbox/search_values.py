"""What the values of a search mean: words in a text, moments in time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from plugbay.sandbox.errors import Refused, simple

_WORD = re.compile(r"\w+")
_PATTERN = re.compile(r"[\w*]+")
_RELATIVE = re.compile(r"(\d+)\s*(minute|hour|day|week|month|year)s?")
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_UNITS = {"minute": 60, "hour": 3600, "day": 86_400, "week": 604_800, "month": 2_629_746, "year": 31_556_952}


def invalid(text: str) -> Refused:
    """422 of a search that cannot be carried out."""
    return simple(422, "invalid", f"Invalid search: {text}")


def says(text: str | None, wanted: str) -> bool:
    """Whether a text contains the wanted words next to each other; `*` stands for any letters, case is ignored."""
    patterns = _PATTERN.findall(wanted.casefold())
    words = _WORD.findall((text or "").casefold())
    if not patterns:
        return wanted.strip() != "" and wanted in (text or "")
    starts = range(len(words) - len(patterns) + 1)
    return any(all(fnmatchcase(words[at + i], pattern) for i, pattern in enumerate(patterns)) for at in starts)


def equals(value: object, wanted: str) -> bool:
    """Whether a whole value is the wanted one; `*` stands for any letters, case is ignored."""
    text = str(value if value is not None else "").casefold()
    pattern = wanted.casefold().replace("[", "[[]").replace("?", "[?]")
    return fnmatchcase(text, pattern)


def contains(text: str | None, wanted: str) -> bool:
    """Whether a text has the wanted one anywhere in it; `*` stands for any letters, case is ignored."""
    return equals(text, f"*{wanted}*")


def ranked(value: str | None, operator: str, wanted: str, ranks: tuple[str, ...], field: str) -> bool:
    """Compare a value with another on a scale that goes from low to high."""
    if operator == ":":
        return any((value or "none") == part for part in wanted.casefold().split(","))
    if wanted.casefold() not in ranks:
        raise invalid(f"{wanted} is no value of {field}")
    if value not in ranks:
        return False
    return compare(ranks.index(value), operator, ranks.index(wanted.casefold()))


def compare(left: float, operator: str, right: float) -> bool:
    """Compare two numbers by an operator's sign."""
    signs = {":": left == right, "<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}
    return signs[operator]


def dated(value: str | None, operator: str, wanted: str, now: datetime) -> bool:
    """Compare a record's moment with a day, a moment or an age such as `7days`.

    A day is a span: `>` is after its end, `<` before its start. An age is the moment that long ago.
    """
    start, end = span(wanted, now)
    if not value:
        return False
    moment = datetime.fromisoformat(value)
    if operator == ":":
        return start <= moment < end
    edge = end if operator in (">", "<=") else start
    if operator == ">" and end - start > timedelta(seconds=1):
        return moment >= edge
    if operator == "<=" and end - start > timedelta(seconds=1):
        return moment < edge
    return compare(moment.timestamp(), operator, start.timestamp())


def span(wanted: str, now: datetime) -> tuple[datetime, datetime]:
    """The half-open span of time that a value names; 422 when it names none."""
    text = wanted.casefold()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    named = {"today": today, "yesterday": today - timedelta(days=1)}
    if text in named:
        return named[text], named[text] + timedelta(days=1)
    relative = _RELATIVE.fullmatch(text)
    try:
        if relative:
            moment = now - timedelta(seconds=int(relative.group(1)) * _UNITS[relative.group(2)])
            return moment.replace(microsecond=0), moment.replace(microsecond=0) + timedelta(seconds=1)
        day = _DAY.fullmatch(text)
        if day:
            year, month, number = map(int, day.groups())
            start = datetime(year, month, number, tzinfo=UTC)
            return start, start + timedelta(days=1)
        moment = datetime.fromisoformat(wanted)
    except (ValueError, OverflowError) as error:
        raise invalid(f"{wanted} is not a date") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment, moment + timedelta(seconds=1)
