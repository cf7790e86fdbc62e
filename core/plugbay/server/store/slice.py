"""Lists in parts: a part, and the cursor that goes on after it."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Column, ColumnElement, Select, Table, and_, or_

from plugbay.errors import InvalidParameterError

__all__ = ["MOST", "Slice", "after", "clipped", "cut", "ordered"]

MOST = 1_000
"""Most rows in one part."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """A part of a list.

    Attributes:
        items: The rows.
        next: The cursor of the next part; None at the end.
    """

    items: list[T]
    next: str | None


def clipped(limit: int) -> int:
    """How many rows a part has.

    Raises:
        InvalidParameterError: Fewer than one were asked for.
    """
    if limit < 1:
        raise InvalidParameterError("limit is at least 1.", details={"field": "limit"})
    return min(limit, MOST)


def after(table: Table, time: Column[float], cursor: str | None, *, newest_first: bool) -> list[ColumnElement[bool]]:
    """The condition that leaves out what came up to the cursor."""
    if cursor is None:
        return []
    at, identifier = _decode(cursor)
    if newest_first:
        return [or_(time < at, and_(time == at, table.c.id < identifier))]
    return [or_(time > at, and_(time == at, table.c.id > identifier))]


def cut(rows: Sequence[Any], limit: int, time: Column[float]) -> tuple[Sequence[Any], str | None]:
    """The first `limit` of the rows, and the cursor of the rest; ask for one row more than is needed."""
    if len(rows) <= limit:
        return rows, None
    kept = rows[:limit]
    last = kept[-1]
    return kept, _encode(getattr(last, time.name), last.id)


def ordered(query: Select[Any], table: Table, time: Column[float], *, newest_first: bool) -> Select[Any]:
    """The query in the order that cursors go by."""
    if newest_first:
        return query.order_by(time.desc(), table.c.id.desc())
    return query.order_by(time, table.c.id)


def _encode(at: float, identifier: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([at, identifier]).encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[float, str]:
    try:
        at, identifier = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        at, identifier = None, None
    if not (isinstance(at, float) and math.isfinite(at) and isinstance(identifier, str) and identifier.isascii()):
        raise InvalidParameterError("cursor is none that this list gave.", details={"field": "cursor"})
    return at, identifier
