"""The OAuth app that asks: the organization's own, or else the operator's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plugbay.connectors.zendesk.authorization import ZendeskAuthorization
from plugbay.server.failures import ApiError
from plugbay.server.oauth.problems import Problem

if TYPE_CHECKING:
    from pydantic import SecretStr

    from plugbay.server.catalog import Definition
    from plugbay.server.settings import Settings
    from plugbay.server.state import Server
    from plugbay.server.store import Flow

__all__ = ["CALLBACK_PATH", "App", "app_for", "app_of", "authorization"]

CALLBACK_PATH = "/api/v1/integrations/connectors/oauth/callback"
"""Where Zendesk sends the browser back to; with `public_url` before it, this is what an OAuth client must have registered."""


@dataclass(frozen=True, slots=True)
class App:
    """An OAuth client at Zendesk.

    Attributes:
        client_id: Its identifier.
        client_secret: Its secret; None for a public client.
        id: The organization's record of it; None if it is the operator's.
    """

    client_id: str
    client_secret: SecretStr | None
    id: str | None


async def find_app(server: Server, organization_id: str, connector_type: str) -> App | None:
    """The app that an organization uses for a kind of connector; None if there is none."""
    own = await server.oauth_apps.find(organization_id, connector_type)
    if own is not None:
        return App(own.client_id, own.client_secret, own.id)
    operators = server.settings.oauth_clients.get(connector_type)
    return None if operators is None else App(operators[0], operators[1], None)


async def app_for(server: Server, organization_id: str, definition: Definition) -> App:
    """The same, where one is needed.

    Raises:
        ApiError: 422, there is none; the hint says how to set one.
    """
    app = await find_app(server, organization_id, definition.slug)
    if app is None:
        raise ApiError(
            422,
            f"There is no OAuth app for {definition.display_name}.",
            error_code="oauth_app_missing",
            field="connector_type",
            hint="Set your organization's own with PUT /api/v1/oauth/credentials, or let the operator set "
            "PLUGBAY_OAUTH_ZENDESK_CLIENT_ID and PLUGBAY_OAUTH_ZENDESK_CLIENT_SECRET. Its redirect URL at Zendesk must "
            f"be {server.settings.public_url}{CALLBACK_PATH}.",
        )
    return app


async def app_of(server: Server, flow: Flow) -> App:
    """The app that a browser was sent away for.

    Raises:
        Problem: It was removed, or it is another's turn by now.
    """
    app = await find_app(server, flow.organization_id, flow.connector_type)
    if app is None or app.id != flow.oauth_app_id:
        raise Problem("oauth_app_changed")
    return app


def authorization(settings: Settings, app: App, subdomain: str) -> ZendeskAuthorization:
    """The authorization of an app at one account; its token endpoint is on that account's host and nowhere else."""
    return ZendeskAuthorization(
        app.client_id,
        settings.public_url + CALLBACK_PATH,
        client_secret=app.client_secret,
        subdomain=subdomain,
        base_url=settings.zendesk_url,
    )
