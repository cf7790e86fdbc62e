"""Fits a result to a budget of characters, and says what was cut and how to go on.

A model pays for every character and cannot use half a JSON document. So what does
not fit is cut in the order in which it is missed least: empty values, then all but
the summary fields of a record in a list, then the ends of long texts, then records
from the end, whose place in the list the cursor remembers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from plugbay.errors import clip
from plugbay.json_safe import dumps, is_list, is_object
from plugbay.operation import Operation
from plugbay.result import clip_texts, prune, select
from plugbay.tools.envelope import Envelope, with_note

__all__ = ["SMALLEST_BUDGET", "compact", "fit", "fit_failure"]

SMALLEST_BUDGET = 1_000
"""Fewest characters a tool may be held to; an envelope that explains itself needs some."""

_CLIPS = (8_000, 2_000, 500)
_ROOM_FOR_NOTES = 300
_MOST_NAMED = 10
_LARGEST_COUNT = 2**63


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
        if nowhere := [field for field in fields if not _found(data, field)]:
            meta = with_note(meta, f"No record has {', '.join(clip(field, 40) for field in nowhere[:_MOST_NAMED])}.")
        data = select(data, fields)
    elif operation.summary and (operation.kind in {"list", "create", "update"}) and not meta.get("dry_run"):
        shorter = select(data, operation.summary)
        if shorter != data and operation.kind == "list":
            meta = with_note(meta, "Summary fields only; params.select_fields chooses others.")
        data = shorter
    if operation.kind in {"create", "update"}:
        meta.pop("included", None)
    elif meta.get("included"):
        meta["included"] = prune(meta["included"])
    return Envelope(data=data, meta=meta)


def fit(
    envelope: Envelope, budget: int, resume_at: Callable[[int], str] | None = None, *, window: bool = False
) -> Envelope:
    """The envelope within `budget` characters of JSON.

    Args:
        envelope: What a tool gives.
        budget: Characters that its JSON may have, at least `SMALLEST_BUDGET`.
        resume_at: For a list: the cursor that goes on behind so many of its records.
        window: Whether the data is a part of a file, which is made a shorter part instead of a part with a gap.

    Returns:
        The envelope itself if it fits, else a shorter one whose `meta.note` says what is missing.
    """
    if _fits(envelope, budget):
        return envelope
    data, meta = envelope["data"], _lean(envelope["meta"], budget // 2)
    if window and (part := _shorter_window(data, meta, budget)) is not None:
        return part
    if isinstance(data, str):
        return _text(data, _alone(meta), budget)
    clipped = _clipped(data, meta, budget)
    return clipped if _fits(clipped, budget) else _cut(clipped["data"], clipped["meta"], budget, resume_at)


def _found(data: Any, field: str) -> bool:
    """Whether a record has the field, or there is none to tell."""
    records = data if is_list(data) else [data]
    name = field.partition(".")[0]
    return not records or any(is_object(record) and name in record for record in records)


def _clipped(data: Any, meta: dict[str, Any], budget: int) -> Envelope:
    """The data with its texts as long as they can be, and without what came beside it if that is not enough."""
    clipped = Envelope()
    for limit in _CLIPS:
        clipped = _noted(clip_texts(data, limit), meta, f"Long texts were cut to {limit:,} characters.")
        if _fits(clipped, budget):
            return clipped
    clipped["meta"] = _alone(clipped["meta"])
    return clipped


def _cut(data: Any, meta: dict[str, Any], budget: int, resume_at: Callable[[int], str] | None) -> Envelope:
    if is_list(data):
        return _first(data, meta, budget, resume_at)
    if is_object(data):
        return _smaller(data, meta, budget)
    return _noted(None, meta, "The result was too large and was left out.")


def fit_failure(envelope: Envelope, budget: int) -> Envelope:
    """The envelope of a failure within `budget` characters: details go before words."""
    if _fits(envelope, budget):
        return envelope
    error = dict(envelope["error"])
    error["details"] = clip_texts(error["details"], 200)
    if not _fits(Envelope(error=error), budget):
        error["details"] = None
        error["code"] = _head(str(error["code"]), 100)
        error["message"] = _head(error["message"], budget // 3)
        error["hint"] = None if error["hint"] is None else _head(error["hint"], budget // 3)
    return Envelope(error=error)


def _fits(envelope: Envelope, budget: int) -> bool:
    return len(str(envelope)) <= budget


def _first(data: list[Any], meta: dict[str, Any], budget: int, resume_at: Callable[[int], str] | None) -> Envelope:
    """As many records from the start as fit, with the cursor that goes on behind them."""
    ends = list(accumulate(len(dumps(record)) + 1 for record in data))
    kept = bisect_right(ends, budget)
    while kept > 0:
        told = {**meta, "has_more": True, "cursor": resume_at(kept) if resume_at is not None else None, "count": kept}
        rest = "pass meta.cursor for the next" if resume_at is not None else "ask for fewer records or fields"
        told = with_note(told, f"{kept} of {len(data)} records fit; {rest}.")
        # The brackets are counted with the empty list, and the last record has no comma.
        if len(str(Envelope(data=[], meta=told))) + ends[kept - 1] - 1 <= budget:
            return Envelope(data=data[:kept], meta=told)
        kept -= 1
    told = {**meta, "has_more": True, "cursor": None, "count": 0}
    return _noted([], told, f"0 of {len(data)} records fit; ask for fewer records or fields.")


def _smaller(data: Mapping[str, Any], meta: dict[str, Any], budget: int) -> Envelope:
    """The object without its largest fields, as few as need be."""
    left, gone = dict(data), list[str]()
    for key in sorted(data, key=lambda key: len(dumps({key: data[key]})), reverse=True):
        del left[key]
        gone.append(str(key)[:20])
        others = " and others" if len(gone) > _MOST_NAMED else ""
        shorter = _noted(left, meta, f"Left out for size: {', '.join(gone[:_MOST_NAMED])}{others}.")
        if _fits(shorter, budget):
            return shorter
    return _noted({}, _lean(meta, 0), "The result was too large and was left out.")


def _text(text: str, meta: dict[str, Any], budget: int) -> Envelope:
    """The start of a text."""
    shorter = _noted("", meta, f"The text was cut; it has {len(text):,} characters.")
    shorter["data"] = _head(text, budget - len(str(shorter)) + 2)
    return shorter


def _shorter_window(data: Any, meta: dict[str, Any], budget: int) -> Envelope | None:
    """A part of a file cut behind a whole letter, or a whole group of base64, with the place where it goes on."""
    content = data.get("content") if is_object(data) else None
    if not isinstance(content, str) or not isinstance(data.get("offset"), int):
        return None
    old = f"Continue with offset={data['offset'] + data.get('length', 0)}."
    meta = {**meta, "has_more": True, "note": str(meta.get("note") or "").replace(old, "").strip()}
    room = budget - len(str(Envelope(data={**data, "content": ""}, meta=meta))) - _ROOM_FOR_NOTES
    head = _head(content, room + 2)
    if data.get("encoding") == "base64":
        head = head[: len(head) // 4 * 4]
        length = len(head) // 4 * 3
    else:
        length = len(head.encode())
    if length <= 0:
        return None
    meta = with_note(meta, f"Continue with offset={data['offset'] + length}.")
    return Envelope(data={**data, "length": length, "content": head}, meta=meta)


def _head(text: str, room: int) -> str:
    """The longest start of `text` whose JSON has at most `room` characters."""
    fitting = bisect_right(range(len(text) + 1), room, key=lambda count: len(dumps(text[:count])))
    return text[: max(0, fitting - 1)]


def _alone(meta: dict[str, Any]) -> dict[str, Any]:
    """What is known beside the data, without the records of other kinds."""
    if meta.get("included") is None:
        return meta
    return with_note({name: value for name, value in meta.items() if name != "included"}, "meta.included was left out.")


def _lean(meta: dict[str, Any], room: int) -> dict[str, Any]:
    """What is known beside the data, without what is too large to keep."""
    if len(dumps({**meta, "included": None})) <= room:
        return dict(meta)
    counts = {
        name: value
        for name in ("has_more", "count", "total", "dry_run")
        if isinstance(value := meta.get(name), int) and abs(value) < _LARGEST_COUNT
    }
    note = _head(str(meta["note"]), 100) if meta.get("note") else ""
    return with_note({**counts, "note": note}, "The rest of meta was left out.")


def _noted(data: Any, meta: dict[str, Any], text: str) -> Envelope:
    return Envelope(data=data, meta=with_note(meta, text))
