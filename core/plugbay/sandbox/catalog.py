"""Reading the account's settings: groups, brands, ticket fields, forms, statuses and ratings."""

from __future__ import annotations

from collections.abc import Callable

from plugbay.sandbox import bodies
from plugbay.sandbox.account import Account, Record
from plugbay.sandbox.errors import not_found
from plugbay.sandbox.exchange import Call, Handler, Reply
from plugbay.sandbox.paging import page_of

View = Callable[[Account, Record], Record]


def listing(name: str, view: View) -> Handler:
    """A handler for a list that both ways of paging work on; `name` is the account's table and the answer's key."""

    def index(call: Call) -> Reply:
        page, envelope = page_of(call, getattr(call.account, name).values())
        return Reply(body={name: [view(call.account, record) for record in page], **envelope})

    return index


def whole(name: str, view: View) -> Handler:
    """A handler for a list that is never paged."""

    def index(call: Call) -> Reply:
        rows = [view(call.account, record) for record in getattr(call.account, name).values()]
        return Reply(body={name: rows})

    return index


def single(name: str, root: str, view: View) -> Handler:
    """A handler for one record of a table."""

    def show(call: Call) -> Reply:
        record = getattr(call.account, name).get(bodies.path_id(call))
        if record is None:
            raise not_found()
        return Reply(body={root: view(call.account, record)})

    return show
