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
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, TypeAlias

from pydantic import BaseModel, SecretBytes, SecretStr

__all__ = ["Json", "JsonDict", "dumps", "to_json"]

Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"

MAX_DEPTH = 64
"""Levels of nesting kept; deeper data is a loop or an attack."""

MASK = "**********"


def to_json(value: Any, depth: int = MAX_DEPTH) -> Json:
    """`value` as JSON values: NaN and infinities are null, dates ISO 8601, bytes base64, sets lists."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, enum.Enum):
        return to_json(value.value, depth)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if depth <= 0:
        return "…"
    return _composite(value, depth - 1)


def _composite(value: Any, depth: int) -> Json:
    if isinstance(value, SecretStr | SecretBytes):
        return MASK
    if isinstance(value, BaseModel):
        return to_json(value.model_dump(mode="python"), depth)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name), depth) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {_key(key): to_json(item, depth) for key, item in value.items()}
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(bytes(value)).decode()
    return _scalar(value, depth)


def _scalar(value: Any, depth: int) -> Json:
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, decimal.Decimal | uuid.UUID | PurePath):
        return str(value)
    if isinstance(value, Iterable) and not isinstance(value, type):
        return [to_json(item, depth) for item in value]
    return f"<{type(value).__qualname__}>"


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
