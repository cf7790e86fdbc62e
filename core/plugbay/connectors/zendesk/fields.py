"""Types of arguments that several entities share."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field, WithJsonSchema

__all__ = ["Id", "Instant"]


Id: TypeAlias = Annotated[int, Field(ge=1)]
"""A number that Zendesk gave a record."""


def _seconds(value: Any) -> Any:
    """Unix seconds of an ISO 8601 time; what is not one is left to be refused."""
    if not isinstance(value, str) or value.isdigit():
        return value
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("a time, as unix seconds or as 2026-01-31T00:00:00Z") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp())


Instant: TypeAlias = Annotated[
    int,
    BeforeValidator(_seconds),
    Field(ge=0),
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "description": "Unix seconds, or a time of ISO 8601.",
            "examples": ["2026-01-31T00:00:00Z"],
        }
    ),
]
"""A moment, sent as unix seconds."""
