"""Who and what may do something in an organization: its clients, its addresses, its policy, its OAuth client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr
from starlette.responses import Response

from plugbay.errors import ConfigurationError
from plugbay.policy import Policy
from plugbay.server.api.policy import PolicyDocument
from plugbay.server.api.policy import set_policy as keep_policy
from plugbay.server.caller import is_id, not_found
from plugbay.server.catalog import DEFINITIONS, by_type
from plugbay.server.failures import ApiError
from plugbay.server.mcp.grants import Grants
from plugbay.server.oauth.apps import CALLBACK_PATH
from plugbay.server.oauth.own_apps import remove_app, set_app
from plugbay.server.oauth.redirects import is_usable
from plugbay.server.pages.forms import Form
from plugbay.server.pages.home import type_name, workspaces_of
from plugbay.server.pages.visits import Visit, go, screen

if TYPE_CHECKING:
    from plugbay.server.store import Client, Organization

__all__ = ["ROUTES"]

LONGEST_NAME = 255
LONGEST_OAUTH = 512
MOST_LINES = 200

_UNPROCESSABLE = 422


@screen("GET", "/access")
async def show(visit: Visit) -> Response:
    """All of it."""
    return await _page(visit)


@screen("POST", "/access/clients")
async def create_client(visit: Visit) -> Response:
    """Makes a client; the answer shows its secret, and nothing ever will again."""
    _check_operator(visit)
    form = Form(visit.form)
    name = form.text("client_name", "Name", longest=LONGEST_NAME)
    if form.errors:
        return await _page(visit, form, _UNPROCESSABLE)
    async with visit.server.database.begin() as connection:
        client, secret = await visit.server.clients.create(visit.organization_id, name, connection=connection)
        await visit.note("client.created", client.id, {"name": client.name}, connection=connection)
    return visit.page("client.html", client=client, secret=secret, organization_id=visit.organization_id)


@screen("GET", "/access/clients/{client_id}/revoke")
async def ask_to_revoke(visit: Visit) -> Response:
    """Asks whether it is really meant."""
    _check_operator(visit)
    client = await _client(visit)
    return visit.page("revoke.html", client=client)


@screen("POST", "/access/clients/{client_id}/revoke")
async def revoke_client(visit: Visit) -> Response:
    """Ends a client and all of its tokens."""
    _check_operator(visit)
    client = await _client(visit)
    async with visit.server.database.begin() as connection:
        if not await visit.server.clients.revoke(visit.organization_id, client.id, connection=connection):
            raise not_found("client")
        await visit.note("client.revoked", client.id, connection=connection)
    return go("/access", "revoked")


@screen("POST", "/access/grants/{grant_id}/end")
async def end_grant(visit: Visit) -> Response:
    """Ends what somebody granted a client of MCP, and with it the client's tokens."""
    grant_id = visit.request.path_params["grant_id"]
    if not (is_id(grant_id) and await Grants(visit.server.database).revoke(visit.organization_id, grant_id)):
        raise not_found("grant")
    await visit.note("mcp.revoked", grant_id)
    return go("/access", "grant-ended")


@screen("POST", "/access/redirects")
async def set_redirects(visit: Visit) -> Response:
    """Sets the addresses to which a consent may lead back."""
    _check_operator(visit)
    form = Form(visit.form)
    urls = list(dict.fromkeys(form.lines("redirect_urls")))
    refused = next((url for url in urls if not is_usable(url)), None)
    if refused is not None:
        form.refuse("redirect_urls", f"Addresses: {refused} is not https, or http on loopback, in its plain form.")
    if len(urls) > MOST_LINES:
        form.refuse("redirect_urls", f"Addresses: at most {MOST_LINES}.")
    if form.errors:
        return await _page(visit, form, _UNPROCESSABLE)
    async with visit.server.database.begin() as connection:
        await visit.server.organizations.set_redirect_urls(visit.organization_id, urls, connection=connection)
        await visit.note("redirects.set", content={"redirect_urls": urls}, connection=connection)
    return go("/access", "redirects")


@screen("POST", "/access/policy")
async def set_policy(visit: Visit) -> Response:
    """Sets what calls may do."""
    _check_operator(visit)
    form = Form(visit.form)
    known = (await _organization(visit)).policy
    rules = {
        "read_only": True if form.ticked("read_only") else None,
        **{name: _patterns(form, name) for name in ("allow", "deny")},
    }
    if form.errors:
        return await _page(visit, form, _UNPROCESSABLE)
    await keep_policy(visit.server, visit.caller, PolicyDocument.model_validate({**known, **rules}))
    return go("/access", "policy")


@screen("POST", "/access/oauth")
async def set_oauth_app(visit: Visit) -> Response:
    """Sets the organization's own OAuth client at Zendesk."""
    form = Form(visit.form, secrets=("oauth_client_secret",))
    slug = form.choice("oauth_type", "Connector", [each.slug for each in DEFINITIONS])
    identifier = form.text("oauth_client_id", "Client id", longest=LONGEST_OAUTH)
    secret = form.text("oauth_client_secret", "Client secret", longest=LONGEST_OAUTH)
    for name, label, value in (
        ("oauth_client_id", "Client id", identifier),
        ("oauth_client_secret", "Client secret", secret),
    ):
        if not (value.isascii() and value.isprintable()):
            form.refuse(name, f"{label}: only printable ASCII characters.")
    definition = by_type(slug)
    if form.errors or definition is None:
        return await _page(visit, form, _UNPROCESSABLE)
    await set_app(visit.server, visit.caller, definition, identifier, SecretStr(secret))
    return go("/access", "oauth-app")


@screen("POST", "/access/oauth/remove")
async def remove_oauth_app(visit: Visit) -> Response:
    """Removes it."""
    definition = by_type(visit.form.get("oauth_type", ""))
    if definition is None or not await remove_app(visit.server, visit.caller, definition):
        raise not_found("oauth_app")
    return go("/access", "oauth-app-removed")


def _patterns(form: Form, name: str) -> list[str]:
    """The patterns of a field; one that is none is noted in the form."""
    lines = form.lines(name)
    if len(lines) > MOST_LINES:
        form.refuse(name, f"{name.capitalize()}: at most {MOST_LINES} lines.")
    for line in lines:
        try:
            Policy(allow=[line])
        except ConfigurationError as error:
            form.refuse(name, f"{name.capitalize()}: {line} is not a pattern of actions. {error.hint or ''}")
    return lines


def _check_operator(visit: Visit) -> None:
    """Lets the operator pass: a program must not widen what it may do itself.

    Raises:
        ApiError: 403, it is somebody else.
    """
    if not visit.caller.is_admin:
        raise ApiError(403, "Only the operator may do this.", error_code="admin_only")


async def _client(visit: Visit) -> Client:
    wanted = visit.request.path_params["client_id"]
    known = await visit.server.clients.list(visit.organization_id) if is_id(wanted) else []
    found = next((each for each in known if each.id == wanted), None)
    if found is None:
        raise not_found("client")
    return found


async def _organization(visit: Visit) -> Organization:
    found = await visit.server.organizations.get(visit.organization_id)
    if found is None:
        raise not_found("organization")
    return found


async def _page(visit: Visit, form: Form | None = None, status: int = 200) -> Response:
    organization = await _organization(visit)
    stored = {
        "redirect_urls": "\n".join(organization.redirect_urls),
        "read_only": "yes" if organization.policy.get("read_only") else "",
        "allow": "\n".join(organization.policy.get("allow", ())),
        "deny": "\n".join(organization.policy.get("deny", ())),
        "oauth_type": DEFINITIONS[0].slug,
    }
    workspaces = {each.id: each.name for each in await workspaces_of(visit)}
    grants = await Grants(visit.server.database).list(visit.organization_id)
    apps = [(each, await visit.server.oauth_apps.find(visit.organization_id, each.slug)) for each in DEFINITIONS]
    return visit.page(
        "access.html",
        status,
        form=form.over(stored) if form else Form(stored),
        clients=await visit.server.clients.list(visit.organization_id),
        own_id=visit.caller.client_id,
        is_operator=visit.caller.is_admin,
        grants=[(each, workspaces.get(each.workspace_id, each.workspace_id)) for each in grants],
        apps=[(each.slug, type_name(each.slug), app) for each, app in apps if app is not None],
        types=[(each.slug, type_name(each.slug)) for each in DEFINITIONS],
        callback=visit.server.settings.public_url + CALLBACK_PATH,
        other_rules=sorted(set(organization.policy) - {"read_only", "allow", "deny"}),
    )


ROUTES = [
    show,
    create_client,
    ask_to_revoke,
    revoke_client,
    end_grant,
    set_redirects,
    set_policy,
    set_oauth_app,
    remove_oauth_app,
]
