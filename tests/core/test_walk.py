"""Reading a list over many pages, with every pager of Zendesk, against servers that page as Zendesk does."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from plugbay import InvalidParameterError, ResponseIntegrityError, declare
from plugbay.auth import BasicToken
from plugbay.connector import Connector
from plugbay.connectors.zendesk.errors import read_error
from plugbay.connectors.zendesk.paging import CursorPager, ExportPager, LinkPager, OffsetPager, TimePager
from plugbay.declare import Cursor, Entity, Limit, Listing
from plugbay.executor import LocalExecutor
from plugbay.transport import Transport
from plugbay.walk import cursor_behind

START = 1_700_000_000


class SmallCursor(CursorPager):
    largest = 3


class SmallOffset(OffsetPager):
    largest = 3


class SmallLink(LinkPager):
    largest = 3


class SmallExport(ExportPager):
    largest = 3


class SmallTime(TimePager):
    largest = 3


Since = Annotated[int, Field(ge=0)]


class Lists(Entity):
    """One list in five ways."""

    @declare.listing("/cursor", records="items", pager=SmallCursor())
    def cursor(
        self, *, only: str | None = None, limit: Limit | None = None, cursor: Cursor | None = None
    ) -> Listing[Any]:
        """By cursor."""
        ...

    @declare.listing("/offset", records="items", pager=SmallOffset(ceiling=1_000, beyond=""))
    def offset(self, *, limit: Limit | None = None, cursor: Cursor | None = None) -> Listing[Any]:
        """By page."""
        ...

    @declare.listing("/capped", records="items", pager=SmallOffset(ceiling=6, beyond="Narrow it."))
    def capped(self, *, limit: Limit | None = None, cursor: Cursor | None = None) -> Listing[Any]:
        """By page, up to a ceiling."""
        ...

    @declare.listing("/link", records="items", pager=SmallLink())
    def link(self, *, limit: Limit | None = None, cursor: Cursor | None = None) -> Listing[Any]:
        """By link."""
        ...

    @declare.listing("/export", records="items", pager=SmallExport())
    def export(self, *, start_time: Since, limit: Limit | None = None, cursor: Cursor | None = None) -> Listing[Any]:
        """By export."""
        ...

    @declare.listing("/time", records="items", pager=SmallTime())
    def time(self, *, start_time: Since, limit: Limit | None = None, cursor: Cursor | None = None) -> Listing[Any]:
        """By time."""
        ...


class Model(Connector):
    """A connector to the model server."""

    lists = declare.entity(Lists)


class Server:
    """Pages a list in the five ways of Zendesk, from its documentation."""

    def __init__(self, stamps):
        self.items = [
            {"id": index, "updated_at": dt.datetime.fromtimestamp(stamp, dt.UTC).isoformat()}
            for index, stamp in enumerate(sorted(stamps))
        ]
        self.requests = []

    def connector(self):
        http = httpx.MockTransport(self)
        transport = Transport("https://m.example.com", BasicToken("a", "b"), read_error=read_error, http=http)
        return Model(LocalExecutor(transport))

    def __call__(self, request):
        self.requests.append(request)
        answer = getattr(self, "_" + request.url.path[1:])(dict(request.url.params))
        return httpx.Response(200, json=answer)

    def _cursor(self, query):
        at, size = int(query.get("page[after]", 0)), int(query["page[size]"])
        more = at + size < len(self.items)
        # Both are set on the last page as well.
        meta = {"has_more": more, "after_cursor": str(min(at + size, len(self.items)))}
        return {
            "items": self.items[at : at + size],
            "meta": meta,
            "links": {"next": "https://m.example.com/cursor?x=1"},
        }

    def _offset(self, query):
        page, size = int(query["page"]), int(query["per_page"])
        more = page * size < len(self.items)
        link = f"https://m.example.com/offset?page={page + 1}&per_page={size}" if more else None
        return {"items": self.items[(page - 1) * size : page * size], "next_page": link, "count": len(self.items)}

    _capped = _offset

    def _link(self, query):
        at = int(query.get("at", 0))
        link = f"https://evil.example.org/link?at={at + 3}" if at + 3 < len(self.items) else None
        return {"items": self.items[at : at + 3], "next_page": link}

    def _export(self, query):
        at = int(query["cursor"]) if "cursor" in query else self._since(int(query["start_time"]))
        size = int(query["per_page"])
        after = min(at + size, len(self.items))
        return {
            "items": self.items[at:after],
            "after_cursor": str(after),
            "end_of_stream": after >= len(self.items),
        }

    def _time(self, query):
        at = self._since(int(query["start_time"]))
        page = self.items[at : at + 3]
        return {"items": page, "next_page": "https://m.example.com/time?start_time=1", "count": len(page)}

    def _since(self, start):
        stamps = [int(dt.datetime.fromisoformat(item["updated_at"]).timestamp()) for item in self.items]
        return sum(stamp < start for stamp in stamps)


WAYS = ["cursor", "offset", "link", "export", "time"]
# Zendesk's time export gives whole seconds; more records in one than fit a page it cannot page through.
few_a_second = st.lists(st.integers(START, START + 30), max_size=14).filter(
    lambda stamps: all(stamps.count(stamp) < 3 for stamp in stamps)
)


def filters_of(way: str) -> Mapping[str, Any]:
    return {"start_time": START} if way in {"export", "time"} else {}


@pytest.mark.parametrize("way", WAYS)
@given(few_a_second, st.lists(st.integers(1, 8), min_size=1))
@settings(max_examples=60, deadline=None)
def test_any_limits_give_each_record_once(way, stamps, limits):
    """Reading on with `meta.cursor` under any sequence of limits gives every record once, in order."""
    server = Server(stamps)
    connector = server.connector()

    async def read():
        found, cursor, turn = [], None, 0
        while True:
            limit = limits[turn % len(limits)]
            result = await connector.execute("lists", way, {**filters_of(way), "limit": limit, "cursor": cursor})
            assert limit >= len(result.data)
            assert len(result.data) == result.meta.count
            found += result.data
            if not result.meta.has_more:
                return found
            assert result.data, "an answer that says more is coming brings something"
            cursor, turn = result.meta.cursor, turn + 1

    assert server.items == asyncio.run(read())


@pytest.mark.parametrize("way", WAYS)
@given(few_a_second, st.none() | st.integers(1, 20))
@settings(max_examples=40, deadline=None)
def test_iterating_gives_each_record_once(way, stamps, limit):
    """Iterating gives every record once, in order, up to the limit."""
    server = Server(stamps)
    action = getattr(server.connector().lists, way)

    async def read():
        return [item async for item in action(**filters_of(way), limit=limit)]

    assert server.items[:limit] == asyncio.run(read())


@pytest.mark.parametrize("way", WAYS)
@given(few_a_second, st.integers(1, 14), st.data())
@settings(max_examples=40, deadline=None)
def test_a_cut_answer_goes_on_where_it_was_cut(way, stamps, limit, data):
    """From any record of an answer on, there is a cursor that gives exactly what is behind it."""
    server = Server(stamps)
    connector = server.connector()
    operation = connector.find("lists", way)

    async def read():
        bound = operation.arguments.bind({**filters_of(way), "limit": limit})
        outcome = await connector._executor.run(operation, bound)
        if not outcome.data:
            return
        kept = data.draw(st.integers(1, len(outcome.data)))
        if kept == len(outcome.data) and not outcome.meta.has_more:
            return
        cursor = outcome.resume_at(kept)
        rest = [item async for item in getattr(connector.lists, way)(**filters_of(way), cursor=cursor)]
        assert server.items == [*outcome.data[:kept], *rest]

    asyncio.run(read())


@pytest.mark.parametrize("way", WAYS)
async def test_await_is_one_request(way):
    """Without a limit an answer is one page and one request, in the middle of a list, too."""
    server = Server(range(START, START + 9))
    connector = server.connector()

    first = await connector.execute("lists", way, filters_of(way))
    second = await connector.execute("lists", way, {**filters_of(way), "cursor": first.meta.cursor})

    assert 2 == len(server.requests)
    assert [0, 1, 2] == [item["id"] for item in first.data]
    # The time export gives the last record again, which is left out.
    assert [3, 4, 5][: len(second.data)] == [item["id"] for item in second.data]


@pytest.mark.parametrize("way", WAYS)
async def test_iterating_costs_a_request_a_page(way):
    """Iterating fetches no page twice."""
    server = Server(range(START, START + 12))

    async for _ in getattr(server.connector().lists, way)(**filters_of(way)):
        pass

    assert len(server.requests) == (6 if way == "time" else 4)


async def test_limit_larger_than_a_page():
    """A limit larger than a page reads several, and asks for no more than it needs."""
    server = Server(range(START, START + 9))

    page = await server.connector().lists.cursor(limit=7)

    assert list(range(7)) == [item["id"] for item in page]
    assert ["3", "3", "1"] == [request.url.params["page[size]"] for request in server.requests]


async def test_link_keeps_to_our_host():
    """A `next_page` on another host is followed by its query alone."""
    server = Server(range(START, START + 9))

    items = [item async for item in server.connector().lists.link()]

    assert server.items == items
    assert {"m.example.com"} == {request.url.host for request in server.requests}


async def test_export_goes_on_later():
    """At the end of an export there is no more, and a cursor that brings what has changed since."""
    server = Server(range(START, START + 2))
    connector = server.connector()
    for way in ("export", "time"):
        first = await connector.execute("lists", way, filters_of(way))
        new = {"id": 99, "updated_at": dt.datetime.fromtimestamp(START + 50, dt.UTC).isoformat()}
        server.items.append(new)
        later = await connector.execute("lists", way, {**filters_of(way), "cursor": first.meta.cursor})

        assert (False, False) == (first.meta.has_more, later.meta.has_more)
        assert [new] == later.data
        server.items.pop()


class TestCeiling:
    """A list the service does not give to its end."""

    async def test_says_so(self):
        """At the ceiling there is more, no cursor, and a note that says what to do."""
        result = await Server(range(START, START + 9)).connector().execute("lists", "capped", {"limit": 8})

        assert (6, True, None) == (len(result.data), result.meta.has_more, result.meta.cursor)
        assert "Zendesk ends this list at 6 records. Narrow it." == result.meta.note
        assert result.meta.total == 9

    async def test_iterating_past_it(self):
        """Iterating past the ceiling gives what there is and then fails."""
        seen = []

        async def read():
            async for item in Server(range(START, START + 9)).connector().lists.capped():
                seen.append(item["id"])  # noqa: PERF401 - what came before the error counts

        with pytest.raises(InvalidParameterError, match="Narrow it"):
            await read()

        assert list(range(6)) == seen

    async def test_iterating_up_to_it(self):
        """A limit that ends at the ceiling is no failure."""
        server = Server(range(START, START + 9))

        assert 6 == len([item async for item in server.connector().lists.capped(limit=6)])


class TestCursor:
    """What is taken for a cursor."""

    @pytest.mark.parametrize(
        "cursor",
        ["x", "x.3", ".3", "{mark}", "{mark}.", "{mark}+x.3", "{mark}+-1.3", "{mark}+²", "{mark}+" + "9" * 5_000],
    )
    async def test_damaged(self, cursor):
        """A cursor that nobody gave is refused, and nothing is sent."""
        server = Server(range(START, START + 9))
        mark = (await server.connector().execute("lists", "cursor")).meta.cursor.partition(".")[0]

        with pytest.raises(InvalidParameterError, match="does not belong to this list"):
            await server.connector().execute("lists", "cursor", {"cursor": cursor.format(mark=mark)})

        assert 1 == len(server.requests)

    @pytest.mark.parametrize(("action", "params"), [("link", {}), ("cursor", {"only": "b"}), ("cursor", {})])
    async def test_of_another_list(self, action, params):
        """A cursor of another list, or of the same with other filters, is refused."""
        connector = Server(range(START, START + 9)).connector()
        cursor = (await connector.execute("lists", "cursor", {"only": "a"})).meta.cursor

        with pytest.raises(InvalidParameterError, match="does not belong"):
            await connector.execute("lists", action, {**params, "cursor": cursor})

    async def test_limit_may_change(self):
        """The limit is no part of what a cursor is bound to."""
        connector = Server(range(START, START + 9)).connector()
        cursor = (await connector.execute("lists", "cursor", {"limit": 2})).meta.cursor

        assert [2, 3, 4, 5, 6] == [item["id"] for item in await connector.lists.cursor(limit=5, cursor=cursor)]

    async def test_filters_travel_with_it(self):
        """The filters are sent with every page."""
        server = Server(range(START, START + 9))

        await server.connector().lists.cursor(only="a", limit=9)

        assert ["a", "a", "a"] == [request.url.params["only"] for request in server.requests]


class TestBrokenServer:
    """Answers that are no pages."""

    @staticmethod
    def _repeating(meta):
        return {"boxes": [{"id": 1}], "meta": {"has_more": True, **meta}}

    async def test_same_page_twice(self, world):
        """A service that gives the same page twice is found out, within an answer and between two."""
        cellar = world.cellar(self._repeating({"after_cursor": "x"}))

        with pytest.raises(ResponseIntegrityError, match="same page twice"):
            await cellar.boxes.list(limit=500)
        with pytest.raises(ResponseIntegrityError, match="same page twice"):
            [box async for box in cellar.boxes.list()]

    async def test_more_without_where(self, world):
        """An answer that says there is more and not where is an error."""
        with pytest.raises(ResponseIntegrityError, match="not where"):
            await world.cellar(self._repeating({})).boxes.list()

    async def test_empty_page_with_more(self, world):
        """An empty page is passed over: what says there is more brings something."""

        def answer(request):
            if "page[after]" in request.url.params:
                return {"boxes": [{"id": 1}], "meta": {"has_more": False}}
            return {"boxes": [], "meta": {"has_more": True, "after_cursor": "x"}}

        page = await world.cellar(answer).boxes.list()

        assert ([{"id": 1}], False) == (page.data, page.meta.has_more)

    async def test_sideloads_are_gathered(self, world):
        """What comes beside the records is gathered over the pages, each once."""

        def answer(request):
            last = "page[after]" in request.url.params
            users = [{"id": 7}, {"id": 8 if last else 9}]
            return {"boxes": [{"id": 1}], "users": users, "meta": {"has_more": not last, "after_cursor": "x"}}

        page = await world.cellar(answer).boxes.list(limit=2)

        assert {"users": [{"id": 7}, {"id": 9}, {"id": 8}]} == page.meta.included


@pytest.mark.parametrize("way", WAYS)
@given(few_a_second, st.integers(1, 8), st.lists(st.integers(0, 8), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_a_cursor_behind_records_that_somebody_else_read(way, stamps, limit, kept):
    """Who knows a cursor and the records behind it makes the cursor behind any of them, and nothing is lost or doubled."""
    server = Server(stamps)
    connector = server.connector()
    operation, filters = connector.find("lists", way), {}

    async def read():
        found, cursor, turn = [], None, 0
        while True:
            result = await connector.execute("lists", way, {**filters_of(way), "limit": limit, "cursor": cursor})
            count = kept[turn % len(kept)] if turn < 6 else limit
            shown, turn = result.data[:count], turn + 1
            found += [record["id"] for record in shown]
            if len(shown) == len(result.data) and not result.meta.has_more:
                return found
            if shown:
                cursor = cursor_behind(operation, filters, cursor, shown)

    filters.update(operation.arguments.bind(filters_of(way)))
    assert [item["id"] for item in server.items] == asyncio.run(read())


def test_a_time_export_that_changes_meanwhile_loses_nothing():
    """The cursor behind records of a time export names their second: a record that moves away moves no other."""
    server = Server([START + n for n in range(9)])
    connector = server.connector()
    operation = connector.find("lists", "time")
    filters = operation.arguments.bind({"start_time": START})
    first = asyncio.run(connector.execute("lists", "time", {"start_time": START, "limit": 3})).data
    cursor = cursor_behind(operation, filters, None, first[:2])
    moved = server.items.pop(0)
    server.items.append({**moved, "updated_at": dt.datetime.fromtimestamp(START + 60, dt.UTC).isoformat()})
    rest = asyncio.run(connector.execute("lists", "time", {"start_time": START, "limit": 20, "cursor": cursor})).data
    assert [2, 3, 4, 5, 6, 7, 8, 0] == [record["id"] for record in rest]
