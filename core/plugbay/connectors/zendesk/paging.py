"""How Zendesk pages, four ways.

Sources: developer.zendesk.com, "Pagination", "Incremental Exports" and "Talk Incremental
Exports"; and recorded answers, where they say more. A state is what `meta.cursor` wraps.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from plugbay.errors import InvalidParameterError, ResponseIntegrityError
from plugbay.json_safe import is_object
from plugbay.operation import Query, Slice

__all__ = ["CursorPager", "ExportPager", "LinkPager", "OffsetPager", "TimePager"]

_LINK = "q~"
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


class LinkPager:
    """Follows `next_page` by its query alone, so that an answer cannot send the credentials to another host."""

    largest = 100

    def query(self, state: str | None, size: int) -> Query:  # noqa: ARG002 - the service fixes the size
        return () if state is None else tuple(parse_qsl(state.removeprefix(_LINK), keep_blank_values=True))

    def replaces(self) -> tuple[str, ...]:
        return ()

    def read(self, payload: Mapping[str, Any], records: list[Any], state: str | None) -> Slice:  # noqa: ARG002 - the link says all
        return Slice(records, _linked(payload), total=_count(payload))


class CursorPager:
    """`page[size]` and `page[after]`, up to 100 records a page.

    Only `meta.has_more` tells the end: on the last page with records `links.next` and `after_cursor` are still set.
    """

    largest = 100

    def query(self, state: str | None, size: int) -> Query:
        if state is not None and state.startswith(_LINK):
            return LinkPager().query(state, size)
        first = (("page[size]", str(size)),)
        return first if state is None else (*first, ("page[after]", state))

    def replaces(self) -> tuple[str, ...]:
        return ()

    def read(self, payload: Mapping[str, Any], records: list[Any], state: str | None) -> Slice:
        meta = payload.get("meta")
        if not is_object(meta):
            # Some lists answer in the older form whatever they are asked in.
            return LinkPager().read(payload, records, state)
        if not meta.get("has_more"):
            return Slice(records, None)
        after = meta.get("after_cursor")
        if not isinstance(after, str) or not after:
            raise ResponseIntegrityError("The answer says that there is more, and not where.")
        return Slice(records, after)


class OffsetPager:
    """`page` and `per_page`, for the lists that know no cursor; a state is `<page>x<per_page>`.

    Args:
        ceiling: Records behind which the service refuses to page.
        beyond: What to do for the records behind the ceiling.
    """

    largest = 100

    def __init__(self, *, ceiling: int, beyond: str) -> None:
        self.ceiling = ceiling
        self.beyond = beyond

    def query(self, state: str | None, size: int) -> Query:
        page, per_page = (1, size) if state is None else _page(state)
        return (("page", str(page)), ("per_page", str(per_page)))

    def replaces(self) -> tuple[str, ...]:
        return ()

    def read(self, payload: Mapping[str, Any], records: list[Any], state: str | None) -> Slice:
        total = _count(payload)
        if not payload.get("next_page"):
            return Slice(records, None, total=total)
        page, per_page = (1, max(1, len(records))) if state is None else _page(state)
        # A first page may be shorter than was asked for; the link says how the service counts.
        per_page = _linked_size(payload) or per_page
        if (page + 1) * per_page > self.ceiling:
            note = f"Zendesk ends this list at {self.ceiling:,} records. {self.beyond}"
            return Slice(records, None, total=total, ceiling=note)
        return Slice(records, f"{page + 1}x{per_page}", total=total)


class ExportPager:
    """An incremental export by cursor: `start_time` once, then `cursor`; up to 1,000 records a page.

    At `end_of_stream` the cursor is still given: a later call goes on from there with what has changed since.
    """

    largest = 1_000

    def query(self, state: str | None, size: int) -> Query:
        first = (("per_page", str(size)),)
        return first if state is None else (*first, ("cursor", state))

    def replaces(self) -> tuple[str, ...]:
        return ("start_time",)

    def read(self, payload: Mapping[str, Any], records: list[Any], state: str | None) -> Slice:
        after = payload.get("after_cursor")
        if payload.get("end_of_stream"):
            return Slice(records, None, resumable=after or state)
        if not isinstance(after, str) or not after:
            raise ResponseIntegrityError("The export says that there is more, and not where.")
        return Slice(records, after)


class TimePager:
    """Talk's incremental export: `start_time`, inclusive, in pages of 1,000; `next_page` is never null.

    A state is `<unix seconds>` or `<unix seconds>:<id>,<id>`, the ids being those of that second that were given
    out already: where a page ends within a second nothing is lost and nothing given twice.
    """

    largest = 1_000

    def query(self, state: str | None, size: int) -> Query:  # noqa: ARG002 - the service fixes the size
        return () if state is None else (("start_time", state.partition(":")[0]),)

    def replaces(self) -> tuple[str, ...]:
        return ("start_time",)

    def read(self, payload: Mapping[str, Any], records: list[Any], state: str | None) -> Slice:  # noqa: ARG002 - the records say all
        second, _, ids = (state or "").partition(":")
        seen = set(ids.split(","))

        def given_out(record: Mapping[str, Any]) -> bool:
            # One that has changed since is news, although its id is known.
            return str(record.get("id")) in seen and str(_unix(record.get("updated_at"))) == second

        fresh = [record for record in records if not given_out(record)]

        def at(count: int) -> str:
            if count == 0 and state is not None:
                return state
            return self.behind(fresh[:count], state)

        if len(records) < self.largest:
            return Slice(fresh, None, at, resumable=at(len(fresh)) if fresh else state)
        return Slice(fresh, at(len(fresh)), at)

    def behind(self, records: Sequence[Mapping[str, Any]], state: str | None) -> str:
        """The state behind records, one at least, that were read from `state` on, be it over many pages."""
        seconds = [_unix(record.get("updated_at")) for record in records]
        last = seconds[-1]
        ids = [str(record.get("id")) for record, second in zip(records, seconds, strict=True) if second == last]
        before, _, earlier = (state or "").partition(":")
        if before == str(last) and earlier:
            ids = [*earlier.split(","), *ids]
        return f"{last}:{','.join(ids)}"


def _unix(stamp: Any) -> int:
    try:
        return int(dt.datetime.fromisoformat(str(stamp)).timestamp())
    except ValueError:
        raise ResponseIntegrityError("A record of the export does not say when it changed.") from None


def _linked(payload: Mapping[str, Any]) -> str | None:
    link = payload.get("next_page")
    return _LINK + urlencode(parse_qsl(urlsplit(link).query)) if isinstance(link, str) and link else None


def _linked_size(payload: Mapping[str, Any]) -> int | None:
    size = dict(parse_qsl(urlsplit(str(payload.get("next_page"))).query)).get("per_page", "")
    return int(size) if _NUMBER.fullmatch(size) else None


def _count(payload: Mapping[str, Any]) -> int | None:
    count = payload.get("count")
    return count if isinstance(count, int) else None


def _page(state: str) -> tuple[int, int]:
    page, _, per_page = state.partition("x")
    if not (_NUMBER.fullmatch(page) and _NUMBER.fullmatch(per_page)):
        raise InvalidParameterError("`cursor` is damaged.", hint="Pass meta.cursor of the last answer unchanged.")
    return int(page), int(per_page)
