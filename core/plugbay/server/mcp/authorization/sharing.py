"""Endpoints that any program may call from anywhere, a page in a browser too: they know nobody by a cookie."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from plugbay.server.failures import answer_for
from plugbay.server.guessing import spend_try
from plugbay.server.mcp.authorization.refusals import OAuthError, answer_of

if TYPE_CHECKING:
    from plugbay.server.state import Server

__all__ = ["read_fields", "shared", "spend"]

_FORM = "application/x-www-form-urlencoded"

MOST_FIELDS = 30

Handler = Callable[[Request], Awaitable[Response]]


def shared(method: str) -> Callable[[Handler], Handler]:
    """Lets pages of any origin call an endpoint (Fetch Standard section 3.3), and gives every failure its answer.

    Args:
        method: The one that it answers besides `OPTIONS`.
    """
    cors = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": f"{method}, OPTIONS",
        "Access-Control-Allow-Headers": "Content-Type, MCP-Protocol-Version",
        "Access-Control-Max-Age": "600",
    }

    def made(handler: Handler) -> Handler:
        @wraps(handler)
        async def answer(request: Request) -> Response:
            given = Response(status_code=204) if request.method == "OPTIONS" else await _answer(request, handler)
            given.headers.update(cors)
            return given

        return answer

    return made


async def read_fields(request: Request) -> dict[str, str]:
    """The fields of a form as the OAuth endpoints take it; one without a value is as if it were not there.

    Raises:
        OAuthError: It is not such a form, or has a field twice (RFC 6749 section 3.2).
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise OAuthError("invalid_request", f"The body must be {_FORM}.")
    form = await request.form(max_files=0, max_fields=MOST_FIELDS)
    found: dict[str, str] = {}
    for name, value in form.multi_items():
        # RFC 8707 section 2 lets `resource` be there more than once; there is only one that is ours.
        if not isinstance(value, str) or name in found:
            raise OAuthError("invalid_request", "A field is there more than once.")
        if value:
            found[name] = value
    return found


async def spend(request: Request, purpose: str) -> None:
    """Counts a request of somebody who has shown no token, by the address that it comes from.

    Raises:
        OAuthError: There were too many in this minute.
    """
    server: Server = request.app.state.server
    if await spend_try(server, request, purpose) is not None:
        raise OAuthError("temporarily_unavailable", "There were too many requests in this minute.", status=429)


async def _answer(request: Request, handler: Handler) -> Response:
    try:
        return await handler(request)
    except OAuthError as error:
        return answer_of(error)
    except Exception as error:  # noqa: BLE001 - every failure has an answer, and `answer_for` logs the unexpected
        return answer_for(error, request.scope.get("plugbay.request_id", ""))
