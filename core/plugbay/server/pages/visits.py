"""One request for a page: who is there, what was sent, and what becomes of a failure."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from plugbay.errors import PlugbayError
from plugbay.server.auditing import tell_audit
from plugbay.server.caller import Caller
from plugbay.server.failures import ApiError, answer_for
from plugbay.server.pages import forgery, sessions
from plugbay.server.pages.forms import read_form
from plugbay.server.pages.notices import NOTICES
from plugbay.server.pages.render import page
from plugbay.server.pages.sessions import Session

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from plugbay.server.state import Server

__all__ = ["Viewer", "Visit", "failed", "go", "local_path", "screen", "shielded"]

PLACES = (("/", "Connectors"), ("/connect", "Connect"), ("/audit", "Audit"), ("/access", "Access"))
"""The pages of the menu."""

HEADINGS = {
    403: "You may not do that",
    404: "There is no such page",
    405: "That page does not take this",
    413: "That was too much",
    429: "Too many requests",
    503: "Not available at the moment",
}
"""The heading of an error page, by status."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is signed in, as the frame shows it."""

    organization: str
    may_switch: bool
    csrf: str
    notice: str
    places: tuple[tuple[str, str], ...] = PLACES


@dataclass(slots=True)
class Visit:
    """One request of a person who is signed in.

    Attributes:
        server: The server.
        request: The request.
        session: Who is signed in.
        form: What a form sent, by field.
    """

    server: Server
    request: Request
    session: Session
    form: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def caller(self) -> Caller:
        """In whose name the page works."""
        return self.session.caller

    @property
    def organization_id(self) -> str:
        """Whose data the page shows."""
        return self.session.caller.organization_id

    def page(self, name: str, status: int = 200, **values: Any) -> Response:
        """A page for this person."""
        return page(self.request, name, status, **values)

    async def note(
        self,
        event: str,
        subject: str | None = None,
        content: Mapping[str, Any] | None = None,
        *,
        connection: AsyncConnection | None = None,
    ) -> None:
        """Notes in the audit log what was done; see `tell_audit`."""
        await tell_audit(self.server, self.caller, event, subject=subject, content=content, connection=connection)


Handler = Callable[[Visit], Awaitable[Response]]


def shielded(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Makes every failure of a handler a page."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except Exception as error:  # noqa: BLE001 - a person gets a page whatever it was; `failed` logs the unexpected
            return failed(request, error)

    return answer


def screen(method: str, path: str) -> Callable[[Handler], Route]:
    """Makes a handler the route of a page that needs somebody signed in, and a form token if it changes something.

    Args:
        method: `GET` or `POST`.
        path: As Starlette writes them.
    """

    def made(handler: Handler) -> Route:
        @shielded
        async def answer(request: Request) -> Response:
            return await _answer(request, handler)

        return Route(path, answer, methods=[method], name=f"page {method} {path}")

    return made


def go(path: str, done: str = "") -> Response:
    """Sends the browser on to a page of ours.

    Args:
        path: Where to.
        done: The notice that the page shows, as `NOTICES` names it.
    """
    separator = "&" if "?" in path else "?"
    return RedirectResponse(f"{path}{separator}done={done}" if done else path, 303, {"cache-control": "no-store"})


def local_path(text: str) -> str:
    """`text` if it is a path of this server, else the first page: nobody is sent elsewhere by a link to us."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/"
    odd = "\\" in text or not text.isprintable() or not text.isascii()
    return "/" if parts.scheme or parts.netloc or odd or not text.startswith("/") or text.startswith("//") else text


async def _answer(request: Request, handler: Handler) -> Response:
    server: Server = request.app.state.server
    session = await sessions.find(server, request)
    if session is None:
        return _to_sign_in(request)
    visit = Visit(server, request, session)
    request.state.viewer = await _viewer(visit)
    await _spend(visit)
    if request.method == "POST":
        visit.form = await read_form(request)
        if not forgery.is_ours(request, server.settings.public_url, visit.form, session.key):
            return page(request, "forged.html", 403)
    return await handler(visit)


async def _spend(visit: Visit) -> None:
    """Counts the request as one of its client's, as the API does."""
    client_id = visit.caller.client_id
    if client_id is None:
        return
    visit.request.scope["plugbay.client"] = client_id
    wait = await visit.server.rates.take(client_id, visit.server.settings.rate_per_minute)
    if wait is not None:
        raise ApiError(429, f"Wait {math.ceil(wait)} seconds.", error_code="rate_limited", retry_after=wait)


def failed(request: Request, error: Exception) -> Response:
    """The page that says what went wrong, for a person.

    Args:
        request: What failed.
        error: Why.
    """
    viewer: Viewer | None = getattr(request.state, "viewer", None)
    if viewer is not None:
        # What an address claims to have been done does not belong above a failure.
        request.state.viewer = replace(viewer, notice="")
    if isinstance(error, HTTPException):
        answer = _failure(request, error.status_code)
        answer.headers.update(error.headers or {})
        return answer
    told = answer_for(error, request.scope.get("plugbay.request_id", ""))
    known = error.error if isinstance(error, ApiError) else error if isinstance(error, PlugbayError) else None
    answer = _failure(request, told.status_code, known)
    if "retry-after" in told.headers:
        answer.headers["retry-after"] = told.headers["retry-after"]
    return answer


def _failure(request: Request, status: int, known: PlugbayError | None = None) -> Response:
    """The page; of what nobody expected it has nothing but the name under which the log has it."""
    return page(
        request,
        "failed.html",
        status,
        heading=_heading(status),
        text=known.message if known else "",
        hint=known.hint or "" if known else "",
        reference=request.scope.get("plugbay.request_id", "") if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "",
    )


def _heading(status: int) -> str:
    return HEADINGS.get(
        status, "That did not work" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "The server failed"
    )


def _to_sign_in(request: Request) -> Response:
    if request.method == "POST":
        return go("/sign-in", "ended")
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return go("/sign-in" if wanted == "/" else f"/sign-in?next={quote(wanted)}")


async def _viewer(visit: Visit) -> Viewer:
    caller = visit.caller
    found = await visit.server.organizations.get(caller.organization_id)
    several = caller.is_admin or len(await visit.server.clients.organizations_of(caller.client_id or "")) > 1
    notice = NOTICES.get(visit.request.query_params.get("done", ""), "")
    return Viewer(found.name if found else "", several, forgery.form_token(visit.session.key), notice)
