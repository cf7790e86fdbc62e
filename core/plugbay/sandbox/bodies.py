"""Reading the JSON bodies of writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

from plugbay.sandbox.account import Account, Record
from plugbay.sandbox.errors import Refused, invalid_attribute, simple
from plugbay.sandbox.exchange import Call, is_number


def read(call: Call, root: str, known: frozenset[str]) -> Record:
    """The object under a body's root key; keys that are not known are dropped and noted for a warning header.

    Args:
        call: The request.
        root: The root key, such as "ticket".
        known: The keys that the object may have.
    """
    body = parse(call)
    given = as_object(body.get(root))
    if given is None:
        raise invalid_attribute(root, "must be an object", call.origin)
    call.unknown_keys += [key for key in body if key != root]
    call.unknown_keys += [f"{root}.{key}" for key in given if key not in known]
    return {key: value for key, value in given.items() if key in known}


def as_object(value: Any) -> Record | None:
    """A JSON value if it is an object, else None."""
    return cast("Record", value) if isinstance(value, dict) else None


def check(call: Call, given: Record, kinds: dict[str, str]) -> None:
    """Refuse values of the wrong kind; null is of every kind.

    Args:
        call: The request.
        given: What was sent.
        kinds: What a key must be, as named in `_KINDS`.
    """
    for name, kind in kinds.items():
        value = given.get(name)
        if value is not None and not _KINDS[kind](value):
            raise invalid_attribute(name, f"must be {kind}", call.origin)


def _is_text(value: Any) -> bool:
    """Whether a value may stand for a text; numbers may, as on the real service."""
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    if isinstance(value, str):
        return is_number(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _all(value: Any, test: Callable[[Any], bool]) -> bool:
    items: list[Any] = [*value] if isinstance(value, list) else [None]
    return all(map(test, items))


_KINDS: dict[str, Callable[[Any], bool]] = {
    "a string": _is_text,
    "an integer": lambda value: value == "" or _is_integer(value),
    "a boolean": lambda value: value in (True, False, 0, 1, "true", "false"),
    "an object": lambda value: isinstance(value, dict),
    "an array of integers": lambda value: _all(value, _is_integer),
    "an array of objects": lambda value: _all(value, lambda item: isinstance(item, dict)),
    "an array of strings": lambda value: isinstance(value, str) or _all(value, lambda item: isinstance(item, str)),
    "an array of people": lambda value: _all(
        value, lambda item: isinstance(item, dict) or (_is_text(item) and item != "")
    ),
    "an array of fields": lambda value: isinstance(value, dict) or _all(value, lambda item: isinstance(item, dict)),
}


_MOST_IDS = 100


def parse(call: Call) -> Record:
    """The body as a JSON object; 415 for another content type, 400 for what is no JSON object."""
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        text = f"Content-Type {kind or '(none)'} is not supported; use application/json"
        raise simple(415, "UnsupportedMediaType", text)
    try:
        body = as_object(json.loads(call.body or b"null"))
    except ValueError as error:
        raise simple(400, "Bad request") from error
    if body is None:
        raise simple(400, "Bad request")
    return body


def number(value: Any, name: str, call: Call) -> int:
    """A value that must be a whole number; digits in a string will do."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and is_number(value):
        return int(value)
    raise invalid_attribute(name, "must be an integer", call.origin)


def truth(value: Any) -> bool:
    """A boolean, or the text of one."""
    return value in (True, "true", "1", 1)


def path_id(call: Call, name: str = "id") -> int:
    """A record id out of the path."""
    return number(call.ids[name], name, call)


def id_list(call: Call, parameter: str = "ids") -> list[int]:
    """A comma-separated list of at most 100 ids out of the query."""
    values = call.listed(parameter)
    if len(values) > _MOST_IDS:
        body = {
            "error": "TooManyValues",
            "description": "Parameter  cannot specify more than 100 values",
            "max_count": 100,
        }
        raise Refused(400, body)
    return [number(value, parameter, call) for value in values]


def tags(value: Any, call: Call) -> list[str]:
    """Tags as Zendesk keeps them: lower case, without duplicates, sorted; a text is split at spaces and commas."""
    parts = cast("list[Any]", value.replace(",", " ").split() if isinstance(value, str) else value)
    if not isinstance(value, str | list):
        raise invalid_attribute("tags", "must be an array", call.origin)
    return sorted({str(part).lower().replace(" ", "_") for part in parts if str(part).strip()})


def known_user(account: Account, user_id: int) -> Record | None:
    """The active user with this id."""
    user = account.users.get(user_id)
    return user if user and user["active"] else None
