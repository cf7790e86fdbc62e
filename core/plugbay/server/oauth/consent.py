"""Our own page, before Zendesk's: a person sees who asks for what, and goes on or not.

Zendesk shows the name of an OAuth app, which may be the same for every organization; only here can a person see whose
agents will work in their account (RFC 9700 section 4.13, the confused deputy).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from plugbay.connectors.zendesk.authorization import SCOPE
from plugbay.server.catalog import by_type
from plugbay.server.oauth import browser
from plugbay.server.oauth.apps import app_of, authorization
from plugbay.server.oauth.beginning import CONSENT_PATH
from plugbay.server.oauth.problems import Problem
from plugbay.server.oauth.redirects import origin_of, shown, with_answer
from plugbay.server.oauth.standing import check_standing, workspace_of
from plugbay.server.pages.forgery import form_token, is_ours
from plugbay.server.pages.forms import read_form
from plugbay.server.pages.render import page

if TYPE_CHECKING:
    from plugbay.server.state import Server
    from plugbay.server.store import Flow, Workspace

__all__ = ["LONGEST_STATE", "NO_REFERRER", "back", "consent", "decide", "ended"]

LONGEST_STATE = 500
"""Characters of a ticket or a state that is looked up at all."""

NO_REFERRER = {"referrer-policy": "no-referrer", "cache-control": "no-store"}

SCOPES = {
    "read": "read everything that you may read there: tickets, people, organizations, calls",
    "write": "write in your name: create and change tickets, comments and people",
}
"""What scopes mean, in the words of the person who grants them."""


async def consent(request: Request) -> Response:
    """GET: who asks for what. Looking at it changes nothing."""
    server: Server = request.app.state.server
    ticket = request.query_params.get("flow", "")
    key = browser.key_of(request, server.settings)
    flow = await _open(server, ticket, key)
    workspace = None if flow is None else await workspace_of(server, flow)
    if flow is None or workspace is None:
        return ended(request)
    key = key or browser.new_key()
    response = page(
        request,
        "oauth_consent.html",
        form_targets=_targets(server, flow),
        action=CONSENT_PATH,
        ticket=ticket,
        csrf=form_token(browser.form_key(key, ticket)),
        scopes=[SCOPES[word] for word in SCOPE.split()],
        **await _facts(server, flow, workspace),
    )
    browser.remember(response, server.settings, key)
    return response


async def decide(request: Request) -> Response:
    """POST: goes on to Zendesk, or back to where the person came from.

    Who presses the button twice, or comes back from Zendesk's page and presses it again, goes the same way again.
    """
    server: Server = request.app.state.server
    form = await read_form(request)
    ticket, decision = form.get("flow", ""), form.get("decision", "")
    key = browser.key_of(request, server.settings)
    is_from_here = key is not None and is_ours(request, server.settings.public_url, form, browser.form_key(key, ticket))
    if key is None or not is_from_here or decision not in ("continue", "cancel"):
        return page(request, "oauth_refused.html", 403)
    flow = await _open(server, ticket, key)
    if flow is None:
        return ended(request)
    if decision == "continue":
        return await _go_on(request, flow, ticket, key)
    flow = await server.flows.take(ticket)
    return ended(request) if flow is None else back(flow, Problem("access_denied").answer())


def back(flow: Flow, answer: dict[str, str]) -> Response:
    """Leads the browser back to where the flow ends."""
    return RedirectResponse(with_answer(flow.redirect_url, answer), 303, NO_REFERRER)


def ended(request: Request, status: int = 410) -> Response:
    """The page for what is no longer valid, or never was: nobody is led anywhere."""
    response = page(request, "oauth_ended.html", status)
    response.headers.update(NO_REFERRER)
    return response


async def _open(server: Server, ticket: str, key: str | None) -> Flow | None:
    """The flow of a page that this browser may still answer: no browser has yet, or this one did."""
    if not 0 < len(ticket) <= LONGEST_STATE:
        return None
    flow = await server.flows.peek(ticket)
    is_free = flow is not None and (flow.stage == "asked" or browser.owns(key, flow.browser))
    return flow if is_free else None


async def _go_on(request: Request, flow: Flow, ticket: str, key: str) -> Response:
    """Sends the browser to Zendesk; from here on the flow belongs to it, and the ticket is the state."""
    server: Server = request.app.state.server
    try:
        await check_standing(server, flow)
        app = await app_of(server, flow)
    except Problem as problem:
        await server.flows.take(ticket)
        return back(flow, problem.answer())
    await server.flows.advance(ticket, browser=browser.digest_of(key))
    sent = await server.flows.peek(ticket)
    if sent is None or not browser.owns(key, sent.browser):  # another browser was faster
        return ended(request)
    url = authorization(server.settings, app, flow.subdomain).url(ticket, flow.verifier)
    return RedirectResponse(url, 303, NO_REFERRER)


async def _facts(server: Server, flow: Flow, workspace: Workspace) -> dict[str, Any]:
    organization = await server.organizations.get(flow.organization_id)
    definition = by_type(flow.connector_type)
    return {
        "organization": organization.name if organization else "",
        "workspace": workspace.name,
        "connector_type": definition.display_name if definition else flow.connector_type,
        "connector": flow.name,
        "account": f"{flow.subdomain}.zendesk.com",
        "place": shown(flow.redirect_url),
        "renews": flow.connector_id is not None,
    }


def _targets(server: Server, flow: Flow) -> list[str]:
    """Where the form may lead, by redirects as well: to Zendesk and the person's own sign-in, and back.

    An account may sign its people in anywhere, so every https address is among them.
    """
    known = {origin_of(flow.redirect_url), origin_of(server.settings.zendesk_url or "https://zendesk.com")}
    return ["https:", *sorted(each for each in known if urlsplit(each).scheme != "https")]
