"""The page on which a person decides what a client may do, and what becomes of the decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from plugbay.operation import Effect
from plugbay.policy import Policy, Rules, Verdict
from plugbay.server.auditing import tell_audit
from plugbay.server.catalog import DEFINITIONS
from plugbay.server.mcp import addresses
from plugbay.server.mcp.authorization.asking import Asked, RefusedError, read_request
from plugbay.server.mcp.authorization.redirects import shown_host, source_of
from plugbay.server.mcp.clients import McpClients
from plugbay.server.mcp.grants import Grants, new_grant
from plugbay.server.pages.render import page
from plugbay.server.pages.visits import Visit, screen
from plugbay.server.policies import policy_of

if TYPE_CHECKING:
    from plugbay.server.store import Organization, Workspace

__all__ = ["decide", "show"]

MOST_SHOWN = 100
"""Workspaces that are offered by name; with more of them the name is typed."""

NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


@screen("GET", addresses.AUTHORIZE)
async def show(visit: Visit) -> Response:
    """The question to the person.

    Who is not signed in is asked to do so before anything else, so that no stranger makes us fetch a document.
    """
    try:
        asked = await read_request(visit.server, visit.request.url.query, visit.organization_id)
    except RefusedError as error:
        return _refusal(visit.request, error)
    return await _ask(visit, asked)


@screen("POST", addresses.AUTHORIZE)
async def decide(visit: Visit) -> Response:
    """Sends the browser back to the client, with a code or with the person's no."""
    try:
        asked = await read_request(visit.server, visit.form.get("request", ""), visit.organization_id)
    except RefusedError as error:
        return _refusal(visit.request, error)
    settings = visit.server.settings
    if visit.form.get("decision") != "allow":
        told = {"error": "access_denied", "error_description": "The person did not agree."}
        return RedirectResponse(asked.answer(settings, **told), 303, NO_STORE)
    workspace = await visit.server.workspaces.by_name(visit.organization_id, visit.form.get("workspace", ""))
    if workspace is None or workspace.status != "active":
        return await _ask(visit, asked, problem="Choose a workspace that exists and is active.")
    code = await _granted(visit, asked, workspace)
    return RedirectResponse(asked.answer(settings, code=code), 303, NO_STORE)


async def _granted(visit: Visit, asked: Asked, workspace: Workspace) -> str:
    server = visit.server
    grant = new_grant(
        organization_id=visit.organization_id,
        workspace_id=workspace.id,
        client_id=visit.caller.client_id,
        mcp_client_id=asked.client.id,
        mcp_client_name=asked.client.name,
        resource=addresses.resource(server.settings),
    )
    if asked.client.host is None:
        await McpClients(server.database).note_use(asked.client.id)
    code = await Grants(server.database).open(grant, redirect_uri=asked.redirect_uri, challenge=asked.challenge)
    told = {"client": asked.client.name, "client_id": asked.client.id}
    await tell_audit(server, visit.caller, "mcp.granted", workspace_id=workspace.id, subject=grant.id, content=told)
    return code


async def _ask(visit: Visit, asked: Asked, *, problem: str = "") -> Response:
    organization = await visit.server.organizations.get(visit.organization_id)
    active = await visit.server.workspaces.list(visit.organization_id, status="active", limit=MOST_SHOWN)
    return visit.page(
        "authorize.html",
        422 if problem else 200,
        form_targets=(source_of(asked.redirect_uri),),
        asked=asked,
        goes_to=shown_host(asked.redirect_uri),
        organization=organization.name if organization else "",
        workspaces=[each.name for each in active.items],
        has_more=active.next is not None,
        chosen=visit.form.get("workspace", ""),
        writes=_writes(organization),
        csrf=visit.request.state.viewer.csrf,
        problem=problem,
    )


def _refusal(request: Request, refused: RefusedError) -> Response:
    """The page about a request that is not put to anybody.

    The browser is not sent on by itself: anybody can register an address, and a link to us would lead there
    (RFC 9700 section 4.11.2).
    """
    client = refused.client
    return page(
        request,
        "authorize_refused.html",
        refused.error.status,
        error=refused.error,
        back=refused.back,
        client=client.name if client else "",
    )


def _writes(organization: Organization | None) -> list[str]:
    """What a model may change under the organization's policy, as `Zendesk Support: tickets.update`."""
    policy: Policy | None = policy_of(organization.policy) if organization else None
    rules = Rules([policy] if policy else [], by_model=True)
    return [
        f"{definition.connector.title}: {operation.name}"
        for definition in DEFINITIONS
        for actions in definition.connector.operations.values()
        for operation in actions.values()
        if operation.effect is not Effect.READ and rules.verdict(operation) is not Verdict.DENY
    ]
