"""The one form in which a tool's outcome is handed over: `{"data", "meta"}` or `{"error"}`.

All that a model is given passes through here, and here its texts lose what nobody sees in them; see
`plugbay.plain_text`. A programmer's own results keep every character.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from plugbay.errors import ErrorPayload, PlugbayError
from plugbay.json_safe import JsonDict, dumps, is_object, to_json
from plugbay.plain_text import Cleaning
from plugbay.result import Page, Result

__all__ = ["Envelope", "as_failure", "failure", "failure_text", "is_failure", "success", "with_note"]

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
    the data itself. If hidden or control characters were removed from texts, `meta.note` says so.
    """
    if isinstance(value, Result | Page):
        data = to_json(value.data)  # pyright: ignore[reportUnknownMemberType] - a page's records are of any type
        return _cleaned(data, to_json(value.meta))
    if is_object(value) and "data" in value and set(value) <= {"data", "meta"}:
        meta = to_json(value.get("meta") or {})
        if is_object(meta):
            return _cleaned(to_json(value["data"]), meta)
    return _cleaned(to_json(value), {})


def _cleaned(data: Any, meta: Any) -> Envelope:
    cleaning = Cleaning()
    if _is_file_part(data):
        data["content"] = cleaning.file_part(data["content"])
    data, meta = cleaning.json(data), cleaning.json(meta)
    if cleaning.count:
        texts = "one text" if cleaning.count == 1 else f"{cleaning.count} texts"
        meta = with_note(meta, f"Invisible or control characters were removed from {texts}.")
    return JsonDict(data=data, meta=meta)


def _is_file_part(data: Any) -> bool:
    """Whether the data is a part of a file as text, whose readers go on by the number of its bytes."""
    return (
        is_object(data)
        and "offset" in data
        and data.get("encoding") == "utf-8"
        and isinstance(data.get("content"), str)
    )


def with_note(meta: Mapping[str, Any], text: str) -> dict[str, Any]:
    """`meta` with a sentence more in its note."""
    told = f"{meta['note']} {text}" if meta.get("note") else text
    return {**meta, "note": told}


def failure(error: PlugbayError) -> Envelope:
    """The envelope of a failure."""
    return JsonDict(error=Cleaning().json(to_json(error.payload())))


def as_failure(said: Any) -> Envelope:
    """The envelope of a failure that a tool function told of by returning `{"error": ...}`.

    Args:
        said: A payload, part of one, or anything else, which becomes the message.
    """
    facts = Cleaning().json(to_json(said))
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
