"""Reading the comments of a ticket."""

from __future__ import annotations

from plugbay.sandbox import tickets, views
from plugbay.sandbox.exchange import Call, Reply
from plugbay.sandbox.paging import Order, Orders, page_of

_BY_TIME = Order("created_at", lambda comment: comment["created_at"])
_ORDERS = Orders(_BY_TIME, cursor={"created_at": _BY_TIME.key}, offset={"created_at": _BY_TIME.key})


def index(call: Call) -> Reply:
    """GET /tickets/{id}/comments, oldest first unless `sort_order` (pages) or `sort` (cursors) says otherwise."""
    ticket = tickets.find(call)
    page, envelope = page_of(call, call.account.comments[ticket["id"]], _ORDERS)
    rows = [views.comment(call.account, comment) for comment in page]
    if call.param("include_inline_images") != "true":
        for row in rows:
            row["attachments"] = [file for file in row["attachments"] if not file["inline"]]
    return Reply(body={"comments": rows, **views.sideloads(call, page), **envelope})


def count(call: Call) -> Reply:
    """GET /tickets/{id}/comments/count."""
    ticket = tickets.find(call)
    return Reply(body=tickets.counted(call, len(call.account.comments[ticket["id"]])))
