"""What is asked and what came back, in terms that name no HTTP library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json

from plugbay.errors import ResponseIntegrityError, clip

__all__ = ["Download", "Request", "Response"]

SHOWN = 200
"""How much of an unreadable body an error shows, in characters."""

_BOM = b"\xef\xbb\xbf"
"""A byte order mark before JSON, which a parser may ignore (RFC 8259 section 8.1)."""

_NOT_JSON = "The service answered with something else than JSON."
_TOO_DEEP = "The service's answer is nested too deeply."


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the service.

    Args:
        method: HTTP method, upper case.
        path: Percent-encoded, beginning with a slash; never a full URL.
        query: Names and values, in order, not encoded.
        json: The body; None for no body.
        headers: Further headers, such as `Idempotency-Key`.
        repeatable: Whether it may be sent again when its fate is unknown: a read, or a write
            under an idempotency key that the service honours.
        group: The endpoint, as far as the service's budgets go; the method and the path if it is not given.
        yields: Whether it is long work, which leaves a part of the budgets to calls that somebody waits for.
        reads: Whether it changes nothing, whatever its method says: some services are asked by POST.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    repeatable: bool = False
    group: str = ""
    yields: bool = False
    reads: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """A complete answer.

    Args:
        status: HTTP status.
        headers: By lower-case name.
        body: Decoded, and no longer than was allowed.
        attempts: How many times the request was sent for it.
    """

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)
    attempts: int = 1

    def json(self) -> Any:
        """The body as JSON values.

        Raises:
            ResponseIntegrityError: It is empty, not JSON, or nested deeper than some 200 levels; NaN and Infinity are
                not JSON.
        """
        try:
            return from_json(self.body.removeprefix(_BOM), allow_inf_nan=False)
        except ValueError as error:
            wrong = _TOO_DEEP if "recursion limit" in str(error) else _NOT_JSON
        raise ResponseIntegrityError(
            wrong if self.body else "The service's answer is empty.",
            details={
                "status": self.status,
                "content_type": self.headers.get("content-type"),
                "body_start": clip(self.body[: 4 * SHOWN].decode(errors="replace"), SHOWN),
            },
        )


@dataclass(frozen=True, slots=True, eq=False)
class Download:
    """A window of a file.

    Args:
        data: The bytes from `offset` on; empty if the file ends before it.
        offset: Where the window begins, in bytes.
        total: The file's size in bytes, if the server said it.
        content_type: As the server said it.
        file_name: The name the server gave it, without any path.
    """

    data: bytes = field(repr=False)
    offset: int
    total: int | None
    content_type: str | None
    file_name: str | None
