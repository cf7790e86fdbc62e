"""Reads Zendesk's error answers, which come in six forms, into named errors.

The status decides the class; the body, whatever its form, gives the words. Forms:
`{"error": "RecordInvalid", "description": ..., "details": {field: [...]}}`,
`{"error": {"title", "message"}}`, `{"errors": [{"code", "title", "detail"}]}`,
`{"errors": {field: [...]}}`, `{"message": ...}`, a bare text, or nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from plugbay.errors import (
    AuthenticationError,
    ConflictError,
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

__all__ = ["collides", "read_error"]

_TEXT = 300
_BY_STATUS: dict[int, type[PlugbayError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    410: NotFoundError,
    429: RateLimitedError,
}
_HINTS = {
    "InvalidEndpoint": "The account or its plan does not have this feature.",
    "UpdateConflict": "Read the record again and repeat the change with its new updated_at.",
    "InvalidPaginationDepth": "Go on with cursor paging or an incremental export.",
    "IdempotentRequestError": "This key was used for a different call; use a new one.",
}


@dataclass(slots=True)
class _Said:
    """What an error's body says."""

    code: str = ""
    text: str = ""
    fields: dict[str, list[str]] = field(default_factory=dict[str, list[str]])


def read_error(request: Request, response: Response) -> PlugbayError:
    """The error that an answer outside 2xx stands for."""
    said = _said(response)
    kind = _BY_STATUS.get(response.status) or (
        ServiceError if response.status >= 500 else ValidationFailedError  # noqa: PLR2004 - HTTP's classes
    )
    if said.code == "IdempotentRequestError":
        kind = ConflictError
    words = ": ".join(part for part in (said.code, said.text) if part)
    problems = "; ".join(f"{name}: {', '.join(texts)}" for name, texts in said.fields.items())
    message = f"Zendesk answered {response.status} to {request.method} {request.path}"
    details: dict[str, Any] = {"status": response.status}
    if said.code:
        details["service_code"] = said.code
    if said.fields:
        details["fields"] = said.fields
    again = collides(response) or None
    sentences = [": ".join(part for part in (message, words) if part), problems]
    return kind(
        " ".join(f"{sentence.rstrip('.')}." for sentence in sentences if sentence),
        hint=_HINTS.get(said.code) or _hint(kind),
        retryable=again,
        details=details,
        request_id=response.headers.get("x-request-id"),
    )


def collides(response: Response) -> bool:
    """Whether an answer of 409 says that another write was in the way for a moment.

    Seen: the text "Requester creation collision - please try again", and `DatabaseConflict` for a ticket that is locked.
    """
    if response.status != 409:  # noqa: PLR2004 - Conflict
        return False
    said = _said(response)
    return said.code == "DatabaseConflict" or (not said.code and "try again" in said.text.lower())


def _hint(kind: type[PlugbayError]) -> str | None:
    if kind is AuthenticationError:
        return "The credentials are wrong, expired or revoked."
    if kind is NotFoundError:
        return "There is no such record, or these credentials cannot see it."
    return None


def _said(response: Response) -> _Said:
    try:
        body = response.json()
    except PlugbayError:
        return _Said(text=_plain(response))
    if isinstance(body, str):
        return _Said(text=clip(body, _TEXT))
    return _read(body) if is_object(body) else _Said()


def _plain(response: Response) -> str:
    """A text body as words; a page of markup says nothing to anybody."""
    text = response.body[: 4 * _TEXT].decode("utf-8", "replace").strip()
    return "" if text.startswith("<") else clip(" ".join(text.split()), _TEXT)


def _read(body: Mapping[str, Any]) -> _Said:
    error, errors = body.get("error"), body.get("errors")
    if is_object(error):
        return _Said(_word(error.get("title")), _word(error.get("message")))
    if is_list(errors):
        items = [item for item in errors if is_object(item)]
        texts = [_word(item.get("detail") or item.get("title")) for item in items[:10]]
        return _Said(_word(items[0].get("code")) if items else "", "; ".join(filter(None, texts)))
    if is_object(errors):
        return _Said(fields=dict(_fields(errors)))
    text = body.get("description") or body.get("error_description") or body.get("message")
    details = body.get("details")
    return _Said(_word(error), _word(text), dict(_fields(details)) if is_object(details) else {})


def _fields(details: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for name, problems in list(details.items())[:50]:
        listed = problems if is_list(problems) else [problems]
        yield clip(str(name), 100), [_problem(problem) for problem in listed[:10]]


def _problem(problem: Any) -> str:
    if is_object(problem):
        return _word(problem.get("description") or problem.get("error"))
    return _word(problem)


def _word(value: Any) -> str:
    return clip(" ".join(str(value).split()), _TEXT) if value else ""
