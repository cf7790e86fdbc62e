"""What can go wrong with one answer, as plain data that says no when its parts contradict each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypedDict

from plugbay.sandbox.shapes import SHAPES

When = Literal["before", "after"]
Shape = Literal["empty", "null", "no_record", "list", "text", "html", "broken"]
Reshape = Callable[[Any], Any]

BODILESS = (204, 304)
"""The statuses that never have a body (RFC 9110 section 6.4.1)."""
_ENDINGS = ("hang", "reset", "close")
_CONTENTS = ("body", "bomb", "deep", "redirect")
_OWN = ("status", *_CONTENTS)
_CHANGES = ("headers", "header_bytes", "chunked", "truncate", "drip", "shape")
_FALSY = ("body", "truncate", "redirect")  # which mean something even when they are empty
_REDIRECTS = (301, 302, 303, 307, 308)
_FRAMING = ("content-length", "transfer-encoding")
_BOMB_LEAST = 2  # the empty object at the end of a bomb


class What(TypedDict, total=False):
    """The fields of a `Failure`, as keyword arguments."""

    when: When | None
    status: int | None
    headers: Mapping[str, str] | None
    body: Any
    delay: float
    hang: bool
    reset: bool
    close: bool
    truncate: int | None
    chunked: bool
    drip: float
    bomb: float | None
    header_bytes: float
    deep: int | None
    shape: Shape | Reshape | None
    redirect: str | None


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One way for an answer to go wrong. Whatever is left out stays as it is.

    Args:
        when: "before": the application never sees the request. "after": the request is carried out - the ticket is
            created - and then its answer is lost, replaced or changed. Left out it is "before", unless the failure
            changes the application's own answer. A `delay` alone puts the request off ("before") or only its answer
            ("after").
        status: The status of an answer that replaces the application's, from 200 to 599.
        headers: Added to the answer, or replacing those of the same name.
        body: The body of an answer that replaces the application's: JSON data, text, or bytes. Left out it is what
            Zendesk says with that status.
        delay: Seconds of real time to wait first.
        hang: Never answer.
        reset: End the connection with a reset (RST).
        close: End the connection in good order (FIN) without an answer.
        truncate: Send no more than this many bytes of the body, though the header announced all of it, and close.
        chunked: Send the body in chunks, without announcing its length; cut by `truncate` the last chunk is missing.
        drip: Send the body one byte at a time, with this many seconds between two.
        bomb: The answer is JSON that inflates (gzip) to this many bytes; `math.inf` never ends.
        header_bytes: Add headers of about this many bytes in all; `math.inf` never ends them, so that there is no answer.
        deep: The answer is JSON nested so many levels deep.
        shape: What to make of the application's JSON: a function of the decoded body that returns another, or "empty"
            (no body), "null", "no_record" (without anything but the paging), "list" (one around it), "text" (a JSON
            string), "html" (a page), "broken" (half of the JSON).
        redirect: The answer is a redirect to this location, with status 302 unless `status` says otherwise.

    Raises:
        ValueError: Nothing is to go wrong, a value is out of range, or two fields exclude each other.
    """

    when: When | None = None
    status: int | None = None
    headers: Mapping[str, str] | None = None
    body: Any = None
    delay: float = 0.0
    hang: bool = False
    reset: bool = False
    close: bool = False
    truncate: int | None = None
    chunked: bool = False
    drip: float = 0.0
    bomb: float | None = None
    header_bytes: float = 0
    deep: int | None = None
    shape: Shape | Reshape | None = None
    redirect: str | None = None

    def __post_init__(self) -> None:
        _check_values(self)
        _check_together(self)
        if self.when is None:
            after = bool(_given(self, *_CHANGES)) and not _given(self, *_OWN)
            object.__setattr__(self, "when", "after" if after else "before")

    @property
    def ends(self) -> bool:
        """Whether there is no answer at all."""
        return bool(_given(self, *_ENDINGS))

    @property
    def replaces(self) -> bool:
        """Whether the answer is not the application's."""
        return bool(_given(self, *_OWN))


def _given(failure: Failure, *names: str) -> list[str]:
    """Which of these fields say something; `truncate=0` does, and so does any body but None."""
    return [name for name in names if (value := getattr(failure, name)) is not None and (value or name in _FALSY)]


def _check_values(failure: Failure) -> None:
    ranges: tuple[tuple[str, float | None, float, float], ...] = (
        ("status", failure.status, 200, 599),
        ("delay", failure.delay, 0, 1e9),
        ("drip", failure.drip, 0, 1e9),
        ("truncate", failure.truncate, 0, math.inf),
        ("bomb", failure.bomb, _BOMB_LEAST, math.inf),
        ("deep", failure.deep, 1, math.inf),
        ("header_bytes", failure.header_bytes, 0, math.inf),
    )
    for name, value, least, most in ranges:
        if value is not None and not least <= value <= most:
            raise ValueError(f"{name} must be from {least} to {most}, not {value!r}")
    if failure.when not in (None, "before", "after"):
        raise ValueError(f'when must be "before" or "after", not {failure.when!r}')
    if not callable(failure.shape) and failure.shape is not None and failure.shape not in SHAPES:
        raise ValueError(f"unknown shape {failure.shape!r}; known: {', '.join(SHAPES)}, or a function")
    framing = next((name for name in failure.headers or () if name.lower() in _FRAMING), None)
    if framing is not None:
        raise ValueError(f"{framing} goes with the body; use truncate or chunked")
    if failure.redirect is not None and failure.status not in (None, *_REDIRECTS):
        raise ValueError(f"status {failure.status} is no redirect; known: {', '.join(map(str, _REDIRECTS))}")


def _check_together(failure: Failure) -> None:
    given = _given(failure, *(field.name for field in fields(failure) if field.name != "when"))
    if not given:
        raise ValueError("say what is to go wrong, such as status=503 or reset=True")
    alone = next((name for name in given if name in _ENDINGS), None)
    if alone:
        _refuse(alone, [name for name in given if name not in (alone, "delay")])
    contents = [name for name in given if name in _CONTENTS]
    _refuse(contents[0] if contents else "", contents[1:])
    if failure.status in BODILESS:
        _refuse(f"status {failure.status}", [name for name in contents if name != "redirect"])
    if failure.shape is not None:
        _refuse("shape", [name for name in given if name in _OWN])
    changes = [name for name in given if name in _CHANGES]
    if failure.when == "before" and changes and not failure.replaces:
        raise ValueError(
            f"{changes[0]} changes the application's answer, so there must be one: leave out when, or give a status or a body"
        )


def _refuse(name: str, others: list[str]) -> None:
    if others:
        raise ValueError(f"{name} excludes {', '.join(others)}")
