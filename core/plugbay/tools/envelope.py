"""The one form in which a tool's outcome is handed over: `{"data", "meta"}` or `{"error"}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from plugbay.errors import ErrorPayload, PlugbayError
from plugbay.json_safe import JsonDict, dumps, is_object, to_json
from plugbay.result import Page, Result

__all__ = ["Envelope", "as_failure", "failure", "failure_text", "is_failure", "success"]

Envelope: TypeAlias = JsonDict

_KINDS: dict[str, Any] = {  # in the order of `ErrorPayload`
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
        data = to_json(value.data)  # pyright: ignore[reportUnknownMemberType] - a page's records are of any type
        return JsonDict(data=data, meta=to_json(value.meta))
    if is_object(value) and "data" in value and set(value) <= {"data", "meta"}:
        meta = to_json(value.get("meta") or {})
        if is_object(meta):
            return JsonDict(data=to_json(value["data"]), meta=meta)
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
    if not is_object(facts):
        facts = {"message": facts if isinstance(facts, str) else dumps(facts)}
    usable = {name: value for name, value in facts.items() if name in _KINDS and isinstance(value, _KINDS[name])}
    error: dict[str, Any] = {**PlugbayError("The tool reports a failure.").payload(), **usable}
    # What has no place of its own is a detail; only these keys are promised.
    others = {name: value for name, value in facts.items() if name not in usable and value is not None}
    if others:
        error["details"] = {**(error["details"] or {}), **others}
    return JsonDict(error=error)


def is_failure(envelope: Mapping[str, Any]) -> bool:
    """Whether an envelope tells of a failure."""
    return "error" in envelope


def failure_text(error: ErrorPayload) -> str:
    """A failure as plain sentences, for frameworks that put a text of their own around it."""
    parts = [f"{error['code']}: {error['message']}", error["hint"] or ""]
    if error["retry_after"] is not None:
        parts.append(f"Wait {error['retry_after']:g} seconds before trying again.")
    return " ".join(part for part in parts if part)
