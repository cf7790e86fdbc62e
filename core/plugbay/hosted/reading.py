"""A list that `plugbay serve` reads for us, in as many answers as its limit takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from plugbay.errors import ResponseIntegrityError
from plugbay.executor import filters_of
from plugbay.hosted.answer import Answer
from plugbay.inbound import Included
from plugbay.operation import Operation
from plugbay.outcome import Outcome
from plugbay.result import Meta
from plugbay.walk import cursor_behind

__all__ = ["Reading"]


class _Place(NamedTuple):
    """Where an answer began: the number of its first record, and the cursor it was asked for by."""

    start: int
    cursor: str | None


class Reading:
    """How far the reading of a list has come.

    Args:
        operation: The list.
        arguments: With `limit` and `cursor`.

    Attributes:
        records: What came so far.
        cursor: Where to go on.

    Raises:
        InvalidParameterError: The cursor does not belong to this list.
    """

    def __init__(self, operation: Operation, arguments: Mapping[str, Any]) -> None:
        self._operation = operation
        self._filters = filters_of(arguments)
        self._limit: int | None = arguments.get("limit")
        # A page in an answer: so its size and time are bounded, and it is known where each page begins, from which a
        # list that is cut goes on as a local one does.
        self._largest = operation.pager.largest if operation.pager else 1
        self.cursor: str | None = arguments.get("cursor") or None
        self.records: list[Any] = []
        self._included = Included(None)
        self._places: list[_Place] = []
        self._seen: set[str | None] = {self.cursor}
        cursor_behind(operation, self._filters, self.cursor, ())

    def params(self) -> dict[str, Any]:
        """What to ask for next."""
        part = {
            "limit": None if self._limit is None else min(self._limit - len(self.records), self._largest),
            "cursor": self.cursor,
        }
        return {**self._filters, **{name: value for name, value in part.items() if value is not None}}

    def take(self, answer: Answer, records: list[Any]) -> bool:
        """Adds what an answer brought; whether there is more to ask for.

        Raises:
            ResponseIntegrityError: The list does not go on where it says it does.
        """
        self._places.append(_Place(len(self.records), self.cursor))
        self.records += records
        self._included.add(answer.said("included", dict))
        told = answer.pagination.get("cursor")
        self.cursor = told if isinstance(told, str) and told else None
        if not answer.pagination.get("has_more") or self.cursor is None or self._is_enough():
            return False
        if self.cursor in self._seen:
            raise ResponseIntegrityError(f"{self._operation.name}: the service gave the same page twice.")
        self._seen.add(self.cursor)
        return True

    def outcome(self, last: Answer) -> Outcome:
        """The list as read, with where it goes on."""
        total = last.pagination.get("total")
        meta = Meta(
            has_more=last.pagination.get("has_more") is True,
            cursor=self.cursor,
            count=len(self.records),
            total=total if type(total) is int else None,
            included=self._included.data or None,
            note=last.said("note", str),
        )
        return Outcome(self.records, meta, self._resume_at)

    def _is_enough(self) -> bool:
        return bool(self.records) if self._limit is None else len(self.records) >= self._limit

    def _resume_at(self, count: int) -> str:
        place = max((place for place in self._places if place.start <= count), key=lambda place: place.start)
        return cursor_behind(self._operation, self._filters, place.cursor, self.records[place.start : count])
