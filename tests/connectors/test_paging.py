"""Zendesk's ways of paging and their quirks: each record comes once, and the end is found."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugbay.connectors.zendesk.paging import OffsetPager
from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector, ZendeskTalkOauth20AuthConfig
from plugbay.errors import InvalidParameterError, ResponseIntegrityError

ROOT = "https://acme.zendesk.com"


def tickets(first, last):
    return [{"id": number, "subject": f"Ticket {number}"} for number in range(first, last + 1)]


def stamp(second):
    return dt.datetime.fromtimestamp(second, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class CursorList:
    """Pages by cursor as Zendesk does: on the last page with records the next link and cursor are still set."""

    def __init__(self, total, key="tickets"):
        self.total = total
        self.key = key

    def __call__(self, request):
        query = dict(request.url.params)
        start, size = int(query.get("page[after]", "0")), min(int(query["page[size]"]), 100)
        stop = min(start + size, self.total)
        after = str(stop) if stop > start else None
        return {
            self.key: tickets(start + 1, stop),
            "meta": {"has_more": stop < self.total, "after_cursor": after, "before_cursor": after and str(start)},
            "links": {"next": after and f"{ROOT}/api/v2/tickets?page[after]={after}", "prev": None},
        }


class OffsetList:
    """Pages by number, whatever is asked for."""

    def __init__(self, total, key="tickets", largest=100):
        self.total, self.key, self.largest = total, key, largest

    def __call__(self, request):
        query = dict(request.url.params)
        page, size = int(query.get("page", "1")), min(int(query.get("per_page", self.largest)), self.largest)
        start, stop = (page - 1) * size, min(page * size, self.total)
        link = f"{ROOT}{request.url.path}?" + urlencode({**query, "page": page + 1, "per_page": size})
        return {
            self.key: tickets(start + 1, stop),
            "count": self.total,
            "next_page": link if stop < self.total else None,
            "previous_page": None,
        }


class TimeList:
    """Talk's export: from a second on, in pages of 1,000, whose next_page is never null."""

    def __init__(self, seconds):
        self.calls = [{"id": number, "updated_at": stamp(second)} for number, second in enumerate(seconds, 1)]
        self.seconds = list(seconds)

    def __call__(self, request):
        start = int(request.url.params["start_time"])
        page = [call for call, second in zip(self.calls, self.seconds, strict=True) if second >= start][:1000]
        end = int(dt.datetime.fromisoformat(page[-1]["updated_at"]).timestamp()) if page else start
        link = f"{ROOT}/api/v2/channels/voice/stats/incremental/calls.json?start_time={end}"
        return {"calls": page, "count": len(page), "end_time": end, "next_page": link}


def ids(records):
    return [record["id"] for record in records]


async def walked(connector, entity, action, limit, **params):
    """The ids of a whole list, read with a limit and the cursor of each answer."""
    found, cursor, more = [], None, True
    while more:
        given = {**params, "limit": limit, **({"cursor": cursor} if cursor else {})}
        result = await connector.execute(entity, action, given)
        found += ids(result.data)
        cursor, more = result.meta.cursor, result.meta.has_more
    return found


@pytest.mark.parametrize("total", [0, 1, 99, 100, 101, 200, 250])
async def test_a_list_by_cursor_ends_on_has_more(support, total):
    """A list ends where `meta.has_more` is false, although the links and cursors of that page are still set."""
    connector, service = support(CursorList(total))
    assert list(range(1, total + 1)) == [ticket["id"] async for ticket in connector.tickets.list()]
    assert max(1, -(-total // 100)) == len(service.requests)


@pytest.mark.parametrize("limit", [1, 7, 100, 150, 1000])
async def test_cursors_of_answers_lead_through_a_list(support, limit):
    """With any limit, the cursors of the answers lead to each record once."""
    connector, _ = support(CursorList(230))
    assert list(range(1, 231)) == await walked(connector, "tickets", "list", limit)


async def test_a_page_is_asked_no_larger_than_wanted(support):
    """A limit below a page asks for that many records and sends one request."""
    connector, service = support(CursorList(500))
    page = await connector.tickets.list(limit=7)
    assert (7, True) == (len(page), page.meta.has_more)
    assert [{"page[size]": "7"}] == [query for _, _, query, _ in service.sent]


async def test_the_last_page_gives_no_cursor(support):
    """At the end there is nothing to go on with."""
    connector, _ = support(CursorList(3))
    page = await connector.tickets.list()
    assert (False, None, 3) == (page.meta.has_more, page.meta.cursor, page.meta.count)


async def test_more_without_a_cursor_is_an_error(support):
    """An answer that says there is more and not where is no silent end."""
    connector, _ = support({"tickets": tickets(1, 2), "meta": {"has_more": True, "after_cursor": None}})
    with pytest.raises(ResponseIntegrityError, match="not where"):
        await connector.tickets.list()


async def test_a_cursor_that_does_not_move_is_an_error(support):
    """A service that gives the same page for ever does not hold a caller for ever."""
    connector, service = support({"tickets": tickets(1, 2), "meta": {"has_more": True, "after_cursor": "same"}})
    with pytest.raises(ResponseIntegrityError, match="same page twice"):
        _ = [ticket async for ticket in connector.tickets.list(limit=1000)]
    assert 2 == len(service.requests)


@pytest.mark.parametrize("limit", [1, 40, 100, 101, 1000])
async def test_a_list_that_answers_in_the_older_form_is_read_on(support, limit):
    """A list asked by cursor that answers with `next_page` is followed by that link to its end."""
    connector, service = support(OffsetList(230))
    assert list(range(1, 231)) == await walked(connector, "tickets", "list", limit)
    assert {"acme.zendesk.com"} == {request.url.host for request in service.requests}


async def test_a_next_page_on_another_host_gets_no_credentials(support):
    """Of a `next_page` only the query is used, so that no answer can lead the credentials away."""
    link = "https://evil.example.com/collect?page=2"
    connector, service = support(
        {"tickets": tickets(1, 1), "next_page": link, "count": 2},
        {"tickets": tickets(2, 2), "next_page": None, "count": 2},
    )
    assert [1, 2] == [ticket["id"] async for ticket in connector.tickets.list()]
    assert ["acme.zendesk.com"] * 2 == [request.url.host for request in service.requests]
    assert {"page": "2"} == service.sent[1][2]


@pytest.mark.parametrize("limit", [1, 30, 100, 400])
async def test_a_search_is_paged_by_number(support, limit):
    """A search gives each record once with any limit, and says how many there are."""
    connector, _ = support(OffsetList(230, "results"))
    assert list(range(1, 231)) == await walked(connector, "tickets", "search", limit, query="x")
    assert 230 == (await connector.tickets.search("x", limit=limit)).meta.total


async def test_a_search_is_not_asked_beyond_its_ceiling(support):
    """Zendesk gives a thousand results; behind them there is more and no cursor, and a note says what to do."""
    connector, service = support(OffsetList(5_000, "results"))
    result = await connector.execute("tickets", "search", {"query": "x", "limit": 2_000})
    assert (1_000, True, None, 5_000) == (
        len(result.data),
        result.meta.has_more,
        result.meta.cursor,
        result.meta.total,
    )
    assert "incremental_export" in result.meta.note
    assert [str(page) for page in range(1, 11)] == [query["page"] for _, _, query, _ in service.sent]


async def test_reading_a_search_whole_fails_at_its_ceiling(support):
    """Iterating a search that is too long is an error at the ceiling, not a short list."""
    connector, _ = support(OffsetList(5_000, "results"))
    seen = []
    with pytest.raises(InvalidParameterError, match="1,000 records"):
        seen.extend([ticket["id"] async for ticket in connector.tickets.search("x")])


async def test_user_search_ends_at_ten_thousand(support):
    """The search for users stops where Zendesk's paging by number does."""
    connector, service = support(OffsetList(20_000, "users"))
    result = await connector.execute("users", "search", {"query": "x", "limit": 15_000})
    assert (10_000, True, 100) == (len(result.data), result.meta.has_more, len(service.requests))


async def test_an_export_goes_on_by_cursor_alone(support):
    """`start_time` begins an export; what follows sends the cursor and no start_time."""
    first = {"tickets": tickets(1, 2), "after_cursor": "c1", "end_of_stream": False}
    last = {"tickets": tickets(3, 3), "after_cursor": "c2", "end_of_stream": True}
    connector, service = support(first, last)
    result = await connector.execute("tickets", "incremental_export", {"start_time": 10, "limit": 500})
    assert ([1, 2, 3], False) == (ids(result.data), result.meta.has_more)
    assert [{"start_time": "10", "per_page": "500"}, {"per_page": "498", "cursor": "c1"}] == [
        query for _, _, query, _ in service.sent
    ]


async def test_an_export_is_polled_on_from_its_end(support):
    """At the end of an export there is a cursor, from which a later call gets what has changed since."""
    last = {"tickets": tickets(1, 1), "after_cursor": "c9", "end_of_stream": True}
    later = {"tickets": tickets(7, 7), "after_cursor": "c10", "end_of_stream": True}
    connector, service = support(last, later)
    result = await connector.execute("tickets", "incremental_export", {"start_time": 10})
    again = await connector.execute("tickets", "incremental_export", {"start_time": 10, "cursor": result.meta.cursor})
    assert (False, [7], False) == (result.meta.has_more, ids(again.data), again.meta.has_more)
    assert {"per_page": "100", "cursor": "c9"} == service.sent[1][2]


async def test_an_empty_export_can_be_polled_again(support):
    """An export in which nothing has changed keeps the cursor it was asked with."""
    end = {"tickets": [], "after_cursor": None, "end_of_stream": True}
    connector, service = support({"tickets": tickets(1, 1), "after_cursor": "c9", "end_of_stream": True}, end, end)
    cursor = (await connector.execute("tickets", "incremental_export", {"start_time": 1})).meta.cursor
    for _ in range(2):
        result = await connector.execute("tickets", "incremental_export", {"start_time": 1, "cursor": cursor})
        cursor = result.meta.cursor
    assert ["c9", "c9"] == [query["cursor"] for _, _, query, _ in service.sent[1:]]


@pytest.mark.parametrize("limit", [3, 500, 1000, 5000])
@pytest.mark.parametrize("total", [0, 1, 999, 1000, 1001, 2500])
async def test_calls_end_on_a_short_page(talk, total, limit):
    """An export of calls ends with a page of fewer than 1,000, although its `next_page` is never null."""
    connector, service = talk(TimeList(range(100, 100 + total)))
    if limit == 3:
        result = await connector.execute("calls", "list", {"start_time": 0, "limit": limit})
        assert list(range(1, min(total, 3) + 1)) == ids(result.data)
        return
    assert list(range(1, total + 1)) == await walked(connector, "calls", "list", limit, start_time=0)
    assert len(service.requests) <= total // min(limit, 1000) + 2


async def test_a_page_that_ends_within_a_second_loses_and_repeats_nothing(talk):
    """Where calls of one second are cut by a page's end, each of them comes once."""
    seconds = [100] * 995 + [101] * 10 + [102] * 995 + [103] * 7
    connector, _ = talk(TimeList(seconds))
    assert list(range(1, len(seconds) + 1)) == [call["id"] async for call in connector.calls.list(start_time=0)]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 6), max_size=40).map(sorted), st.integers(1, 12))
async def test_calls_of_the_same_seconds_come_once_with_any_limit(seconds, limit):
    """However calls fall on seconds and whatever the limit, the cursors lead to each call once."""
    config = ZendeskTalkOauth20AuthConfig(access_token="t")
    listing = TimeList([second + 100 for second in seconds])
    http = httpx.MockTransport(lambda request: httpx.Response(200, json=listing(request)))
    async with ZendeskTalkConnector(config, subdomain="acme", http=http) as connector:
        assert list(range(1, len(seconds) + 1)) == await walked(connector, "calls", "list", limit, start_time=0)


async def test_calls_are_polled_on_from_their_end(talk):
    """The cursor at the end of the calls brings later those that came since, and none twice."""
    listing = TimeList([100, 101, 101])
    connector, _ = talk(listing)
    first = await connector.execute("calls", "list", {"start_time": 0})
    listing.calls += [{"id": 4, "updated_at": stamp(101)}, {"id": 5, "updated_at": stamp(105)}]
    listing.seconds += [101, 105]
    second = await connector.execute("calls", "list", {"start_time": 0, "cursor": first.meta.cursor})
    third = await connector.execute("calls", "list", {"start_time": 0, "cursor": second.meta.cursor})
    assert ([1, 2, 3], [4, 5], []) == (ids(first.data), ids(second.data), ids(third.data))
    assert [False] * 3 == [result.meta.has_more for result in (first, second, third)]


async def test_a_call_that_changes_again_comes_again(talk):
    """A call given out already is given again once it has changed, as its later state is news."""
    listing = TimeList([100, 101])
    connector, _ = talk(listing)
    first = await connector.execute("calls", "list", {"start_time": 0})
    listing.calls[1] = {"id": 2, "updated_at": stamp(120)}
    listing.seconds[1] = 120
    second = await connector.execute("calls", "list", {"start_time": 0, "cursor": first.meta.cursor})
    assert [{"id": 2, "updated_at": stamp(120)}] == second.data


async def test_a_call_without_a_time_is_an_error(talk):
    """An export whose records do not say when they changed cannot be continued, and says so."""
    connector, _ = talk({"calls": [{"id": 1}], "count": 1, "next_page": "x"})
    with pytest.raises(ResponseIntegrityError, match="when it changed"):
        await connector.calls.list(start_time=0)


async def test_a_talk_list_follows_next_page(talk):
    """Page two of a Talk list is reached by its link, with the same filter."""
    connector, service = talk(OffsetList(250, "phone_numbers"))
    found = [number["id"] async for number in connector.phone_numbers.list(minimal_mode=True)]
    assert list(range(1, 251)) == found
    assert ["true"] * 3 == [query["minimal_mode"] for _, _, query, _ in service.sent]


@pytest.mark.parametrize(
    "cursor", ["x", "abc123.", "ffffff.2x100", "+1.", "ffffff+x.1", ".", "2", "../..", "ffffff.q~page=2"]
)
async def test_a_made_up_cursor_is_refused(support, cursor):
    """A cursor that is none of this list is refused before anything is sent."""
    connector, service = support(CursorList(5))
    with pytest.raises(InvalidParameterError, match="cursor"):
        await connector.execute("tickets", "list", {"cursor": cursor})
    assert [] == service.requests


async def test_a_cursor_of_another_list_or_filter_is_refused(support):
    """A cursor goes with its own list and its own filters only."""
    connector, service = support(CursorList(5))
    cursor = (await connector.execute("tickets", "list", {"limit": 1})).meta.cursor
    for entity, params in (("users", {}), ("tickets", {"sort": "id"}), ("organizations", {})):
        with pytest.raises(InvalidParameterError, match="does not belong to this list"):
            await connector.execute(entity, "list", {**params, "cursor": cursor})
    assert 1 == len(service.requests)


async def test_a_damaged_page_number_is_refused(support):
    """A search's cursor whose place was changed is refused, not sent."""
    connector, service = support(OffsetList(500, "results"))
    cursor = (await connector.execute("tickets", "search", {"query": "x"})).meta.cursor
    damaged = cursor.partition(".")[0] + ".twoxhundred"
    with pytest.raises(InvalidParameterError, match="cursor"):
        await connector.execute("tickets", "search", {"query": "x", "cursor": damaged})
    assert 1 == len(service.requests)


async def test_what_comes_along_on_every_page_is_gathered(support):
    """Users that come beside the records of several pages are all in `meta.included`, each once."""
    page = {"tickets": tickets(1, 1), "users": [{"id": 7}], "meta": {"has_more": True, "after_cursor": "a"}}
    last = {"tickets": tickets(2, 2), "users": [{"id": 7}, {"id": 8}], "meta": {"has_more": False}}
    connector, service = support(page, last)
    result = await connector.execute("tickets", "list", {"include": ["users"], "limit": 2})
    assert {"users": [{"id": 7}, {"id": 8}]} == result.meta.included
    assert "users" == service.sent[0][2]["include"]


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 260), st.integers(1, 260))
async def test_any_limit_leads_through_any_list(total, limit):
    """For every length of list and every limit each record comes once, in order."""
    config = ZendeskSupportOauth20AuthConfig(access_token="t")
    listing = CursorList(total)
    http = httpx.MockTransport(lambda request: httpx.Response(200, json=listing(request)))
    async with ZendeskSupportConnector(config, subdomain="acme", http=http) as connector:
        assert list(range(1, total + 1)) == await walked(connector, "tickets", "list", limit)


def test_offset_counts_pages_as_the_service_does():
    """A first page that is shorter than asked for does not shift the next: the link says the size."""
    link = "https://acme.zendesk.com/api/v2/search?page=2&per_page=100&query=x"
    payload = {"results": [], "next_page": link, "count": 180}
    slice_ = OffsetPager(ceiling=1_000, beyond="").read(payload, [{"id": 1}] * 60, None)
    assert "2x100" == slice_.next


def test_offset_refuses_a_damaged_cursor():
    """A state that is no place among the pages is refused, however long it is."""
    for state in ("0x10", "2x0", "2x", "x", "a", "9" * 5_000 + "x1", "٢x10"):
        with pytest.raises(InvalidParameterError):
            OffsetPager(ceiling=1_000, beyond="").query(state, 10)
