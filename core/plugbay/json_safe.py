"""Any Python value to JSON that every framework prints alike.

A tool's result passes through four frameworks, each with its own idea of `None`,
NaN, dates, bytes and objects. Here they become plain JSON values first. An object
nobody taught us about becomes its type's name, never its `repr`, which may hold
a secret or an address in memory.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import decimal
import enum
import json
import math
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePath
from typing import Any, TypeAlias, TypeGuard

from pydantic import BaseModel, SecretBytes, SecretStr

__all__ = ["Json", "JsonDict", "dumps", "is_list", "is_object", "to_json"]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


def is_object(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    """Whether a value is what JSON calls an object."""
    return isinstance(value, Mapping)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Whether a value is what JSON calls an array."""
    return isinstance(value, list)


MAX_DEPTH = 64
"""Levels of nesting kept; deeper data is a loop or an attack."""

MAX_VALUES = 2_000_000
"""Values kept in all; an iterator need not end."""

MAX_BITS = 2_000
"""Bits of an integer that is written out; Python refuses to write much longer ones."""

MASK = "**********"
CUT = "…"


def to_json(value: Any) -> Json:
    """`value` as JSON values: NaN and infinities are null, dates ISO 8601, bytes base64, sets lists."""
    return _Conversion().json(value, MAX_DEPTH)


class _Conversion:
    """One value on its way to JSON; it knows what it is inside of, so that a loop ends where it closes."""

    __slots__ = ("_above", "_left")

    def __init__(self) -> None:
        self._above: set[int] = set()
        self._left = MAX_VALUES

    def json(self, value: Any, depth: int) -> Json:
        kind = type(value)  # pyright: ignore[reportUnknownVariableType] - of any type
        if kind is dict or kind is list:
            return self._inside(value, depth, self._object if kind is dict else self._list)
        if kind is str:
            self._left -= 1
            return _text(value)
        if isinstance(value, enum.Enum):
            return self.json(value.value, depth)
        if value is None or isinstance(value, bool | str | int | float):
            self._left -= 1
            return _simple(value)
        return self._inside(value, depth, self._composite)

    def _inside(self, value: Any, depth: int, convert: Callable[[Any, int], Json]) -> Json:
        """What `convert` makes of a value that holds others, unless it is too deep or holds itself."""
        self._left -= 1
        above, mark = self._above, id(value)
        if depth <= 0 or self._left <= 0 or mark in above:
            return CUT
        above.add(mark)
        try:
            return convert(value, depth - 1)
        finally:
            above.discard(mark)

    def _composite(self, value: Any, depth: int) -> Json:
        if is_object(value):
            return self._object(value, depth)
        if isinstance(value, BaseModel):
            return self.json(value.model_dump(mode="python"), depth)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {field.name: self.json(getattr(value, field.name), depth) for field in dataclasses.fields(value)}
        text = _special(value)
        if text is not None:
            return text
        if isinstance(value, Iterable) and not isinstance(value, type):
            return self._list(value, depth)  # pyright: ignore[reportUnknownArgumentType] - items of any type
        return f"<{type(value).__qualname__}>"

    def _object(self, value: Mapping[Any, Any], depth: int) -> dict[str, Json]:
        made: dict[str, Json] = {}
        plain = 0
        for key, item in value.items():
            name = key if type(key) is str and key.isascii() else _key(key)
            kind = type(item)  # pyright: ignore[reportUnknownVariableType] - of any type
            # Most values are short words, numbers and nulls; these tests alone cost less than a call.
            if (
                (kind is str and item.isascii())
                or item is None
                or kind is bool
                or (kind is int and item.bit_length() <= MAX_BITS)
            ):
                made[name] = item
                plain += 1
            else:
                made[name] = self.json(item, depth)
        self._left -= plain
        return made

    def _list(self, items: Iterable[Any], depth: int) -> list[Json]:
        made: list[Json] = []
        for item in items:
            made.append(self.json(item, depth))
            if self._left <= 0:
                break
        return made


def _simple(value: bool | str | float | None) -> Json:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return int(value) if value.bit_length() <= MAX_BITS else f"<int of {value.bit_length()} bits>"
    return float(value) if math.isfinite(value) else None


def _special(value: Any) -> str | float | None:
    """A value that has a form of its own in JSON."""
    if isinstance(value, SecretStr | SecretBytes):
        return MASK
    if isinstance(value, memoryview):
        value = value.tobytes()
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, decimal.Decimal | uuid.UUID | PurePath):
        return _text(str(value))
    return None


def _text(value: str) -> str:
    """A text that can be written in UTF-8: half of a surrogate pair is replaced."""
    text = str(value)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def _key(key: Any) -> str:
    value = to_json(key)
    return value if isinstance(value, str) else dumps(value)


def dumps(value: Any) -> str:
    """The shortest JSON text of a value that is JSON already: no spaces, letters beyond ASCII as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class JsonDict(dict[str, Any]):
    """A dict whose `str()` is JSON.

    Frameworks disagree on how a dict becomes text for the model: most encode it as JSON, one calls `str()`.
    With this class both give the same.
    """

    def __str__(self) -> str:
        return dumps(self)
