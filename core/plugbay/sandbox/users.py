"""Reading users."""

from __future__ import annotations

from collections.abc import Iterable

from plugbay.sandbox import bodies, views
from plugbay.sandbox.account import Account, Record
from plugbay.sandbox.auth import AGENT
from plugbay.sandbox.errors import forbidden, invalid_attribute, not_found
from plugbay.sandbox.exchange import Call, Reply
from plugbay.sandbox.paging import MIN_LETTERS, Key, Orders, offset_page, page_of, refuse_cursor
from plugbay.sandbox.search import people
from plugbay.sandbox.tickets import counted

_KEYS: dict[str, Key] = {
    "id": lambda user: user["id"],
    "name": lambda user: user["name"].casefold(),
    "created_at": lambda user: user["created_at"],
    "updated_at": lambda user: user["updated_at"],
}
_ORDERS = Orders(cursor=_KEYS)
_ROLES = ("end-user", "agent", "admin")


def index(call: Call) -> Reply:
    """GET /users."""
    page, envelope = page_of(call, _filtered(call), _ORDERS)
    return Reply(body={"users": _shown(call, page), **views.sideloads(call, page), **envelope})


def _filtered(call: Call) -> list[Record]:
    roles = call.params("role", "role[]")
    if any(role not in _ROLES for role in roles):
        raise invalid_attribute("role", f"must be one of {', '.join(_ROLES)}", call.origin)
    found = [user for user in active(call.account) if not roles or user["role"] in roles]
    external, permission_set = call.param("external_id"), call.param("permission_set")
    if external is not None:
        found = [user for user in found if user["external_id"] == external]
    if permission_set is not None:
        found = [user for user in found if str(user["custom_role_id"]) == permission_set]
    return found


def active(account: Account) -> list[Record]:
    """The users that have not been deleted."""
    return [user for user in account.users.values() if user["active"]]


def _shown(call: Call, users: Iterable[Record]) -> list[Record]:
    return [views.user(call.account, user) for user in users]


def show(call: Call) -> Reply:
    """GET /users/{id}; an end user sees only themselves."""
    user = find(call)
    if call.caller.rank < AGENT and call.caller.user is not user:
        raise forbidden()
    return Reply(body={"user": views.user(call.account, user), **views.sideloads(call, [user])})


def find(call: Call) -> Record:
    """The user of the path; 404 when there is none."""
    user = call.account.users.get(bodies.path_id(call))
    if user is None:
        raise not_found()
    return user


def show_many(call: Call) -> Reply:
    """GET /users/show_many, by `ids` or `external_ids`."""
    external = set(call.listed("external_ids"))
    wanted = set(bodies.id_list(call))
    found = [user for user in active(call.account) if user["id"] in wanted or user["external_id"] in external]
    body = {"users": _shown(call, found), **views.sideloads(call, found)}
    return Reply(body=body | {"next_page": None, "previous_page": None, "count": len(found)})


def me(call: Call) -> Reply:
    """GET /users/me; nobody in particular is "Anonymous user", with status 200."""
    user = call.caller.user
    if user is None:
        return Reply(body={"user": _anonymous(call.account)})
    shown = views.user(call.account, user) | {"authenticity_token": call.account.secret(43)}
    return Reply(body={"user": shown, **views.sideloads(call, [user])})


def _anonymous(account: Account) -> Record:
    blank = dict.fromkeys(next(iter(account.users.values())))
    return blank | {
        "id": None,
        "url": views.url(account, "users", ""),
        "name": "Anonymous user",
        "email": "invalid@example.com",
        "role": "end-user",
        "locale_id": 1,
        "locale": "en-US",
        "tags": [],
        "user_fields": {},
        "active": True,
        "verified": False,
        "restricted_agent": True,
        "ticket_restriction": "requested",
        "authenticity_token": account.secret(43),
    }


def search(call: Call) -> Reply:
    """GET /users/search, by `query` or `external_id`."""
    found = active(call.account)
    external, query = call.param("external_id"), call.param("query")
    if external is not None:
        found = [user for user in found if user["external_id"] == external]
    elif query:
        found = people(call.account, found, query)
    return _classic(call, found)


def autocomplete(call: Call) -> Reply:
    """GET /users/autocomplete: names that begin with two letters or more."""
    name = (call.param("name") or "").casefold()
    if len(name) < MIN_LETTERS:
        raise invalid_attribute("name", "must be at least 2 characters", call.origin)
    found = [user for user in active(call.account) if _begins(user["name"], name)]
    return _classic(call, found)


def _begins(name: str, start: str) -> bool:
    whole = name.casefold()
    return whole.startswith(start) or any(part.startswith(start) for part in whole.split())


def _classic(call: Call, found: list[Record]) -> Reply:
    refuse_cursor(call)
    page, envelope = offset_page(call, found)
    return Reply(body={"users": _shown(call, page), **views.sideloads(call, page), **envelope})


def count(call: Call) -> Reply:
    """GET /users/count."""
    return Reply(body=counted(call, len(_filtered(call))))
