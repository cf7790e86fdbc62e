"""What can go wrong once a person is on the way, and what the program that sent them there is told of it."""

from __future__ import annotations

from typing import Any

from plugbay.errors import (
    AuthenticationError,
    DeadlineExceededError,
    InvalidParameterError,
    NetworkError,
    PermissionDeniedError,
    PlugbayError,
    RateLimitedError,
    ResponseIntegrityError,
    ServiceError,
)

__all__ = ["TEXTS", "Problem", "problem_of"]

TEXTS = {
    "access_denied": "The person did not agree.",
    "invalid_request": "Zendesk's answer did not fit the question. Start again.",
    "invalid_scope": "Zendesk did not grant the scopes read and write. Allow both for the OAuth client.",
    "invalid_grant": "Zendesk did not accept the code: it was used, expired, or given for another client. Start again.",
    "invalid_client": "Zendesk does not accept the OAuth client. Check its id and its secret.",
    "unauthorized_client": "Zendesk does not let the OAuth client ask. Check its kind and its redirect URL.",
    "oauth_app_changed": "The OAuth app was changed or removed meanwhile. Start again.",
    "account_refused": "Zendesk gave tokens, but does not let them read who they belong to.",
    "workspace_not_found": "The workspace was deleted meanwhile.",
    "workspace_inactive": "The workspace is switched off.",
    "client_revoked": "The client that began this may no longer act for the organization.",
    "connector_not_found": "The connector was removed meanwhile.",
    "temporarily_unavailable": "Zendesk could not be reached or did not answer as it should. Try again later.",
    "server_error": "The server failed.",
}
"""What each code means, in the characters that RFC 6749 section 4.1.2.1 allows."""

_PASSED_ON = frozenset({"access_denied", "invalid_scope", "invalid_grant", "invalid_client", "unauthorized_client"})
_LATER = (NetworkError, DeadlineExceededError, RateLimitedError, ResponseIntegrityError, ServiceError)


class Problem(Exception):  # noqa: N818 - the end of a way, not a failure of ours
    """The end of an authorization that made no connector.

    Args:
        code: One of `TEXTS`.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)

    def answer(self) -> dict[str, str]:
        """The parameters that the browser takes back."""
        return {"error": self.code, "error_description": TEXTS[self.code]}


def problem_of(error: PlugbayError) -> Problem:
    """What a failure of an authorization is called; the service's own words are not passed on."""
    details: dict[str, Any] = error.details or {}
    if isinstance(error, AuthenticationError):
        code = details.get("error")
        return Problem(code if code in _PASSED_ON else _of_provider(code))
    if isinstance(error, PermissionDeniedError):
        return Problem("invalid_scope")
    if isinstance(error, InvalidParameterError):
        return Problem("invalid_request")
    return Problem("temporarily_unavailable" if isinstance(error, _LATER) else "server_error")


def _of_provider(code: str | None) -> str:
    return "temporarily_unavailable" if code in ("temporarily_unavailable", "server_error") else "invalid_request"
