"""Incremental exports: everything that changed since a moment, oldest change first.

Changes of the last 60 seconds are held back. Deleted records stay in the stream.
"""

from __future__ import annotations

import base64
import binascii
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import islice

from plugbay.sandbox import views
from plugbay.sandbox.account import Account, Record
from plugbay.sandbox.errors import invalid_attribute, json_api, simple
from plugbay.sandbox.exchange import Call, Handler, Reply, is_number
from plugbay.sandbox.paging import page_url, whole_number
from plugbay.sandbox.tickets import shown

BLIND_SECONDS = 60
MAX_PAGE = 1000
_Row = tuple[float, int, Record]


def by_cursor(kind: str, plural: str) -> Handler:
    """The export that continues from an opaque cursor."""

    def cursor(call: Call) -> Reply:
        place = _place(call)
        rows = _stream(call, kind, place)
        page = list(islice(rows, min(whole_number(call, "per_page", MAX_PAGE), MAX_PAGE)))
        after = _write(page[-1][0], page[-1][1]) if page else _write(*place)
        body = {
            plural: _shown(call, kind, page),
            "after_url": page_url(call, {"start_time": None, "cursor": after}),
            "before_url": None,
            "after_cursor": after,
            "before_cursor": None,
            "end_of_stream": next(rows, None) is None,
        }
        return Reply(body=body | views.sideloads(call, [row[2] for row in page]))

    return cursor


def by_time(kind: str, plural: str) -> Handler:
    """The export that continues from the second of the last change; records of that second come twice."""

    def index(call: Call) -> Reply:
        start = start_time(call)
        rows = _stream(call, kind, (float(start), -1))
        page = list(islice(rows, min(whole_number(call, "per_page", MAX_PAGE), MAX_PAGE)))
        beyond = next(rows, None)
        while beyond is not None and int(page[-1][0]) == start:
            page.append(beyond)
            beyond = next(rows, None)
        end = int(page[-1][0]) if page else start
        body = {
            plural: _shown(call, kind, page),
            "count": len(page),
            "end_of_stream": beyond is None,
            "end_time": end,
            "next_page": page_url(call, {"start_time": end}),
        }
        return Reply(body=body | views.sideloads(call, [row[2] for row in page]))

    return index


def whole_seconds(moments: list[int], size: int, start: int) -> int:
    """How many records a page holds: `size`, and as many more as it takes to get past the second it began in.

    Without that a second with more changes than a page has room for would be answered for ever.
    """
    stop = min(size, len(moments))
    while 0 < stop < len(moments) and moments[stop - 1] == start:
        stop += 1
    return stop


def start_time(call: Call) -> int:
    """`start_time` in unix seconds; 422 when it is less than a minute ago."""
    text = call.param("start_time") or ""
    if not is_number(text):
        raise invalid_attribute("start_time", "must be an integer", call.origin)
    if int(text) > call.account.clock.timestamp() - BLIND_SECONDS:
        raise simple(422, "InvalidValue", "Too recent start_time. Use a start_time older than 60 seconds")
    return int(text)


def _place(call: Call) -> tuple[float, int]:
    """Where to go on: behind a cursor's record, or before the first record of `start_time`."""
    cursor = call.param("cursor")
    if not cursor:
        return float(start_time(call)), -1
    try:
        moment, _, number = base64.b64decode(cursor, validate=True).decode().rstrip("|").partition("||")
        return float(moment), int(number)
    except (ValueError, binascii.Error) as error:
        raise json_api(400, "InvalidCursor", "The cursor is not valid") from error


def _write(moment: float, number: int) -> str:
    return base64.b64encode(f"{moment!r}||{number}|".encode()).decode()


def _stream(call: Call, kind: str, place: tuple[float, int]) -> Iterator[_Row]:
    """What changed after a place, but for what is too young to be shown."""
    account = call.account
    timeline, sources = account.timeline(kind), _SOURCES[kind](call)
    stop = bisect_right(timeline, (account.clock.timestamp() - BLIND_SECONDS, sys.maxsize))
    for index in range(bisect_right(timeline, place), stop):
        moment, number = timeline[index]
        record = next((source[number] for source in sources if number in source), None)
        if record is not None:
            yield moment, number, record


def _tickets(call: Call) -> list[dict[int, Record]]:
    gone = [] if call.param("exclude_deleted") == "true" else [call.account.deleted_tickets]
    return [call.account.tickets, *gone]


_SOURCES: dict[str, Callable[[Call], list[dict[int, Record]]]] = {
    "ticket": _tickets,
    "user": lambda call: [call.account.users],
    "organization": lambda call: [call.account.organizations],
}
_VIEWS: dict[str, Callable[[Account, Record], Record]] = {"user": views.user, "organization": views.organization}


def _shown(call: Call, kind: str, page: list[_Row]) -> list[Record]:
    records = [row[2] for row in page]
    return shown(call, records) if kind == "ticket" else [_VIEWS[kind](call.account, record) for record in records]
