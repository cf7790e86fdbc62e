"""Signing in and out, and choosing the organization to look at."""

from __future__ import annotations

import math
from hmac import compare_digest
from secrets import token_urlsafe
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from plugbay.server.auditing import tell_audit, tell_refusal
from plugbay.server.caller import Caller, is_id, not_found
from plugbay.server.guessing import spend_try
from plugbay.server.pages import forgery, sessions
from plugbay.server.pages.forms import Form, read_form
from plugbay.server.pages.notices import NOTICES
from plugbay.server.pages.render import page
from plugbay.server.pages.visits import Visit, go, local_path, screen, shielded
from plugbay.server.run import first_access

if TYPE_CHECKING:
    from plugbay.server.state import Server
    from plugbay.server.store import Organization

__all__ = ["ROUTES"]

LONGEST_NAME = 255
VISITOR_LIFETIME = 3600
"""Seconds that the sign-in form may stay open."""

WRONG = "These are not right. Look at both parts again; a secret is shown only once, when it is made."
WRONG_TOKEN = "This is not the operator's token."  # noqa: S105 - what a page says


@shielded
async def show(request: Request) -> Response:
    """The sign-in form."""
    server: Server = request.app.state.server
    wanted = local_path(request.query_params.get("next", "/"))
    if await sessions.find(server, request) is not None:
        return go(wanted)
    return _form(request, Form({"next": wanted}))


@shielded
async def sign_in(request: Request) -> Response:
    """Signs somebody in, and always under a new token."""
    server: Server = request.app.state.server
    values = await read_form(request)
    form = Form(values, secrets=("client_secret", "admin_token"))
    visitor = request.cookies.get(_visitor_cookie(server), "")
    if not visitor or not forgery.is_ours(request, server.settings.public_url, values, visitor.encode()):
        return page(request, "forged.html", 403)
    # Counted together with the API's, so that whoever guesses has one budget and not two.
    waits = await spend_try(server, request)
    if waits is not None:
        form.refuse("", f"Too many tries. Wait {math.ceil(waits)} seconds.")
        return _form(request, form, 429)
    person = await (_operator(server, form) if "admin_token" in values else _client(server, form))
    if person is None:
        return _form(request, form, 403)
    return await _welcome(request, person, local_path(values.get("next", "/")))


@screen("POST", "/sign-out")
async def sign_out(visit: Visit) -> Response:
    """Ends the session, here and in the browser."""
    await sessions.end(visit.server, visit.session)
    await visit.note("sign_out")
    response = go("/sign-in", "signed-out")
    sessions.drop_cookie(response, visit.server.settings)
    return response


@screen("GET", "/organizations")
async def organizations(visit: Visit) -> Response:
    """The organizations that may be looked at."""
    return await _organizations(visit, Form())


@screen("POST", "/organizations")
async def switch(visit: Visit) -> Response:
    """Looks at another organization, in a new session."""
    wanted = visit.form.get("organization_id", "")
    if not is_id(wanted) or wanted not in {known.id for known in await _reached(visit)}:
        raise not_found("organization")
    return await _move(visit, wanted, "switched")


@screen("POST", "/organizations/new")
async def create(visit: Visit) -> Response:
    """Makes an organization, if the operator asks for it, and looks at it."""
    if not visit.caller.is_admin:
        raise not_found("page")
    form = Form(visit.form)
    name = form.text("name", "Name", longest=LONGEST_NAME)
    if form.errors:
        return await _organizations(visit, form, 422)
    made = await visit.server.organizations.create(name)
    return await _move(visit, made.id, "organization")


async def _client(server: Server, form: Form) -> Caller | None:
    client_id, secret = form.text("client_id", "Client id"), form.text("client_secret", "Client secret")
    if form.errors:
        return None
    client = await server.clients.authenticate(client_id, secret)
    if client is None:
        await tell_refusal(server, client_id, "sign_in", "web")
        form.refuse("client_id", WRONG)
        form.refuse("client_secret", WRONG)
        return None
    return Caller(client.organization_id, client.id, via="web")


async def _operator(server: Server, form: Form) -> Caller | None:
    token = form.text("admin_token", "Operator's token")
    known = server.settings.admin_token
    if form.errors:
        return None
    if known is None or not compare_digest(token.encode(), known.get_secret_value().encode()):
        form.refuse("admin_token", WRONG_TOKEN)
        return None
    first = (await first_access(server)).organization_id
    return Caller(first, None, is_admin=True, via="web")


async def _welcome(request: Request, person: Caller, wanted: str) -> Response:
    server: Server = request.app.state.server
    old = await sessions.find(server, request)
    if old is not None:
        await sessions.end(server, old)
    token = await sessions.begin(server, client_id=person.client_id, organization_id=person.organization_id)
    await tell_audit(server, person, "sign_in")
    response = go(wanted)
    sessions.set_cookie(response, server.settings, token)
    response.delete_cookie(_visitor_cookie(server), secure=server.settings.is_https, httponly=True)
    return response


async def _move(visit: Visit, organization_id: str, done: str) -> Response:
    token = await sessions.begin(visit.server, client_id=visit.caller.client_id, organization_id=organization_id)
    await sessions.end(visit.server, visit.session)
    response = go("/", done)
    sessions.set_cookie(response, visit.server.settings, token)
    return response


def _form(request: Request, form: Form, status: int = 200) -> Response:
    server: Server = request.app.state.server
    visitor = request.cookies.get(_visitor_cookie(server)) or token_urlsafe(32)
    response = page(
        request,
        "sign_in.html",
        status,
        form=form,
        csrf=forgery.form_token(visitor.encode()),
        has_operator=server.settings.admin_token is not None,
        notice=NOTICES.get(request.query_params.get("done", ""), ""),
    )
    response.set_cookie(
        _visitor_cookie(server),
        visitor,
        max_age=VISITOR_LIFETIME,
        secure=server.settings.is_https,
        httponly=True,
        samesite="lax",
    )
    return response


def _visitor_cookie(server: Server) -> str:
    return f"{sessions.cookie_name(server.settings)}-visitor"


async def _reached(visit: Visit) -> list[Organization]:
    if visit.caller.is_admin:
        return await visit.server.organizations.list()
    reached = await visit.server.clients.organizations_of(visit.caller.client_id or "")
    found = [await visit.server.organizations.get(each) for each in reached]
    return [each for each in found if each is not None]


async def _organizations(visit: Visit, form: Form, status: int = 200) -> Response:
    return visit.page(
        "organizations.html",
        status,
        form=form,
        organizations=await _reached(visit),
        current=visit.organization_id,
        is_admin=visit.caller.is_admin,
    )


ROUTES = [
    Route("/sign-in", show, methods=["GET"]),
    Route("/sign-in", sign_in, methods=["POST"]),
    sign_out,
    organizations,
    switch,
    create,
]
