"""Fits a result to a budget of characters, and says what was cut and how to go on.

A model pays for every character and cannot use half a JSON document. So what does
not fit is cut in the order in which it is missed least: empty values, then all but
the summary fields of a record in a list, then the ends of long texts, then records
from the end, whose place in the list the cursor remembers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from plugbay.json_safe import dumps
from plugbay.operation import Operation
from plugbay.result import clip_texts, prune, select
from plugbay.tools.envelope import Envelope

__all__ = ["SMALLEST_BUDGET", "compact", "fit"]

SMALLEST_BUDGET = 1_000
"""Fewest characters a tool may be held to; an envelope that explains itself needs some."""

_CLIPS = (8_000, 2_000, 500)
_ROOM_FOR_NOTES = 300


def compact(envelope: Envelope, operation: Operation, fields: Sequence[str]) -> Envelope:
    """The envelope with what tells a model something.

    Args:
        envelope: The operation's data as an envelope.
        operation: The operation.
        fields: The fields of each record that were asked for; if there are none, records in lists and
            records just written are cut to the operation's summary fields.
    """
    data, meta = prune(envelope["data"]), dict(envelope["meta"])
    if fields:
        data = select(data, fields)
    elif operation.summary and (operation.kind in {"list", "create", "update"}) and not meta.get("dry_run"):
        shorter = select(data, operation.summary)
        if shorter != data and operation.kind == "list":
            _note(meta, "Summary fields only; params.select_fields chooses others.")
        data = shorter
    if operation.kind in {"create", "update"}:
        meta.pop("included", None)
    elif meta.get("included"):
        meta["included"] = prune(meta["included"])
    return Envelope(data=data, meta=meta)


def fit(envelope: Envelope, budget: int, resume_at: Callable[[int], str] | None = None) -> Envelope:
    """The envelope within `budget` characters of JSON.

    Args:
        envelope: What a tool gives.
        budget: Characters that its JSON may have, at least `SMALLEST_BUDGET`.
        resume_at: For a list: the cursor that goes on behind so many of its records.

    Returns:
        The envelope itself if it fits, else a shorter one whose `meta.note` says what is missing.
    """
    if len(str(envelope)) <= budget:
        return envelope
    room = budget - _ROOM_FOR_NOTES
    data, meta = envelope["data"], dict(envelope["meta"])
    for limit in _CLIPS:
        data = clip_texts(data, limit)
        if len(dumps({"data": data, "meta": meta})) <= room:
            _note(meta, f"Long texts were cut to {limit} characters.")
            return Envelope(data=data, meta=meta)
    _note(meta, f"Long texts were cut to {_CLIPS[-1]} characters.")
    return _dropped(data, meta, room, resume_at)


def _dropped(data: Any, meta: dict[str, Any], room: int, resume_at: Callable[[int], str] | None) -> Envelope:
    if meta.pop("included", None) is not None:
        _note(meta, "meta.included was left out.")
    spare = room - len(dumps(meta))
    if isinstance(data, list):
        return Envelope(data=_first(data, meta, spare, resume_at), meta=meta)
    if isinstance(data, dict):
        return Envelope(data=_smaller(data, meta, spare), meta=meta)
    _note(meta, "The result was too large and was left out.")
    return Envelope(data=None, meta=meta)


def _first(data: list[Any], meta: dict[str, Any], spare: int, resume_at: Callable[[int], str] | None) -> list[Any]:
    """As many records from the start as fit."""
    kept, used = 0, 2
    for record in data:
        used += len(dumps(record)) + 1
        if used > spare:
            break
        kept += 1
    if kept == len(data):
        return data
    if resume_at is not None and kept > 0:
        meta.update(has_more=True, cursor=resume_at(kept), count=kept)
        _note(meta, f"{kept} of {len(data)} records fit; pass meta.cursor for the next.")
    else:
        meta.update(has_more=True, cursor=None, count=kept)
        _note(meta, f"{kept} of {len(data)} records fit; ask for fewer records or fields.")
    return data[:kept]


def _smaller(data: dict[str, Any], meta: dict[str, Any], spare: int) -> dict[str, Any]:
    """The object without its largest fields, as few as need be."""
    sizes = {key: len(dumps({key: value})) for key, value in data.items()}
    left, gone = dict(data), []
    while left and sum(sizes[key] for key in left) > spare:
        largest = max(left, key=lambda key: sizes[key])
        del left[largest]
        gone.append(largest)
    names = ", ".join(str(key)[:40] for key in gone[:10])
    _note(meta, f"Left out for size: {names}{' and others' if len(gone) > 10 else ''}.")  # noqa: PLR2004 - as sliced
    return left


def _note(meta: dict[str, Any], text: str) -> None:
    meta["note"] = f"{meta['note']} {text}" if meta.get("note") else text
