"""The one form in which a tool's outcome is handed over: `{"data", "meta"}` or `{"error"}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from plugbay.errors import ErrorPayload, PlugbayError
from plugbay.json_safe import JsonDict, dumps, to_json
from plugbay.result import Page, Result

__all__ = ["Envelope", "as_failure", "failure", "failure_text", "is_failure", "success"]

Envelope: TypeAlias = JsonDict

_KINDS: dict[str, Any] = {
    "code": str,
    "message": str,
    "hint": str,
    "retryable": bool,
    "retry_after": int | float,
    "details": dict,
}


def success(value: Any) -> Envelope:
    """The envelope of what a tool function returned.

    A `Result`, a `Page`, or a dict that is an envelope already keeps its `data` and `meta`; any other value is
    the data itself.
    """
    if isinstance(value, Result | Page):
        return JsonDict(data=to_json(value.data), meta=to_json(value.meta))
    if isinstance(value, Mapping) and "data" in value and set(value) <= {"data", "meta"}:
        return JsonDict(data=to_json(value["data"]), meta=to_json(value.get("meta") or {}))
    return JsonDict(data=to_json(value), meta={})


def failure(error: PlugbayError) -> Envelope:
    """The envelope of a failure."""
    return JsonDict(error=to_json(error.payload()))


def as_failure(said: Any) -> Envelope:
    """The envelope of a failure that a tool function told of by returning `{"error": ...}`.

    Args:
        said: A payload, part of one, or anything else, which becomes the message.
    """
    facts = to_json(said)
    if not isinstance(facts, dict):
        facts = {"message": facts if isinstance(facts, str) else dumps(facts)}
    usable = {name: value for name, value in facts.items() if isinstance(value, _KINDS.get(name, object))}
    return JsonDict(error={**PlugbayError("The tool reports a failure.").payload(), **usable})


def is_failure(envelope: Mapping[str, Any]) -> bool:
    """Whether an envelope tells of a failure."""
    return "error" in envelope


def failure_text(error: ErrorPayload) -> str:
    """A failure as plain sentences, for frameworks that put a text of their own around it."""
    parts = [f"{error['code']}: {error['message']}", error["hint"] or ""]
    if error["retry_after"] is not None:
        parts.append(f"Wait {error['retry_after']:g} seconds before trying again.")
    return " ".join(part for part in parts if part)
