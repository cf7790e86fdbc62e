"""Zendesk's two ways of paging a list, with the quirks that recordings show.

Offset: `page`, `per_page`, and `{items, next_page, previous_page, count}`; nothing beyond record 10,000.
Cursor: `page[size]`, `page[after]`, `page[before]`, and `{items, meta, links}`. On the last page that holds records
`links.next` and `meta.after_cursor` are still set; only the empty page behind it has none.
"""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from plugbay.sandbox.account import Record
from plugbay.sandbox.errors import invalid_attribute, json_api
from plugbay.sandbox.exchange import Call, is_number

MAX_PAGE = 100
MAX_DEPTH = 10_000
MIN_LETTERS = 2  # what an autocomplete wants at least
Key = Callable[[Record], Any]


@dataclass(frozen=True)
class Order:
    """How a list is sorted; equal values are told apart by id."""

    name: str
    key: Key
    descending: bool = False

    def place(self, record: Record) -> list[Any]:
        """Where a record stands: comparable with the place of any other record of the list."""
        value = self.key(record)
        return [value is not None, value if value is not None else 0, record["id"]]

    def sorted(self, records: Iterable[Record]) -> list[Record]:
        """The records in this order."""
        return sorted(records, key=self.place, reverse=self.descending)


BY_ID = Order("id", lambda record: record["id"])


def page_of(call: Call, records: Iterable[Record], orders: Orders | None = None) -> tuple[list[Record], Record]:
    """The asked page of a list, and the envelope keys that go beside it."""
    orders = orders or Orders()
    if wants_cursor(call):
        return _cursor_page(call, records, orders.for_cursor(call))
    return offset_page(call, orders.for_offset(call).sorted(records))


def page_of_all(call: Call, table: Mapping[int, Record], orders: Orders) -> tuple[list[Record], Record]:
    """As `page_of`, of all records by their ids; by cursor and in the order of ids a page costs the same in any table."""
    if not wants_cursor(call) or orders.for_cursor(call).name != BY_ID.name:
        return page_of(call, table.values(), orders)
    order, (size, before, after) = orders.for_cursor(call), _asked(call)
    ids = _ids_beyond(order, table, before or after, backwards=bool(before))
    shown = [table[number] for number in (ids[-size:] if before else ids[:size])]
    return shown, _cursor_envelope(call, order, shown, size, more=len(ids) > size)


def _ids_beyond(order: Order, table: Mapping[int, Record], cursor: str | None, *, backwards: bool) -> list[int]:
    """The ids on the far side of a cursor, in order, without a look at any record."""
    place, ids = read_cursor(order, cursor), sorted(table)
    if place is not None:
        number = place[2]
        if place != [True, number, number]:
            raise json_api(400, "InvalidCursor", "The cursor is not valid for this list")
        lower = backwards != order.descending
        ids = ids[: bisect_left(ids, number)] if lower else ids[bisect_right(ids, number) :]
    return ids[::-1] if order.descending else ids


def wants_cursor(call: Call) -> bool:
    """Whether the request asks for cursor paging."""
    return any(key in ("page[size]", "page[after]", "page[before]") for key, _ in call.query)


def refuse_cursor(call: Call) -> None:
    """400 of a list that knows pages only."""
    if any(name.startswith("page[") for name, _ in call.query):
        raise invalid_attribute("page", "must be an integer", call.origin)


class Orders:
    """The orders a list knows.

    Args:
        default: The order when nothing is asked for.
        cursor: What `sort` may name under cursor paging; None when the list ignores it.
        offset: What `sort_by` may name under offset paging; None when the list ignores it.
    """

    def __init__(
        self, default: Order = BY_ID, cursor: dict[str, Key] | None = None, offset: dict[str, Key] | None = None
    ) -> None:
        self._default = default
        self._cursor = cursor
        self._offset = offset

    def for_cursor(self, call: Call) -> Order:
        """The order of `sort`; `sort_by` and `sort_order` have no effect beside a cursor."""
        asked = call.param("sort")
        if not asked or self._cursor is None:
            return self._default
        return _chosen("sort", asked.lstrip("-"), self._cursor, asked.startswith("-"))

    def for_offset(self, call: Call) -> Order:
        """The order of `sort_by` and `sort_order`; `sort` has no effect here."""
        descending = call.param("sort_order") == "desc"
        asked = call.param("sort_by")
        if self._offset is None:
            return self._default
        if not asked:
            return Order(self._default.name, self._default.key, descending or self._default.descending)
        return _chosen("sort_by", asked, self._offset, descending)


def _chosen(parameter: str, asked: str, known: dict[str, Key], descending: bool) -> Order:
    if asked not in known:
        raise json_api(400, "InvalidPaginationParameter", f"{parameter} must be one of: {', '.join(sorted(known))}")
    return Order(asked, known[asked], descending)


def whole_number(call: Call, name: str, default: int, origin: str | None = None) -> int:
    """A query parameter that must be a whole number of at least 1."""
    text = call.param(name)
    if text is None or text == "":
        return default
    if not is_number(text) or int(text) < 1:
        raise invalid_attribute(name, "must be an integer", origin or call.origin)
    return int(text)


def offset_page(
    call: Call, ordered: list[Record], *, depth: int = MAX_DEPTH, default_size: int = MAX_PAGE
) -> tuple[list[Record], Record]:
    """One page by number; `depth` is how many records can be reached at all."""
    number = whole_number(call, "page", 1)
    size = min(whole_number(call, "per_page", default_size), MAX_PAGE)
    start = (number - 1) * size
    if start >= depth:
        title = (
            "Pagination requests using Offset Pagination are limited to the first 10000 records; use cursors instead"
        )
        raise json_api(400, "InvalidPaginationDepth", title)
    more = start + size < len(ordered)
    envelope = {
        "next_page": page_url(call, {"page": number + 1}) if more else None,
        "previous_page": page_url(call, {"page": number - 1}) if number > 1 else None,
        "count": len(ordered),
    }
    return ordered[start : start + size], envelope


def page_url(call: Call, changes: dict[str, Any]) -> str:
    """This request's URL with some query parameters replaced."""
    kept = [(key, value) for key, value in call.query if key not in changes]
    pairs = kept + [(key, str(value)) for key, value in changes.items() if value is not None]
    return f"{call.account.base_url}{call.path}" + (f"?{urlencode(pairs)}" if pairs else "")


def page_size(call: Call, most: int = MAX_PAGE) -> int:
    """`page[size]`, which must lie between 1 and `most`."""
    text = call.param("page[size]")
    if text is None:
        return MAX_PAGE
    if not is_number(text) or not 1 <= int(text) <= most:
        raise json_api(400, "InvalidPaginationParameter", f"page[size] must be an integer between 1 and {most}")
    return int(text)


def _asked(call: Call) -> tuple[int, str | None, str | None]:
    """The size of a page, and the cursor that it is to end before or to begin after."""
    size = page_size(call)
    before, after = call.param("page[before]"), call.param("page[after]")
    if before and after:
        raise json_api(400, "InvalidPaginationParameter", "page[before] and page[after] cannot be used together")
    return size, before, after


def _cursor_page(call: Call, records: Iterable[Record], order: Order) -> tuple[list[Record], Record]:
    size, before, after = _asked(call)
    rest = _beyond(order, order.sorted(records), before or after, backwards=bool(before))
    shown = rest[-size:] if before else rest[:size]
    return shown, _cursor_envelope(call, order, shown, size, more=len(rest) > size)


def _beyond(order: Order, ordered: list[Record], cursor: str | None, *, backwards: bool) -> list[Record]:
    """The records on the far side of a cursor; all of them without one."""
    place = read_cursor(order, cursor)
    if place is None:
        return ordered
    try:
        if backwards != order.descending:
            return [record for record in ordered if order.place(record) < place]
        return [record for record in ordered if order.place(record) > place]
    except TypeError as error:
        raise json_api(400, "InvalidCursor", "The cursor is not valid for this list") from error


def _cursor_envelope(call: Call, order: Order, shown: list[Record], size: int, *, more: bool) -> Record:
    first = write_cursor(order, shown[0]) if shown else None
    last = write_cursor(order, shown[-1]) if shown else None
    return {
        "meta": {"has_more": more, "after_cursor": last, "before_cursor": first},
        "links": {"prev": _link(call, "page[before]", first, size), "next": _link(call, "page[after]", last, size)},
    }


def _link(call: Call, name: str, cursor: str | None, size: int) -> str | None:
    if cursor is None:
        return None
    gone: dict[str, Any] = {"page[before]": None, "page[after]": None}
    return page_url(call, gone | {name: cursor, "page[size]": size})


def write_cursor(order: Order, record: Record) -> str:
    """An opaque text for a record's place: base64 of the order's name and of the place."""
    value = base64.b64encode(json.dumps(order.place(record)).encode()).decode()
    return base64.b64encode(json.dumps({"o": _signed(order), "v": value}).encode()).decode()


def read_cursor(order: Order, cursor: str | None) -> list[Any] | None:
    """The place in a cursor; 400 when it was made for another order or is no cursor at all."""
    if not cursor:
        return None
    try:
        outer = json.loads(base64.b64decode(cursor, validate=True))
        place = json.loads(base64.b64decode(outer["v"], validate=True))
        known, value, number = place
        signed, found = outer["o"], [bool(known), value, int(number)]
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise json_api(400, "InvalidCursor", "The cursor is not valid for this list") from error
    if signed != _signed(order):
        raise json_api(400, "InvalidCursor", "The cursor belongs to another order")
    return found


def _signed(order: Order) -> str:
    return ("-" if order.descending else "") + order.name
