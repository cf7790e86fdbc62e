from __future__ import annotations

import base64
import json

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugbay.sandbox import Sandbox

COMMON = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LISTS = {
    "tickets": "tickets",
    "users": "users",
    "organizations": "organizations",
    "tickets/1/comments": "comments",
    "groups": "groups",
    "ticket_fields": "ticket_fields",
    "satisfaction_ratings": "satisfaction_ratings",
}


def count_of(sandbox, path, key):
    return len(sandbox.account.comments[1]) if key == "comments" else len(getattr(sandbox.account, key))


def walk(api, path, key, size, **params):
    """All ids of a list by cursors, page by page, and the last answer."""
    ids, answer = [], api.json(f"/api/v2/{path}", **{"page[size]": size, **params})
    while True:
        ids += [row["id"] for row in answer[key]]
        assert len(answer[key]) <= size
        if not answer["meta"]["has_more"]:
            return ids, answer
        answer = api.json(
            f"/api/v2/{path}", **{"page[size]": size, "page[after]": answer["meta"]["after_cursor"], **params}
        )


@pytest.mark.parametrize(("path", "key"), LISTS.items())
@COMMON
@given(size=st.integers(5, 100))
def test_cursors_give_each_record_once(api, sandbox, path, key, size):
    """Walking any list by cursors of any size gives each record exactly once."""
    ids, _ = walk(api, path, key, size)

    assert len(ids) == len(set(ids)) == count_of(sandbox, path, key)


@pytest.mark.parametrize(("path", "key"), LISTS.items())
@COMMON
@given(size=st.integers(5, 130))
def test_pages_give_each_record_once(api, sandbox, path, key, size):
    """Walking any list by pages of any size, along next_page, gives each record exactly once, and `count` is right."""
    ids, url = [], f"/api/v2/{path}?per_page={size}"
    while url:
        answer = api.json(url)
        ids += [row["id"] for row in answer[key]]
        assert answer["count"] == count_of(sandbox, path, key)
        url = answer["next_page"]

    assert len(ids) == len(set(ids)) == count_of(sandbox, path, key)


@COMMON
@given(size=st.integers(1, 40), sort=st.sampled_from(["id", "-id", "updated_at", "-updated_at", "status", "-status"]))
def test_sorted_cursors(api, sandbox, size, sort):
    """Every sort of the ticket list gives each ticket once, in order."""
    ids, _ = (
        walk(api, "tickets", "tickets", size, sort=sort)
        if size > 10
        else walk(api, "tickets", "tickets", 50, sort=sort)
    )
    rank = ("new", "open", "pending", "hold", "solved", "closed").index
    key = sort.lstrip("-")
    values = [sandbox.account.tickets[number][key] for number in ids]
    values = [rank(value) for value in values] if key == "status" else values

    assert values == sorted(values, reverse=sort.startswith("-"))
    assert len(set(ids)) == len(sandbox.account.tickets)


@COMMON
@given(size=st.integers(1, 50), start=st.integers(0, 100))
def test_before_is_the_way_back(api, size, start):
    """A page and the page before the one after it hold the same records."""
    first = api.json("/api/v2/tickets", **{"page[size]": size})
    second = api.json("/api/v2/tickets", **{"page[size]": size, "page[after]": first["meta"]["after_cursor"]})
    if second["tickets"]:
        back = api.json("/api/v2/tickets", **{"page[size]": size, "page[before]": second["meta"]["before_cursor"]})
        assert [t["id"] for t in back["tickets"]] == [t["id"] for t in first["tickets"]]


def test_last_page_still_has_a_next_link(api):
    """On the last page with records next and after_cursor are set; only the empty page behind it has neither."""
    last = api.json("/api/v2/organizations.json", **{"page[size]": 100})
    assert last["meta"]["has_more"] is False
    assert last["meta"]["after_cursor"] is not None
    assert last["links"]["next"].startswith(api.sandbox.base_url + "/api/v2/organizations.json?")

    empty = api.json(last["links"]["next"])
    assert empty == {
        "organizations": [],
        "meta": {"has_more": False, "after_cursor": None, "before_cursor": None},
        "links": {"prev": None, "next": None},
    }


def test_cursor_is_base64_of_json(api):
    """A cursor looks like Zendesk's: base64 of an object with `o` and `v`."""
    cursor = api.json("/api/v2/tickets", **{"page[size]": 1, "sort": "-updated_at"})["meta"]["after_cursor"]
    outer = json.loads(base64.b64decode(cursor))

    assert outer["o"] == "-updated_at"
    assert set(outer) == {"o", "v"}


@pytest.mark.parametrize(
    "cursor", ["x", "====", "bm90IGpzb24=", base64.b64encode(b'{"o":"id","v":"eA=="}').decode(), "é"]
)
def test_bad_cursor(api, cursor):
    """A text that is no cursor is 400."""
    answer = api.get("/api/v2/tickets", **{"page[after]": cursor})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "InvalidCursor"


@pytest.mark.parametrize("place", [[True, "x", 1], [True, 1, []], [True, None, 1], [True, 1], 5, None])
def test_forged_cursor(api, place):
    """A well-formed cursor with an impossible place is 400 as well."""
    value = base64.b64encode(json.dumps(place).encode()).decode()
    cursor = base64.b64encode(json.dumps({"o": "id", "v": value}).encode()).decode()

    assert api.get("/api/v2/tickets", **{"page[after]": cursor}).json()["errors"][0]["code"] == "InvalidCursor"


def test_cursor_of_another_order(api):
    """A cursor does not fit a list sorted differently."""
    cursor = api.json("/api/v2/tickets", **{"page[size]": 1})["meta"]["after_cursor"]

    assert api.get("/api/v2/tickets", **{"page[after]": cursor, "sort": "status"}).status_code == 400


@pytest.mark.parametrize("size", ["0", "101", "-1", "ten", "", "1.5"])
def test_bad_page_size(api, size):
    """A page size outside 1 to 100 is 400."""
    assert api.get("/api/v2/tickets", **{"page[size]": size}).status_code == 400


def test_page_beyond_the_depth(api):
    """Offset paging ends at record 10,000 with InvalidPaginationDepth."""
    assert api.get("/api/v2/tickets", page=100, per_page=100).json()["tickets"] == []
    answer = api.get("/api/v2/tickets", page=101, per_page=100)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "InvalidPaginationDepth"


@pytest.mark.parametrize("page", ["0", "-1", "x", "1.5", "²", "9" * 5000])
def test_page_must_be_a_number(api, page):
    """A page that is no positive number is 400 in the "Invalid attribute" shape."""
    answer = api.get("/api/v2/tickets", page=page)

    assert answer.status_code == 400
    assert answer.json()["error"]["title"] == "Invalid attribute"


def test_per_page_is_capped(api):
    """More than 100 records a page is answered with 100."""
    assert len(api.json("/api/v2/tickets", per_page=500)["tickets"]) == 100


def test_sort_of_an_unknown_key(api):
    """An unknown sort key is 400 under either paging."""
    for params in ({"sort": "subject", "page[size]": 2}, {"sort_by": "colour"}):
        answer = api.get("/api/v2/tickets", **params)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "InvalidPaginationParameter")


def test_sort_by_beside_a_cursor_is_ignored(api):
    """`sort_by` and `sort_order` have no effect, and raise no error, beside `page[size]`."""
    plain = api.json("/api/v2/tickets", **{"page[size]": 20})
    sorted_ = api.json("/api/v2/tickets", **{"page[size]": 20, "sort_by": "subject", "sort_order": "desc"})

    assert [t["id"] for t in plain["tickets"]] == [t["id"] for t in sorted_["tickets"]]


@pytest.mark.parametrize(
    "key", ["updated_at", "subject", "assignee.name", "requester.name", "group", "locale", "status"]
)
def test_sort_by(api, key):
    """Every documented key sorts pages, either way round without losing a ticket."""
    up = api.json("/api/v2/tickets", sort_by=key, sort_order="asc", per_page=100)["tickets"]
    down = api.json("/api/v2/tickets?page=2", sort_by=key, sort_order="desc", per_page=100, page=2)["tickets"]

    assert [t["id"] for t in up][:20] == [t["id"] for t in down][::-1][:20]


def test_links_keep_the_query(api):
    """Paging links carry the other parameters of the request."""
    answer = api.json("/api/v2/users.json", role="end-user", **{"page[size]": 3, "include": "organizations"})

    assert "role=end-user" in answer["links"]["next"]
    assert "include=organizations" in answer["links"]["next"]
    assert all(u["role"] == "end-user" for u in api.json(answer["links"]["next"])["users"])


@COMMON
@given(size=st.integers(1, 60), sort=st.sampled_from([None, "id", "-id"]))
def test_cursor_of_a_record_that_is_gone(api, sandbox, size, sort):
    """A walk by id goes on behind its cursor, both ways, though the record it names has been deleted meanwhile."""
    order = {"sort": sort} if sort else {}
    first = api.json("/api/v2/tickets", **{"page[size]": size}, **order)
    edge, gone = first["tickets"][-1]["id"], sandbox.account.tickets
    taken = gone.pop(edge)
    try:
        after = api.json(
            "/api/v2/tickets", **{"page[size]": 100, "page[after]": first["meta"]["after_cursor"]}, **order
        )
        before = api.json(
            "/api/v2/tickets", **{"page[size]": 100, "page[before]": first["meta"]["after_cursor"]}, **order
        )
    finally:
        gone[edge] = taken  # it is last in the table now, and yet in its place in the list

    ids = sorted(gone, reverse=sort == "-id")
    assert ids[size:][:100] == [ticket["id"] for ticket in after["tickets"]]
    assert ids[: size - 1][-100:] == [ticket["id"] for ticket in before["tickets"]]


def test_a_page_by_id_looks_at_no_other_records():
    """What a page of the ticket list costs does not grow with the table: no record but the page's own is looked at."""

    class Watched(dict):
        def values(self):
            raise AssertionError("every record was looked at")

    with Sandbox(tickets=40, calls=0, plan=None) as sandbox:
        tickets = sandbox.account.tickets = Watched(sandbox.account.tickets)
        headers = {"authorization": f"Bearer {sandbox.access_token}"}
        url = f"{sandbox.base_url}/api/v2/tickets?page[size]=15"
        ids = []
        while url:
            page = httpx.get(url, headers=headers).json()
            ids += [ticket["id"] for ticket in page["tickets"]]
            url = page["links"]["next"]

    assert list(tickets) == ids
