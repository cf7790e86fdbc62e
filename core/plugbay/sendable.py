"""What a call may hold so that every service on its way takes it, a hosted one with its database too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from plugbay.json_safe import is_list, is_object

__all__ = ["MAX_INTEGER", "MIN_INTEGER", "Unsendable", "holds_at_most", "unsendable"]

MIN_INTEGER, MAX_INTEGER = -(2**63), 2**63 - 1

_Path = tuple["_Path", Any] | None
"""The names that lead to a part, the last of them first: only the path of a fault is ever written out."""

_Rule = Literal["half_character", "nul_character", "int_64"]


class Unsendable(NamedTuple):
    """A part that some service does not take.

    Attributes:
        path: The names that lead to it.
        rule: `"half_character"`, half of a surrogate pair, which has no form in UTF-8; `"nul_character"`, which
            databases cannot keep; or `"int_64"`, a number beyond 64 bits or none at all.
    """

    path: list[Any]
    rule: _Rule


def holds_at_most(value: Any, most: int) -> bool:
    """Whether `value` and all that it holds are no more than `most`."""
    waiting = [value]
    for seen in range(most + 1):
        if not waiting:
            return True
        part = waiting.pop()
        held = part.values() if is_object(part) else part if is_list(part) else ()
        if seen + len(waiting) + len(held) >= most:
            return False
        waiting.extend(held)
    return False


def unsendable(whole: Any) -> Iterator[Unsendable]:
    """Each part that some service does not take, in its order; a name's fault is that of what has the name."""
    waiting: list[tuple[_Path, Any]] = [(None, whole)]
    while waiting:
        path, value = waiting.pop()
        if (rule := _broken(value)) is not None:
            yield Unsendable(_written(path), rule)
        # The last that is put there is looked at first.
        if is_object(value):
            waiting += [((path, name), part) for name, part in [*value.items()][::-1]]
        elif is_list(value):
            waiting += [((path, index), value[index]) for index in range(len(value) - 1, -1, -1)]


def _broken(value: Any) -> _Rule | None:
    if isinstance(value, str):
        return _broken_by_text(value)
    if isinstance(value, int | float):
        # What is no number at all is not within either.
        return None if MIN_INTEGER <= value <= MAX_INTEGER else "int_64"
    names = value if is_object(value) else ()
    return next((rule for name in names if isinstance(name, str) and (rule := _broken_by_text(name))), None)


def _broken_by_text(text: str) -> _Rule | None:
    if "\0" in text:
        return "nul_character"
    return None if text.isascii() or text.encode(errors="ignore").decode() == text else "half_character"


def _written(path: _Path) -> list[Any]:
    names: list[Any] = []
    while path is not None:
        path, name = path
        names.append(name)
    return names[::-1]
