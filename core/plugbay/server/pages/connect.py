"""Connecting a Zendesk account: where it belongs, which it is, and how we get in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from starlette.responses import RedirectResponse, Response

from plugbay.server.api import naming
from plugbay.server.caller import is_id
from plugbay.server.catalog import DEFINITIONS, Definition
from plugbay.server.connecting import NewConnector, create_connector
from plugbay.server.execution import find_connector
from plugbay.server.failures import ApiError
from plugbay.server.oauth.beginning import begin, renewed
from plugbay.server.oauth.problems import TEXTS
from plugbay.server.oauth.redirects import origin_of
from plugbay.server.pages.forms import Form
from plugbay.server.pages.home import type_name, workspaces_of
from plugbay.server.pages.typed_credentials import SECRETS, WAYS, blame, read, typed_credentials
from plugbay.server.pages.visits import Visit, go, screen

__all__ = ["RETURN_PATH", "ROUTES"]

RETURN_PATH = "/connected"
"""Where a browser comes back to from a consent that began on a page."""

_ERROR_CODE = re.compile(r"[a-z_]{1,40}")
_UNPROCESSABLE = 422
_SERVER_ERRORS = 500


@screen("GET", "/connect")
async def show(visit: Visit) -> Response:
    """The form."""
    wanted = visit.request.query_params.get("workspace", "")
    chosen = await visit.server.workspaces.get(visit.organization_id, wanted) if is_id(wanted) else None
    values = {
        "workspace": chosen.name if chosen else "",
        "connector_type": DEFINITIONS[0].slug,
        "subdomain": visit.server.settings.default_subdomain or "",
        "way": "oauth",
    }
    return await _form(visit, Form(values))


@screen("POST", "/connect")
async def connect(visit: Visit) -> Response:
    """Makes the connector, or goes on to the consent that will make it."""
    form = Form(visit.form, secrets=SECRETS)
    way = form.choice("way", "How plugbay gets in", WAYS)
    new = _wanted(form)
    config = typed_credentials(form, way)
    if form.errors or new is None:
        return await _form(visit, form, _UNPROCESSABLE)
    try:
        if config is None:
            return RedirectResponse(
                await begin(visit.server, visit.caller, new, _return_url(visit)), 303, {"cache-control": "no-store"}
            )
        record, check = await create_connector(visit.server, visit.caller, new, config)
    except ApiError as error:
        if error.status >= _SERVER_ERRORS:
            raise
        blame(form, error, way)
        return await _form(visit, form, error.status)
    return go(f"/connectors/{record.id}", "connected" if check.status == "succeeded" else "unchecked")


@screen("GET", RETURN_PATH)
async def connected(visit: Visit) -> Response:
    """Where the consent ends: at the new connector, or with the reason why there is none."""
    query = visit.request.query_params
    connector_id = query.get("connector_id", "")
    if is_id(connector_id):
        return go(f"/connectors/{connector_id}", "authorized" if query.get("again") else "connected")
    code = query.get("error", "")
    # Words that came in an address are not shown: anybody can write a link to this page.
    return visit.page(
        "not_connected.html",
        text=TEXTS.get(code, "Zendesk did not grant access."),
        code=code if _ERROR_CODE.fullmatch(code) else "",
    )


@screen("POST", "/connectors/{connector_id}/authorize")
async def authorize(visit: Visit) -> Response:
    """Goes on to a consent that gives the connector other credentials."""
    record = await find_connector(visit.server, visit.caller, visit.request.path_params["connector_id"])
    url = await begin(visit.server, visit.caller, renewed(record), f"{_return_url(visit)}?again=1", record=record)
    return RedirectResponse(url, 303, {"cache-control": "no-store"})


def _return_url(visit: Visit) -> str:
    return visit.server.settings.public_url + RETURN_PATH


def _wanted(form: Form) -> NewConnector | None:
    """What is to be made; None if something is wrong with it, which the form then says."""
    workspace = form.text("workspace", "Workspace", longest=naming.LONGEST_NAME)
    slug = form.choice("connector_type", "Connector", [each.slug for each in DEFINITIONS])
    definition = next((each for each in DEFINITIONS if each.slug == slug), None)
    typed = form.text("subdomain", "Zendesk account")
    if definition is None or form.errors:
        return None
    subdomain = read(form, lambda: naming.subdomain_of({"subdomain": _label(typed)}, default=None))
    workspace_name = read(form, lambda: naming.required_workspace_name(workspace))
    name = read(form, lambda: naming.connector_name(form.text("name", "Name", required=False), definition))
    replication = _start_date(form, definition)
    if subdomain is None or workspace_name is None or name is None or form.errors:
        return None
    return NewConnector(
        workspace_name=workspace_name,
        definition=definition,
        name=name,
        subdomain=subdomain,
        replication_config=replication,
    )


def _label(typed: str) -> str:
    """The subdomain of what somebody typed, who may have copied the address of the browser."""
    found = re.fullmatch(r"(?:https?://)?([^./]+)\.zendesk\.com(?:/.*)?", typed, re.IGNORECASE)
    return (found[1] if found else typed).lower()


def _start_date(form: Form, definition: Definition) -> Mapping[str, str]:
    typed = form.text("start_date", "Start date", required=definition.needs_start_date)
    if not typed:
        return {}
    try:
        return {"start_date": f"{date.fromisoformat(typed).isoformat()}T00:00:00Z"}
    except ValueError:
        form.refuse("start_date", "Start date: write a day as 2026-01-31.")
        return {}


async def _form(visit: Visit, form: Form, status: int = 200) -> Response:
    settings = visit.server.settings
    return visit.page(
        "connect.html",
        status,
        # The consent's page is at the public address, which need not be the one in the browser.
        form_targets=(origin_of(settings.public_url),),
        form=form,
        workspaces=await workspaces_of(visit),
        types=[(each.slug, type_name(each.slug)) for each in DEFINITIONS],
        can_consent={
            each.slug for each in DEFINITIONS if await visit.server.engines.apps(visit.organization_id, each.slug)
        },
    )


ROUTES = [show, connect, connected, authorize]
