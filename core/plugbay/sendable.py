"""What a call may hold so that every service on its way takes it, a hosted one with its database too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plugbay.json_safe import is_list, is_object

__all__ = ["find_unsendable", "holds_at_most"]

_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**63 - 1

_Path = tuple["_Path", Any] | None
"""The names that lead to a part, the last of them first: only the path of a fault is ever written out."""


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


def find_unsendable(whole: Any) -> tuple[Sequence[Any], str] | None:
    """The path to the first part that some service does not take, and what is wrong with it.

    That is half of a surrogate pair, which has no form in UTF-8; a NUL, which databases cannot keep; and a number
    beyond 64 bits or none at all. A name's fault is that of what has the name.
    """
    waiting: list[tuple[_Path, Any]] = [(None, whole)]
    while waiting:
        path, value = waiting.pop()
        if (problem := _problem(value)) is not None:
            return _written(path), problem
        # The last that is put there is looked at first.
        if is_object(value):
            waiting += [((path, name), part) for name, part in [*value.items()][::-1]]
        elif is_list(value):
            waiting += [((path, index), value[index]) for index in range(len(value) - 1, -1, -1)]
    return None


def _problem(value: Any) -> str | None:
    if isinstance(value, str):
        return _problem_of_text(value)
    if isinstance(value, int | float):
        # What is no number at all is not within either.
        return None if _MIN_INTEGER <= value <= _MAX_INTEGER else "a number must be within 64 bits"
    names = value if is_object(value) else ()
    return next((problem for name in names if isinstance(name, str) and (problem := _problem_of_text(name))), None)


def _problem_of_text(text: str) -> str | None:
    if "\0" in text:
        return "has a NUL character, which not every service takes"
    if text.isascii() or text.encode(errors="ignore").decode() == text:
        return None
    return "has half a character, which no service takes"


def _written(path: _Path) -> list[Any]:
    names: list[Any] = []
    while path is not None:
        path, name = path
        names.append(name)
    return names[::-1]
