"""Reading organizations."""

from __future__ import annotations

from plugbay.sandbox import bodies, views
from plugbay.sandbox.account import Record
from plugbay.sandbox.errors import invalid_attribute, not_found
from plugbay.sandbox.exchange import Call, Reply
from plugbay.sandbox.paging import MIN_LETTERS, Orders, offset_page, page_of, refuse_cursor
from plugbay.sandbox.tickets import counted

_ORDERS = Orders(cursor={"id": lambda entry: entry["id"], "name": lambda entry: entry["name"].casefold()})


def index(call: Call) -> Reply:
    """GET /organizations."""
    page, envelope = page_of(call, call.account.organizations.values(), _ORDERS)
    return Reply(body={"organizations": _shown(call, page), **envelope})


def show(call: Call) -> Reply:
    """GET /organizations/{id}."""
    organization = call.account.organizations.get(bodies.path_id(call))
    if organization is None:
        raise not_found()
    return Reply(body={"organization": views.organization(call.account, organization)})


def show_many(call: Call) -> Reply:
    """GET /organizations/show_many, by `ids` or `external_ids`."""
    external, wanted = set(call.listed("external_ids")), set(bodies.id_list(call))
    found = [o for o in _all(call) if o["id"] in wanted or o["external_id"] in external]
    body = {"organizations": _shown(call, found), "next_page": None, "previous_page": None, "count": len(found)}
    return Reply(body=body)


def search(call: Call) -> Reply:
    """GET /organizations/search, by `external_id` or the whole `name`."""
    external, name = call.param("external_id"), call.param("name")
    if external is None and name is None:
        raise invalid_attribute("external_id", "or name must be given", call.origin)
    found = [o for o in _all(call) if external in (None, o["external_id"])]
    return _classic(call, [o for o in found if name is None or o["name"].casefold() == name.casefold()])


def autocomplete(call: Call) -> Reply:
    """GET /organizations/autocomplete: names that begin with two letters or more."""
    start = (call.param("name") or "").casefold()
    if len(start) < MIN_LETTERS:
        raise invalid_attribute("name", "must be at least 2 characters", call.origin)
    return _classic(call, [o for o in _all(call) if o["name"].casefold().startswith(start)])


def count(call: Call) -> Reply:
    """GET /organizations/count."""
    return Reply(body=counted(call, len(call.account.organizations)))


def _all(call: Call) -> list[Record]:
    return list(call.account.organizations.values())


def _shown(call: Call, found: list[Record]) -> list[Record]:
    return [views.organization(call.account, organization) for organization in found]


def _classic(call: Call, found: list[Record]) -> Reply:
    refuse_cursor(call)
    page, envelope = offset_page(call, found)
    return Reply(body={"organizations": _shown(call, page), **envelope})
