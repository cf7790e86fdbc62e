"""A part of a file as JSON, for readers that cannot hold bytes."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from plugbay.outcome import Outcome
from plugbay.result import Meta

__all__ = ["DEFAULT_WINDOW", "window", "window_meta"]

DEFAULT_WINDOW = 16_384
"""Bytes of a file given at once when the caller does not say."""


def window(record: Mapping[str, Any], data: bytes, offset: int, total: int | None) -> Outcome:
    """A part of a file as JSON: text if it is text, base64 otherwise."""
    text, used = _text(data) if _may_be_text(record.get("content_type")) else (None, len(data))
    content: dict[str, Any] = {
        "file_name": record.get("file_name"),
        "content_type": record.get("content_type"),
        "size": total if total is not None else record.get("size"),
        "offset": offset,
        "length": used,
        "encoding": "base64" if text is None else "utf-8",
        "content": base64.b64encode(data).decode() if text is None else text,
    }
    return Outcome(content, window_meta(content))


def window_meta(content: Mapping[str, Any]) -> Meta:
    """What is known beside a part of a file: whether there is more of it, and from where."""
    size, used, offset = content.get("size"), content.get("length"), content.get("offset")
    if isinstance(size, int) and isinstance(used, int) and isinstance(offset, int) and 0 < used < size - offset:
        return Meta(has_more=True, note=f"Continue with offset={offset + used}.")
    return Meta(has_more=False)


def _may_be_text(kind: Any) -> bool:
    """Whether a content type leaves room for text; the windows of one file should all be of one encoding."""
    name = str(kind or "").partition(";")[0].strip().lower()
    media, _, format_ = name.partition("/")
    known = {"application/octet-stream", "application/json", "application/xml", "application/yaml", "message/rfc822"}
    return not name or media == "text" or name in known or format_.endswith(("+json", "+xml"))


def _text(data: bytes) -> tuple[str | None, int]:
    """`data` as text with the number of bytes that text takes, or (None, all) if it is not text.

    A window may end inside a letter; its first bytes are then left for the next window.
    """
    if b"\0" in data:
        return None, len(data)
    for cut in range(min(4, len(data) or 1)):
        try:
            return data[: len(data) - cut].decode(), len(data) - cut
        except UnicodeDecodeError as error:
            if error.end < len(data) - cut:
                break
    return None, len(data)
