"""Slips in a call put right, and calls that would be right shown.

A slip is mended only where its meaning is plain. Everything works on copies: what a
caller gave stays as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from plugbay.json_safe import is_list, is_object

__all__ = [
    "NOWHERE",
    "Placeholder",
    "at",
    "choices_of",
    "mended",
    "nearest",
    "parsed_json",
    "put",
    "replacement_of",
    "shown",
]

CLOSE = 0.75
"""How much alike two names must be, from 0 to 1, for one to be taken for the other; a wrong guess does harm."""

MAX_SHOWN = 60
"""Characters of a caller's own text that are shown back."""

_QUOTED = re.compile(r"'([^']*)'")
_MAX_LIST_SHOWN = 10


class Placeholder(str):
    """Stands for a value that only the caller can know."""

    __slots__ = ()


def nearest(name: str, known: Sequence[str] | Mapping[str, Any]) -> str | None:
    """The known name that `name` most likely stands for, if one is close."""
    import difflib  # noqa: PLC0415 - only a refusal needs it

    folded = {_folded(candidate): candidate for candidate in known}
    wanted = _folded(name)
    if wanted in folded:
        return folded[wanted]
    close = difflib.get_close_matches(wanted, list(folded), n=1, cutoff=CLOSE)
    return folded[close[0]] if close else None


def _folded(name: str) -> str:
    """A name without what writers vary: case, spaces, `_` and `-`; a leading `-`, which turns a sort round, stays."""
    text = name.strip().casefold()
    return ("-" if text.startswith("-") else "") + re.sub(r"[^a-z0-9]", "", text)


def parsed_json(value: Any) -> Any:
    """`value`, or what it says if it is the JSON text of an object or array."""
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def mended(given: dict[str, Any], error: ValidationError) -> dict[str, Any] | None:
    """A copy of `given` with the slips put right that `error` points at; None if there is none to put right."""
    attempt = given
    for item in error.errors(include_url=False):
        replacement = replacement_of(item)
        if replacement is not None:
            attempt = put(attempt, item["loc"], replacement[0])
    return None if attempt is given else attempt


def replacement_of(item: Any) -> tuple[Any] | None:
    """What to put where pydantic found fault, if the meaning of what is there is plain."""
    kind, value = item["type"], item["input"]
    if isinstance(value, str) and (choices := choices_of(item)):
        choice = {_folded(each): each for each in choices}.get(_folded(value))
        return None if choice is None else (choice,)
    if kind in {"dict_type", "list_type", "sequence_str"} and isinstance(value, str):
        parsed = parsed_json(value)
        if parsed is not value:
            return (parsed,)
    if kind == "sequence_str":
        parts = [part.strip() for part in value.split(",") if part.strip()]
        return (parts,) if parts else None
    if kind in {"list_type", "is_instance_of"} and isinstance(value, str | int | dict) and not isinstance(value, bool):
        return ([value],)
    return None


def choices_of(item: Any) -> list[str]:
    """The values an error says it would take, if there is a fixed number of them."""
    if item["type"] not in {"literal_error", "enum"}:
        return []
    expected = str(item["ctx"]["expected"])
    return _QUOTED.findall(expected) or re.split(r", | or ", expected)


NOWHERE = object()
"""Stands for a place that is not there."""


def at(tree: Any, path: Sequence[Any]) -> Any:
    """What is at `path`, or `NOWHERE`."""
    for part in path:
        is_index = isinstance(part, int)
        held = is_index and part < len(tree) if is_list(tree) else is_object(tree) and part in tree
        if not held:
            return NOWHERE
        tree = tree[part]
    return tree


def put(tree: Any, path: Sequence[str | int], value: Any, *, new: bool = False) -> Any:
    """A copy of `tree` with `value` at `path`; the caller's own objects stay as they are.

    Args:
        tree: The arguments.
        path: Where; nothing is put where nothing is, unless `new` says so.
        value: What.
        new: Whether the last name of the path may be new.
    """
    if not path:
        return value
    head, *rest = path
    if is_object(tree) and (head in tree or (new and not rest)):
        return {**tree, head: put(tree.get(head), rest, value, new=new)}
    if is_list(tree) and isinstance(head, int) and head < len(tree):
        return [*tree[:head], put(tree[head], rest, value, new=new), *tree[head + 1 :]]
    return tree


def shown(value: Any) -> Any:
    """A call to be copied from: whatever is long stays the caller's."""
    if isinstance(value, Placeholder):
        return value
    if is_object(value):
        return {name: shown(item) for name, item in value.items()}
    if is_list(value) and len(value) <= _MAX_LIST_SHOWN:
        return [shown(item) for item in value]
    return "<as given>" if is_list(value) or (isinstance(value, str) and len(value) > MAX_SHOWN) else value
