"""Reading the comments of a ticket."""

from __future__ import annotations

from plugbay.sandbox import tickets, views
from plugbay.sandbox.exchange import Call, Reply
from plugbay.sandbox.paging import Order, Orders, page_of

_BY_TIME = Order("created_at", lambda comment: comment["created_at"])
_ORDERS = Orders(_BY_TIME, cursor={"created_at": _BY_TIME.key})


def index(call: Call) -> Reply:
    """GET /tickets/{id}/comments."""
    ticket = tickets.find(call)
    page, envelope = page_of(call, call.account.comments[ticket["id"]], _orders(call))
    rows = [views.comment(call.account, comment) for comment in page]
    if call.param("include_inline_images") != "true":
        for row in rows:
            row["attachments"] = [file for file in row["attachments"] if not file["inline"]]
    return Reply(body={"comments": rows, **views.sideloads(call, page), **envelope})


def _orders(call: Call) -> Orders:
    """Oldest first; `sort_order` turns a list of pages around, `sort` one of cursors."""
    if call.param("sort_order") == "desc":
        newest = Order(_BY_TIME.name, _BY_TIME.key, descending=True)
        return _Turned(newest)
    return _ORDERS


class _Turned(Orders):
    """Newest first for pages only: beside a cursor `sort_order` has no effect."""

    def __init__(self, newest: Order) -> None:
        super().__init__(newest)

    def for_cursor(self, call: Call) -> Order:
        return _ORDERS.for_cursor(call)


def count(call: Call) -> Reply:
    """GET /tickets/{id}/comments/count."""
    ticket = tickets.find(call)
    return Reply(body=tickets.counted(call, len(call.account.comments[ticket["id"]])))
