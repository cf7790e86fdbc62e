"""Reading tickets."""

from __future__ import annotations

from collections.abc import Iterable

from plugbay.sandbox import bodies, views
from plugbay.sandbox.account import Account, Record
from plugbay.sandbox.errors import not_found
from plugbay.sandbox.exchange import Call, Reply
from plugbay.sandbox.paging import BY_ID, Key, Orders, page_of, page_of_all

STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
PRIORITIES = ("low", "normal", "high", "urgent")


def _by(name: str) -> Key:
    return lambda ticket: ticket[name]


def orders(account: Account) -> Orders:
    """What ticket lists can be sorted by: three keys with cursors, more with pages."""

    def person(link: str) -> Key:
        return lambda ticket: account.users[ticket[link]]["name"].casefold() if ticket[link] else None

    def group(ticket: Record) -> str | None:
        return str(account.groups[ticket["group_id"]]["name"]) if ticket["group_id"] else None

    cursor: dict[str, Key] = {
        "id": _by("id"),
        "updated_at": _by("updated_at"),
        "status": lambda ticket: STATUSES.index(ticket["status"]),
    }
    offset: dict[str, Key] = {
        **cursor,
        "created_at": _by("created_at"),
        "subject": lambda ticket: (ticket["subject"] or "").casefold(),
        "assignee": _by("assignee_id"),
        "assignee.name": person("assignee_id"),
        "requester": _by("requester_id"),
        "requester.name": person("requester_id"),
        "group": group,
        "locale": lambda ticket: account.users[ticket["requester_id"]]["locale"],
    }
    return Orders(BY_ID, cursor, offset)


def index(call: Call) -> Reply:
    """GET /tickets."""
    wanted, every = call.param("external_id"), call.account.tickets
    if wanted is not None:
        return _listing(call, [ticket for ticket in every.values() if ticket["external_id"] == wanted])
    return _answer(call, *page_of_all(call, every, orders(call.account)))


def requested(call: Call) -> Reply:
    """GET /users/{id}/tickets/requested."""
    user_id = bodies.path_id(call)
    if user_id not in call.account.users:
        raise not_found()
    return _listing(call, [t for t in call.account.tickets.values() if t["requester_id"] == user_id])


def of_organization(call: Call) -> Reply:
    """GET /organizations/{id}/tickets."""
    organization_id = bodies.path_id(call)
    if organization_id not in call.account.organizations:
        raise not_found()
    return _listing(call, [t for t in call.account.tickets.values() if t["organization_id"] == organization_id])


def show(call: Call) -> Reply:
    """GET /tickets/{id}."""
    ticket = find(call)
    return Reply(body={"ticket": shown(call, [ticket])[0], **views.sideloads(call, [ticket])})


def show_many(call: Call) -> Reply:
    """GET /tickets/show_many."""
    wanted = bodies.id_list(call)
    found = [call.account.tickets[number] for number in dict.fromkeys(wanted) if number in call.account.tickets]
    body = {"tickets": shown(call, found), "next_page": None, "previous_page": None, "count": len(found)}
    return Reply(body=body | views.sideloads(call, found))


def count(call: Call) -> Reply:
    """GET /tickets/count."""
    return Reply(body=counted(call, len(call.account.tickets)))


def counted(call: Call, value: int) -> Record:
    """The envelope of a count."""
    refreshed = call.account.clock.now().strftime("%Y-%m-%dT%H:%M:%S+00:00")
    return {"count": {"value": value, "refreshed_at": refreshed}}


def find(call: Call, name: str = "id") -> Record:
    """The ticket of the path; 404 when there is none."""
    ticket = call.account.tickets.get(bodies.path_id(call, name))
    if ticket is None:
        raise not_found()
    return ticket


def shown(call: Call, tickets: Iterable[Record]) -> list[Record]:
    """Tickets as answered, each with its `comment_count` when that is asked for."""
    with_count = "comment_count" in call.listed("include")
    rows = [views.ticket(call.account, ticket) for ticket in tickets]
    for row in rows if with_count else ():
        row["comment_count"] = len(call.account.comments[row["id"]])
    return rows


def _listing(call: Call, found: Iterable[Record]) -> Reply:
    return _answer(call, *page_of(call, found, orders(call.account)))


def _answer(call: Call, page: list[Record], envelope: Record) -> Reply:
    return Reply(body={"tickets": shown(call, page), **views.sideloads(call, page), **envelope})
