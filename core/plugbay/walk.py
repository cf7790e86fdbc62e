"""The reading of a list over many pages, and the cursor that goes on where it stopped.

A cursor is `<mark>.<state>` or `<mark>+<skip>.<state>`: the mark binds it to the list
and its filters, the state is the service's own place in its paging, and skip is how
many records of that page were given out already. It holds all it needs, so that it
outlives the process, and little else, since a model must repeat it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from plugbay.errors import InvalidParameterError, ResponseIntegrityError
from plugbay.inbound import Included
from plugbay.operation import Operation, Slice
from plugbay.outcome import Outcome
from plugbay.result import Meta

__all__ = ["Walk", "cursor_behind", "cursor_over"]

MARK_BYTES = 3
"""Enough to notice a cursor of another list, and few for a model to repeat."""

_LONGEST_SKIP = 6
"""Digits of the records to pass over; pages have fewer."""


class Walk:
    """How far the reading of a list has come."""

    def __init__(self, operation: Operation, filters: Mapping[str, Any], cursor: str | None) -> None:
        self._operation = operation
        self._mark = operation.fingerprint(filters, MARK_BYTES)
        self.state, self.skip = _position(operation, cursor, self._mark)
        self.records: list[Any] = []
        self.included = Included(operation.record)
        self.more = False
        self._seen = {self.state}
        self._pages: list[_Place] = []

    def take(self, part: Slice, wanted: int) -> bool:
        """Adds the part's records up to `wanted` in all; whether there is another page to fetch."""
        here = _Place(len(self.records) - self.skip, self.state, part)
        self._pages.append(here)
        taken = part.records[self.skip : self.skip + wanted - len(self.records)]
        used = self.skip + len(taken)
        self.records += taken
        if used < len(part.records):
            (self.state, self.skip), self.more = here.at(used), True
            return False
        self.skip = max(0, self.skip - len(part.records))
        if part.next is not None and part.next in self._seen:
            raise ResponseIntegrityError(f"{self._operation.name}: the service gave the same page twice.")
        self._seen.add(part.next)
        self.state, self.more = part.next, part.next is not None
        return self.more

    def outcome(self, last: Slice) -> Outcome:
        """The list as read, with where it goes on."""
        cursor = None
        if self.more:
            cursor = self._cursor(self.state, self.skip)
        elif last.resumable is not None:
            cursor = self._cursor(last.resumable, 0)
        meta = Meta(
            has_more=self.more or last.ceiling is not None,
            cursor=cursor,
            count=len(self.records),
            total=last.total,
            included=self.included.data or None,
            note=last.ceiling,
        )
        return Outcome(self.records, meta, self._resume_at)

    def _resume_at(self, count: int) -> str:
        place = max((place for place in self._pages if place.start <= count), key=lambda place: place.start)
        return self._cursor(*place.at(count - place.start))

    def _cursor(self, state: str | None, skip: int) -> str:
        return _written(self._mark, state, skip)


def cursor_behind(
    operation: Operation, filters: Mapping[str, Any], cursor: str | None, records: Sequence[Mapping[str, Any]]
) -> str:
    """The cursor that goes on behind records which somebody else read for us.

    Args:
        operation: The list.
        filters: Its arguments, without `limit` and `cursor`.
        cursor: From where they were read; None for the beginning.
        records: The records, in their order.

    Raises:
        InvalidParameterError: The cursor does not belong to this list.
    """
    mark = operation.fingerprint(filters, MARK_BYTES)
    state, skip = _position(operation, cursor, mark)
    # Some pagings tell from the records alone where to go on, which holds although earlier ones change meanwhile.
    behind: Callable[[Sequence[Mapping[str, Any]], str | None], str] | None = getattr(operation.pager, "behind", None)
    if behind is not None and records and not skip:
        return _written(mark, behind(records, state), 0)
    return _written(mark, state, skip + len(records))


def cursor_over(operation: Operation, filters: Mapping[str, Any], count: int) -> str:
    """The cursor that passes over the first records of a list, for whoever counts pages.

    Args:
        operation: The list.
        filters: Its arguments, without `limit` and `cursor`.
        count: How many records to pass over; they are read all the same.
    """
    return _written(operation.fingerprint(filters, MARK_BYTES), None, count)


def _written(mark: str, state: str | None, skip: int) -> str:
    return f"{mark}{f'+{skip}' if skip else ''}.{state or ''}"


class _Place(NamedTuple):
    """A page of a list: the index of its first record, its state, and what it held."""

    start: int
    state: str | None
    part: Slice

    def at(self, count: int) -> tuple[str | None, int]:
        """The state from which the record `count` of the page is reached, and the records to pass over there."""
        return (self.part.at(count), 0) if self.part.at is not None else (self.state, count)


def _position(operation: Operation, cursor: str | None, mark: str) -> tuple[str | None, int]:
    """The paging state that a cursor stands for, and the records to pass over from there."""
    if not cursor:
        return None, 0
    head, _, state = cursor.partition(".")
    found, _, skip = head.partition("+")
    known = (skip.isascii() and skip.isdigit() and len(skip) <= _LONGEST_SKIP) or (not skip and state)
    if found != mark or not known:
        raise InvalidParameterError(
            f"{operation.name}: `cursor` does not belong to this list.",
            hint="Pass meta.cursor of the last answer unchanged, with the same other arguments as before.",
            details={"fields": {"cursor": ["not of this list"]}},
        )
    return state or None, int(skip or 0)
