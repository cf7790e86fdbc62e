"""Every failure the library can name, under one root.

    PlugbayError
    ├── ConfigurationError          the connector is not set up to make the call
    ├── AuthenticationError         the service does not accept the credentials
    ├── PermissionDeniedError       the credentials may not do this
    ├── UnknownOperationError       no such entity or action
    ├── InvalidParameterError       arguments refused before anything was sent
    ├── NotFoundError               no such record
    ├── ConflictError               the record changed, or another write is in the way
    ├── ValidationFailedError       the service refused the content
    ├── RateLimitedError            too many calls; `retry_after` says how long to wait
    ├── ServiceError                the service failed
    ├── NetworkError                the service could not be reached, or the connection broke
    ├── DeadlineExceededError       the call ran out of its time
    ├── ResponseIntegrityError      an answer that is not what was promised
    ├── PolicyDeniedError           the policy forbids the action
    ├── ApprovalRequiredError       the policy wants a person to agree first
    ├── ConnectorNotFoundError      no connector of that name
    └── AmbiguousConnectorError     several connectors fit

Each carries its facts as attributes, so that a program never parses a message,
and `payload()`, the one JSON form that every agent framework is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypedDict

from plugbay.plain_text import each_text, one_line

__all__ = [
    "AmbiguousConnectorError",
    "ApprovalRequiredError",
    "AuthenticationError",
    "ConfigurationError",
    "ConflictError",
    "ConnectorNotFoundError",
    "DeadlineExceededError",
    "ErrorPayload",
    "InvalidParameterError",
    "NetworkError",
    "NotFoundError",
    "PermissionDeniedError",
    "PlugbayError",
    "PolicyDeniedError",
    "RateLimitedError",
    "ResponseIntegrityError",
    "ServiceError",
    "UnknownOperationError",
    "ValidationFailedError",
]

MAX_MESSAGE = 1_000
"""Longest message kept, in characters: a service's error page must not become an error of the same size."""

MAX_HINT = 2_000
"""Longest hint kept, in characters: one may hold a whole call."""

MAX_REQUEST_ID = 200


class ErrorPayload(TypedDict):
    """What a model is told of a failure."""

    code: str
    message: str
    hint: str | None
    retryable: bool
    retry_after: float | None
    details: dict[str, Any] | None


def clip(text: str, limit: int = MAX_MESSAGE) -> str:
    """`text`, cut to `limit` characters with a mark where it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _words(limit: int) -> Callable[[Any], Any]:
    """Makes a text one line of at most `limit` characters without hidden or control characters."""

    def change(text: Any) -> Any:
        # Cut first as well: looking through all of a page would take its time.
        return clip(one_line(clip(text, 4 * limit)), limit) if isinstance(text, str) else text

    return change


def _facts(details: Any) -> Any:
    return each_text(details, _words(MAX_MESSAGE)) or None


class PlugbayError(Exception):
    """A failure with a name.

    It may be told in a log or on a terminal, and services and strangers put words into it. So all its texts, those
    within `details` too, are single lines of bounded length without hidden or control characters, whenever they
    are set; see `plugbay.plain_text`.

    Args:
        message: What went wrong, for a person; clipped to `MAX_MESSAGE` characters.
        hint: What to do next, if that is known; clipped to `MAX_HINT` characters.
        retryable: Whether the same call may succeed later; the class's own default if not given.
        retry_after: Seconds to wait before the next try, where the service said so.
        details: More facts, as JSON values: `fields` by name, `status`, `allowed` and the like; each text is clipped
            to `MAX_MESSAGE` characters.
        request_id: The service's id for the request.
    """

    code: ClassVar[str] = "error"
    retryable_by_default: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        retryable: bool | None = None,
        retry_after: float | None = None,
        details: Mapping[str, Any] | None = None,
        request_id: str | None = None,
    ) -> None:
        self.message = message
        self.hint = hint
        self.retryable = self.retryable_by_default if retryable is None else retryable
        self.retry_after = retry_after
        self.details: dict[str, Any] | None = dict(details) if details else None
        self.request_id = request_id
        super().__init__(self.message)

    def __setattr__(self, name: str, value: Any) -> None:
        change = _TEXTS.get(name)
        super().__setattr__(name, value if change is None else change(value))

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.__dict__)

    def payload(self) -> ErrorPayload:
        """The failure as JSON values."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "retryable": self.retryable,
            "retry_after": self.retry_after,
            "details": self.details,
        }


_TEXTS: dict[str, Callable[[Any], Any]] = {
    "message": _words(MAX_MESSAGE),
    "hint": _words(MAX_HINT),
    "request_id": _words(MAX_REQUEST_ID),
    "details": _facts,
}
"""What is done to an error's attribute when it is set."""


def _rebuild(kind: type[PlugbayError], message: str, state: dict[str, Any]) -> PlugbayError:
    error = kind(message)
    error.__dict__.update(state)
    return error


class ConfigurationError(PlugbayError):
    """The connector is not set up to make the call."""

    code = "configuration"


class AuthenticationError(PlugbayError):
    """The service does not accept the credentials."""

    code = "authentication"


class PermissionDeniedError(PlugbayError):
    """The credentials are good, but may not do this."""

    code = "permission_denied"


class UnknownOperationError(PlugbayError):
    """There is no such entity or action."""

    code = "unknown_operation"


class InvalidParameterError(PlugbayError):
    """The arguments do not fit the action; nothing was sent."""

    code = "invalid_parameter"


class NotFoundError(PlugbayError):
    """There is no such record, or the credentials cannot see it."""

    code = "not_found"


class ConflictError(PlugbayError):
    """The record has changed since it was read, or another write is in the way."""

    code = "conflict"


class ValidationFailedError(PlugbayError):
    """The service refused the content; `details["fields"]` says which parts and why."""

    code = "validation_failed"


class RateLimitedError(PlugbayError):
    """The service asks for fewer calls; `retry_after` says how many seconds to wait."""

    code = "rate_limited"
    retryable_by_default = True


class ServiceError(PlugbayError):
    """The service failed."""

    code = "service_error"
    retryable_by_default = True


class NetworkError(PlugbayError):
    """The service could not be reached, or the connection broke."""

    code = "network"
    retryable_by_default = True


class DeadlineExceededError(PlugbayError):
    """The call did not end within its time."""

    code = "deadline_exceeded"
    retryable_by_default = True


class ResponseIntegrityError(PlugbayError):
    """The answer is not what was promised: cut short, not JSON, or without its record."""

    code = "response_integrity"


class PolicyDeniedError(PlugbayError):
    """The policy forbids the action."""

    code = "policy_denied"


class ApprovalRequiredError(PlugbayError):
    """The policy wants a person to agree before the action is run."""

    code = "approval_required"


class ConnectorNotFoundError(PlugbayError):
    """There is no connector of that name."""

    code = "connector_not_found"


class AmbiguousConnectorError(PlugbayError):
    """Several connectors fit; name one by its id."""

    code = "ambiguous_connector"
