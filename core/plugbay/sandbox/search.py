"""Searching tickets, users, organizations and groups; the index is never behind the data."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable

from plugbay.sandbox import views
from plugbay.sandbox.account import Account, Record
from plugbay.sandbox.errors import invalid_attribute, json_api
from plugbay.sandbox.exchange import Call, Reply
from plugbay.sandbox.paging import MAX_PAGE, offset_page, page_size, page_url, refuse_cursor, whole_number
from plugbay.sandbox.search_match import Matcher, World
from plugbay.sandbox.search_query import TYPES, Query, Term, parse
from plugbay.sandbox.search_values import invalid, says
from plugbay.sandbox.tickets import PRIORITIES, STATUSES

MAX_RESULTS = 1000
_CURSOR_LIFETIME = 3600
_VIEWS: dict[str, Callable[[Account, Record], Record]] = {
    "ticket": views.ticket,
    "user": views.user,
    "organization": views.organization,
    "group": views.group,
}


def index(call: Call) -> Reply:
    """GET /search: at most 1,000 results can be reached, though `count` tells the whole number."""
    refuse_cursor(call)
    query = _query(call)
    size = min(whole_number(call, "per_page", MAX_PAGE), MAX_PAGE)
    if whole_number(call, "page", 1) * size > MAX_RESULTS:
        raise invalid("Requested response size was greater than Search Response Limits")
    ordered = _sorted(call, query, _found(call, query))
    page, envelope = offset_page(call, [_result(call, kind, record) for kind, record in ordered])
    return Reply(
        body={"results": page, "facets": None, **views.sideloads(call, page), **envelope},
        headers={"cache-control": "max-age=10, private"},
    )


def count(call: Call) -> Reply:
    """GET /search/count."""
    return Reply(body={"count": len(_found(call, _query(call)))})


def export(call: Call) -> Reply:
    """GET /search/export: one type, by `created_at`, without an upper limit; a cursor lives for an hour."""
    kind = call.param("filter[type]")
    if kind not in TYPES:
        raise invalid_attribute("filter[type]", f"must be one of {', '.join(TYPES)}", call.origin)
    query = _query(call)
    if query.types:
        raise invalid("the query must not contain type: when filter[type] is given")
    found = [record for _, record in _found(call, Query(query.terms, frozenset((kind,))))]
    found.sort(key=lambda record: (record["created_at"], record["id"]))
    start = _read_place(call)
    rest = [record for record in found if (record["created_at"], record["id"]) > start]
    size = page_size(call, MAX_RESULTS)
    page = rest[:size]
    after = _write_place(call, page[-1]) if page else None
    link = page_url(call, {"page[after]": after, "page[size]": size}) if after else None
    body = {
        "results": [_result(call, kind, record) for record in page],
        "facets": None,
        "meta": {"has_more": len(rest) > size, "after_cursor": after, "before_cursor": None},
        "links": {"prev": None, "next": link},
    }
    return Reply(body=body | views.sideloads(call, page))


def people(account: Account, users: Iterable[Record], text: str) -> list[Record]:
    """The users that a query finds; unlike in a search over everything, a bare word may be part of a longer one."""
    matcher = Matcher(parse(text), "user", World(account, None, partial=True))
    return [user for user in users if matcher.fits(user)]


def _query(call: Call) -> Query:
    text = call.param("query")
    if text is None:
        raise invalid_attribute("query", "must be present", call.origin)
    query = parse(text)
    if query.types - {*TYPES}:
        raise invalid(f"{', '.join(sorted(query.types - {*TYPES}))} is no type")
    return query


def _found(call: Call, query: Query) -> list[tuple[str, Record]]:
    account = call.account
    world = World(account, call.caller.user["id"] if call.caller.user else None)
    tables: dict[str, Iterable[Record]] = {
        "ticket": account.tickets.values(),
        "user": [user for user in account.users.values() if user["active"]],
        "organization": account.organizations.values(),
        "group": account.groups.values(),
    }
    matchers = {kind: Matcher(query, kind, world) for kind in TYPES}
    return [(kind, record) for kind in TYPES for record in tables[kind] if matchers[kind].fits(record)]


def _result(call: Call, kind: str, record: Record) -> Record:
    return _VIEWS[kind](call.account, record) | {"result_type": kind}


def _sorted(call: Call, query: Query, found: list[tuple[str, Record]]) -> list[tuple[str, Record]]:
    """Sorted as asked, else by relevance: hits in titles first, then what changed last."""
    by = query.order_by or call.param("sort_by") or "relevance"
    by = {"created": "created_at", "updated": "updated_at"}.get(by, by)
    descending = query.descending if query.descending is not None else call.param("sort_order") != "asc"
    words = [term for term in query.terms if term.field is None and not term.negated]
    keys: dict[str, Callable[[Record], object]] = {
        "created_at": lambda record: record["created_at"],
        "updated_at": lambda record: record["updated_at"],
        "priority": lambda record: _rank(record.get("priority"), PRIORITIES),
        "status": lambda record: _rank(record.get("status"), STATUSES),
        "ticket_type": lambda record: record.get("type") or "",
    }
    key = keys.get(by)
    if key is None:
        return sorted(
            found, key=lambda row: (_relevance(row[1], words), row[1]["updated_at"], row[1]["id"]), reverse=True
        )
    chosen = key
    return sorted(found, key=lambda row: (chosen(row[1]), row[1]["id"]), reverse=descending)


def _rank(value: str | None, ranks: tuple[str, ...]) -> int:
    return ranks.index(value) if value in ranks else -1


def _relevance(record: Record, words: list[Term]) -> int:
    title = record.get("subject") or record.get("name") or ""
    return sum(says(title, term.value) for term in words)


def _write_place(call: Call, record: Record) -> str:
    issued = int(call.account.clock.timestamp())
    return base64.b64encode(f"{issued}|{record['created_at']}|{record['id']}".encode()).decode()


def _read_place(call: Call) -> tuple[str, int]:
    cursor = call.param("page[after]")
    if not cursor:
        return "", 0
    try:
        issued, created, number = base64.b64decode(cursor, validate=True).decode().split("|")
        expires, place = int(issued) + _CURSOR_LIFETIME, (created, int(number))
    except (ValueError, binascii.Error):
        expires, place = 0, ("", 0)
    if expires <= call.account.clock.timestamp():
        raise json_api(400, "InvalidCursor", "The cursor is not valid or has expired")
    return place
