"""Reads the error answers of the hosted service into named errors.

`plugbay serve` says with each which error it is: `{"error": {"code", "message", "hint", "retryable", "retry_after",
"details"}}`, and the client raises the very same. The vendor's service says `{"message", "errors": [{"field",
"message", "error_code", "details"}]}`, or in the manner of its framework `{"detail": text | [{"loc", "msg"}]}`; there
the status decides the class.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from plugbay import errors
from plugbay.errors import (
    AuthenticationError,
    ConflictError,
    ConnectorNotFoundError,
    NotFoundError,
    PermissionDeniedError,
    PlugbayError,
    RateLimitedError,
    ServiceError,
    ValidationFailedError,
    clip,
)
from plugbay.json_safe import is_list, is_object
from plugbay.transport import Request, Response

__all__ = ["is_settled", "read_error", "rebuilt"]

_BY_CODE: dict[str, type[PlugbayError]] = {
    kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PlugbayError)
}
_BY_STATUS: dict[int, type[PlugbayError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    410: NotFoundError,
    429: RateLimitedError,
}
_HINTS: dict[type[PlugbayError], str] = {
    AuthenticationError: "The hosted service does not accept its own token any more; check the client's id and secret.",
    PermissionDeniedError: "Check organization_id, and that the client may use this workspace.",
    ConnectorNotFoundError: "It may have been deleted, or belong to another workspace or organization.",
}
_MOST = 50
_TEXT = 300


def read_error(request: Request, response: Response) -> PlugbayError:
    """The error that an answer outside 2xx stands for."""
    body = _body(response)
    error = rebuilt(body.get("error"))
    if error is None:
        error = _by_status(request, response.status, body)
    error.request_id = response.headers.get("x-request-id")
    return error


def is_settled(response: Response) -> bool:
    """Whether the answer is of a call that `plugbay serve` has seen through to its end, with all its tries."""
    is_end = response.headers.get("x-should-retry", "").strip().lower() == "false"
    return is_end and rebuilt(_body(response).get("error")) is not None


def rebuilt(payload: Any) -> PlugbayError | None:
    """The error that a payload was made of (`PlugbayError.payload`); None if it is none."""
    if not is_object(payload):
        return None
    kind, message = _BY_CODE.get(str(payload.get("code"))), payload.get("message")
    if kind is None or not isinstance(message, str):
        return None
    hint, retryable, details = payload.get("hint"), payload.get("retryable"), payload.get("details")
    return kind(
        message,
        hint=hint if isinstance(hint, str) else None,
        retryable=retryable if isinstance(retryable, bool) else None,
        retry_after=_seconds(payload.get("retry_after")),
        details=details if is_object(details) else None,
    )


def _by_status(request: Request, status: int, body: Mapping[str, Any]) -> PlugbayError:
    told = list(_told(body))
    codes = [code for _, _, code in told if code]
    said = _word(body.get("message")) or "; ".join(dict.fromkeys(text for _, text, _ in told if text))
    kind = _BY_STATUS.get(status) or (ServiceError if status >= 500 else ValidationFailedError)  # noqa: PLR2004 - HTTP's classes
    if kind is NotFoundError and "connector" in f"{said} {' '.join(codes)}".lower():
        kind = ConnectorNotFoundError
    details: dict[str, Any] = {"status": status}
    if codes:
        details["service_code"] = codes[0]
    if fields := _fields(told):
        details["fields"] = fields
    message = f"The hosted service answered {status} to {request.method} {request.path}"
    return kind(f"{message}: {said.rstrip('.')}." if said else f"{message}.", hint=_HINTS.get(kind), details=details)


def _body(response: Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except PlugbayError:
        return {}
    return body if is_object(body) else {}


def _told(body: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Field, text and code of each mistake; the field is empty where none is meant."""
    listed, detail = body.get("errors"), body.get("detail")
    if isinstance(detail, str):
        yield "", _word(detail), ""
    for item in [*(listed if is_list(listed) else ()), *(detail if is_list(detail) else ())][:_MOST]:
        if is_object(item):
            place = item.get("loc")
            # What is checked is the body, and saying so helps nobody.
            parts = [str(part) for part in place if part != "body"] if is_list(place) else []
            field = item.get("field") or ".".join(parts)
            yield _word(field), _word(item.get("message") or item.get("msg")), _word(item.get("error_code"))


def _fields(told: list[tuple[str, str, str]]) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for field, text, _ in told:
        if field:
            fields.setdefault(field, []).append(text)
    return fields


def _seconds(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and 0 <= value < math.inf else None


def _word(value: Any) -> str:
    return clip(" ".join(str(value).split()), _TEXT) if value else ""
