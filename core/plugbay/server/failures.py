"""From an exception to the one form in which every failure is told to a client.

    {"message": ..., "errors": [{"field", "message", "error_code", "details"}], "error": {"code", "message", ...}}

`error` is `PlugbayError.payload()`, from which a client makes the very exception again. An exception that nobody
expected is told as 500 with the request's id alone, and logged without messages and local variables, which may hold
anything.
"""

from __future__ import annotations

import logging
import math
import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails, to_json
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from plugbay import errors
from plugbay.errors import PlugbayError

__all__ = [
    "ApiError",
    "ErrorBody",
    "ErrorDetail",
    "FieldError",
    "answer_for",
    "field_errors",
    "invalid",
    "log_failure",
    "not_found",
    "stack_of",
    "too_large",
    "too_many",
    "unavailable",
]

logger = logging.getLogger("plugbay.server")

MAX_FIELD_ERRORS = 50
"""Mistakes of one request that are told; a body of a megabyte may have many."""

RETRY_AFTER_UNAVAILABLE = 2.0
"""Seconds after which a client may ask again when the database cannot be reached."""

STATUSES: dict[type[PlugbayError], int] = {
    errors.InvalidParameterError: 422,
    errors.ValidationFailedError: 422,
    errors.UnknownOperationError: 422,
    errors.ConfigurationError: 422,
    errors.NotFoundError: 404,
    errors.ConnectorNotFoundError: 404,
    errors.ConflictError: 409,
    errors.AmbiguousConnectorError: 409,
    errors.AuthenticationError: 409,
    errors.PermissionDeniedError: 403,
    errors.PolicyDeniedError: 403,
    errors.ApprovalRequiredError: 403,
    errors.RateLimitedError: 429,
    errors.ServiceError: 502,
    errors.NetworkError: 502,
    errors.ResponseIntegrityError: 502,
    errors.DeadlineExceededError: 504,
}
"""The status of a failed execution. 401 is about the API's own token alone; a connector that must be authorized again
is a conflict with what is stored."""

KINDS: dict[int, type[PlugbayError]] = {
    400: errors.InvalidParameterError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    405: errors.UnknownOperationError,
    408: errors.DeadlineExceededError,
    409: errors.ConflictError,
    413: errors.InvalidParameterError,
    415: errors.InvalidParameterError,
    416: errors.InvalidParameterError,
    422: errors.InvalidParameterError,
    429: errors.RateLimitedError,
    500: errors.ServiceError,
    502: errors.ServiceError,
    503: errors.ServiceError,
    504: errors.DeadlineExceededError,
}
"""The exception that a client raises for a failure of the API itself."""

_AUTHORIZE = "The connector has to be authorized again: on the server's web page, or by a consent for its connector_id."

_MESSAGES = {"union_tag_invalid": "There is no such kind."}
"""For pydantic's sentences that repeat what was given."""

_BY_CODE = {kind.code: kind for kind in STATUSES}


class FieldError(BaseModel):
    """What is wrong with one part of a request."""

    field: str | None = Field(default=None, description="Where it is, as `environment.subdomain`.")
    message: str
    error_code: str
    details: dict[str, Any] | None = None


class ErrorDetail(BaseModel):
    """The failure as an exception of plugbay."""

    code: str
    message: str
    hint: str | None = None
    retryable: bool
    retry_after: float | None = Field(default=None, description="Seconds to wait before the next try.")
    details: dict[str, Any] | None = None


class ErrorBody(BaseModel):
    """Every answer that is not a success."""

    message: str
    errors: list[FieldError]
    error: ErrorDetail


class ApiError(Exception):
    """A request that is not answered as it wished.

    Args:
        status: The HTTP status.
        message: What went wrong, for a person.
        error_code: A word for programs, as "workspace_not_found"; it may be the code of a class of `plugbay.errors`,
            which is then the exception that a client raises.
        field: The part of the request that is meant.
        hint: What to do next, if that is known.
        retry_after: Seconds to wait before the next try.
        details: More facts, as JSON values.
        errors: Several mistakes at once, in place of `field`.
        headers: More headers of the answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        error_code: str,
        field: str | None = None,
        hint: str | None = None,
        retry_after: float | None = None,
        details: Mapping[str, Any] | None = None,
        errors: Sequence[FieldError] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.error_code = error_code
        self.headers = dict(headers or {})
        kind = _BY_CODE.get(error_code) or KINDS.get(status, PlugbayError)
        self.error = kind(message, hint=hint, retry_after=retry_after, details=details)
        told = FieldError(field=field, message=self.error.message, error_code=error_code, details=self.error.details)
        self.errors = list(errors) if errors is not None else [told]
        super().__init__(self.error.message)


def invalid(field: str | None, message: str, *, error_code: str = "invalid", hint: str | None = None) -> ApiError:
    """A 422 about one part of a request."""
    return ApiError(422, message, error_code=error_code, field=field, hint=hint)


def field_errors(error: ValidationError, prefix: str = "") -> list[FieldError]:
    """What pydantic found, without what was given.

    Args:
        error: Its exception.
        prefix: Put before each field.
    """
    # Context and input may be the secret itself; `msg` is pydantic's own sentence.
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [
        FieldError(
            field=_place(each, prefix), message=_MESSAGES.get(each["type"], each["msg"]), error_code=each["type"]
        )
        for each in found[:MAX_FIELD_ERRORS]
    ]


def answer_for(error: Exception, request_id: str) -> Response:
    """The answer to a request that failed.

    Args:
        error: What was raised.
        request_id: Of the request.
    """
    if isinstance(error, ApiError):
        return _told(error.status, error.error, error.errors, error.headers)
    if isinstance(error, errors.ServiceError) and isinstance(error.__cause__, (SQLAlchemyError, OSError)):
        log_failure(error.message, error, request_id)
        return answer_for(unavailable(), request_id)
    if isinstance(error, PlugbayError):
        return _of_plugbay(error)
    if isinstance(error, HTTPException):
        return answer_for(_of_starlette(error), request_id)
    if isinstance(error, ClientDisconnect):
        return answer_for(ApiError(400, "The request broke off.", error_code="broken_off"), request_id)
    log_failure("a request failed unexpectedly", error, request_id)
    return answer_for(_unexpected(request_id), request_id)


def too_large(limit: int) -> ApiError:
    """The answer to a body of more than `limit` bytes."""
    return ApiError(413, f"A body may have {limit} bytes.", error_code="body_too_large", details={"limit": limit})


def too_many(limit: int, wait: float, what: str = "requests") -> ApiError:
    """The answer to more in a minute than `limit`, who may go on after `wait` seconds."""
    text = f"There were more than {limit} {what} in this minute."
    return ApiError(429, text, error_code="rate_limited", retry_after=wait)


def unavailable(message: str = "The service is not available at the moment.") -> ApiError:
    """The answer of a server that cannot work now, as when its database cannot be reached."""
    return ApiError(503, message, error_code="unavailable", retry_after=RETRY_AFTER_UNAVAILABLE)


def not_found() -> ApiError:
    """The answer for an address that leads nowhere."""
    return ApiError(404, "There is nothing at this address.", error_code="not_found")


def _of_starlette(error: HTTPException) -> ApiError:
    phrase = HTTPStatus(error.status_code).phrase
    return ApiError(error.status_code, f"{phrase}.", error_code=phrase.lower().replace(" ", "_"), headers=error.headers)


def _unexpected(request_id: str) -> ApiError:
    details = {"request_id": request_id}
    return ApiError(500, "The server failed.", error_code="internal", details=details)


def _of_plugbay(error: PlugbayError) -> Response:
    status = next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), 500)
    if isinstance(error, errors.AuthenticationError):
        error.details = {**(error.details or {}), "connector_status": "needs_reauth"}
        error.hint = _AUTHORIZE  # the engine's own is for whoever holds the credentials, and here that is the server
    told = FieldError(
        field=(error.details or {}).get("field"), message=error.message, error_code=error.code, details=error.details
    )
    # The engine has tried as often as is good; another's tries would only multiply them.
    return _told(status, error, [told], {"X-Should-Retry": "false"})


def _told(status: int, error: PlugbayError, found: Sequence[FieldError], headers: Mapping[str, str]) -> Response:
    body = {"message": error.message, "errors": [each.model_dump() for each in found], "error": error.payload()}
    known = dict(headers)
    if error.retry_after is not None and status in (429, 503):
        known["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    if status == 401:  # noqa: PLR2004 - RFC 6750, section 3: the challenge belongs to every 401
        known.setdefault("WWW-Authenticate", "Bearer")
    return Response(to_json(body, fallback=str), status, known, "application/json")


def _place(found: ErrorDetails, prefix: str) -> str | None:
    # The names of a body's unknown keys are the client's own words; pydantic gives those of the model and indexes.
    parts = [str(part)[:100] for part in (prefix, *found["loc"]) if part != ""]
    return ".".join(parts) or None


def log_failure(message: str, error: BaseException, request_id: str) -> None:
    """Logs an exception by its kind and the lines that it came through, and nothing that it says or holds."""
    logger.error(message, extra={"request_id": request_id, "error": type(error).__name__, "stack": stack_of(error)})


def stack_of(error: BaseException) -> list[str]:
    """Where an exception and its causes came from, without their messages and local variables."""
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        lines.append(f"{type(current).__module__}.{type(current).__qualname__}")
        frames = traceback.extract_tb(current.__traceback__)
        lines += [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return lines
