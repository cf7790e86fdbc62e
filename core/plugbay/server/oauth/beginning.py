"""The beginning of an authorization: what is asked for is checked and kept, and a person gets a page to agree on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from plugbay.auth import pkce
from plugbay.server.auditing import tell_audit
from plugbay.server.connecting import NewConnector, check_workspace, workspace_for
from plugbay.server.execution import check_running, definition_of_record
from plugbay.server.failures import ApiError, invalid
from plugbay.server.oauth.apps import app_for
from plugbay.server.oauth.redirects import LONGEST, is_allowed, is_usable
from plugbay.server.store import Flow

if TYPE_CHECKING:
    from plugbay.server.caller import Caller
    from plugbay.server.state import Server
    from plugbay.server.store import ConnectorRecord

__all__ = ["CONSENT_PATH", "begin", "check_redirect", "renewed"]

CONSENT_PATH = "/oauth/consent"
"""The page where a person agrees, before Zendesk's own."""


async def begin(
    server: Server, caller: Caller, new: NewConnector, redirect_url: str, *, record: ConnectorRecord | None = None
) -> str:
    """Begins an authorization; a workspace that is not there yet is made.

    Args:
        server: The server.
        caller: Who wants it.
        new: The connector that is to be made; or, with `record`, what is known of it.
        redirect_url: Where the browser ends up, with `connector_id` or with `error` and `error_description`. It has
            been checked by `check_redirect`, or is a page of our own.
        record: The connector that is to be authorized anew, in place of making one.

    Returns:
        The address of the page where a person agrees; good for one use, within the settings' `flow_lifetime`.

    Raises:
        ApiError: 403, the workspace is switched off; 404, the caller may not see it; 422, there is no OAuth app to ask
            with.
    """
    if record is None:
        await check_workspace(server, caller, new.workspace_name)
    else:
        check_running(record)
    app = await app_for(server, caller.organization_id, new.definition)
    workspace_id = record.workspace_id if record else await workspace_for(server, caller, new.workspace_name)
    ticket = await server.flows.begin(
        Flow(
            organization_id=caller.organization_id,
            workspace_id=workspace_id,
            connector_type=new.definition.slug,
            subdomain=new.subdomain,
            redirect_url=redirect_url,
            name=new.name,
            replication_config=new.replication_config,
            client_id=caller.client_id,
            oauth_app_id=app.id,
            connector_id=None if record is None else record.id,
            verifier=pkce.new_verifier(),
            expires_at=time.time() + server.settings.flow_lifetime,
        )
    )
    await tell_audit(server, caller, "authorization.begun", record, workspace_id=workspace_id)
    return f"{server.settings.public_url}{CONSENT_PATH}?{urlencode({'flow': ticket})}"


async def check_redirect(server: Server, organization_id: str, url: str) -> str:
    """An address that a browser may be led back to.

    Raises:
        ApiError: 422, it may not; the hint says how it could.
    """
    settings = server.settings
    if not is_usable(url):
        raise _refused_redirect(
            "redirect_url is not an address that can be allowed.",
            "It must be https, or http on 127.0.0.1, [::1] or localhost, with the host in lower case and no user name, "
            f"fragment, dot segment or parameter named connector_id, error or error_description; at most {LONGEST} "
            "characters.",
        )
    organization = await server.organizations.get(organization_id)
    own = organization.redirect_urls if organization is not None else []
    if settings.any_redirects and not own:
        return url
    if not is_allowed(url, (*own, *settings.allowed_redirects), loopback=settings.loopback_redirects):
        raise _refused_redirect(
            "redirect_url is not one of the addresses that your organization allows.",
            "The operator allows it, character by character, with `plugbay admin redirect add ORGANIZATION URL`, or for "
            "all organizations in PLUGBAY_ALLOWED_REDIRECTS. Only the port of a loopback address is free.",
        )
    return url


def renewed(record: ConnectorRecord) -> NewConnector:
    """A connector that is there already, as the description of what is asked for.

    Raises:
        ApiError: 404, its kind is no longer one that the server has.
    """
    return NewConnector(
        workspace_name=record.workspace_name,
        definition=definition_of_record(record),
        name=record.name,
        subdomain=record.subdomain,
        replication_config=record.replication_config,
    )


def _refused_redirect(message: str, hint: str) -> ApiError:
    return invalid("redirect_url", message, error_code="redirect_url_refused", hint=hint)
