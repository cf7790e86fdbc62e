"""How an OAuth endpoint says no, in the words that its specifications give."""

from __future__ import annotations

from starlette.responses import JSONResponse

__all__ = ["NO_STORE", "OAuthError", "answer_of"]

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
"""On every answer that has a token or tells of one (RFC 6749 section 5.1)."""


class OAuthError(Exception):
    """A refusal of one of the OAuth endpoints (RFC 6749 sections 4.1.2.1 and 5.2, RFC 7591 section 3.2.2, RFC 8707 section 2).

    Args:
        error: The code, as `invalid_grant`.
        description: What is wrong and what is allowed, in ASCII; it never repeats a secret.
        status: The HTTP status.
    """

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        self.error = error
        self.description = description
        self.status = status
        super().__init__(f"{error}: {description}")


def answer_of(error: OAuthError) -> JSONResponse:
    """The refusal as an answer."""
    body = {"error": error.error, "error_description": error.description}
    return JSONResponse(body, status_code=error.status, headers=NO_STORE)
