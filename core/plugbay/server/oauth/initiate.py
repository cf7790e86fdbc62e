"""The endpoint that begins an authorization for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field, JsonValue

from plugbay.server.api.naming import (
    LONGEST_NAME,
    Naming,
    connector_name,
    definition_of,
    replication_of,
    subdomain_of,
    workspace_name_of,
)
from plugbay.server.api.workspaces import find_workspace
from plugbay.server.connecting import NewConnector
from plugbay.server.endpoint import Call, endpoint
from plugbay.server.execution import find_connector, no_connector
from plugbay.server.failures import ApiError, invalid
from plugbay.server.oauth.beginning import begin, check_redirect, renewed

if TYPE_CHECKING:
    from plugbay.server.caller import Caller
    from plugbay.server.state import Server
    from plugbay.server.store import ConnectorRecord

__all__ = ["Initiate", "initiate"]

LONGEST_URL = 4_000
"""Characters of an address that is looked at; what is too long to be allowed gets the fuller answer."""


class Initiate(Naming):
    """What a person is to be asked for."""

    redirect_url: str = Field(max_length=LONGEST_URL, description="Where the browser ends up.")
    oauth_input_configuration: dict[str, JsonValue] | None = Field(default=None, description="subdomain, likewise.")
    connector_id: str | None = Field(
        default=None, max_length=LONGEST_NAME, description="A connector to authorize anew, in place of making one."
    )


class Consent(BaseModel):
    """Where to send the person."""

    consent_url: str


@endpoint(
    "POST",
    "/api/v1/integrations/connectors/oauth/initiate",
    summary="Begin an authorization",
    body=Initiate,
    answer=Consent,
    errors=(403, 404),
    tag="OAuth",
)
async def initiate(call: Call[Initiate]) -> Consent:
    """Gives the address of a page where a person lets the connector into their Zendesk account.

    It works once, for ten minutes. The browser ends up at `redirect_url` with `connector_id`, or with `error` and
    `error_description`. With `connector_id` here, the credentials of that connector are replaced.
    """
    server, caller, given = call.server, call.caller, call.body
    redirect_url = await check_redirect(server, caller.organization_id, given.redirect_url)
    if given.connector_id is not None:
        record = await find_connector(server, caller, given.connector_id)
        _check_same(given, record)
        return Consent(consent_url=await begin(server, caller, renewed(record), redirect_url, record=record))
    return Consent(consent_url=await begin(server, caller, await _new(server, caller, given), redirect_url))


async def _new(server: Server, caller: Caller, given: Initiate) -> NewConnector:
    definition = definition_of(given.connector_type, given.definition_id, given.source_template_id)
    return NewConnector(
        workspace_name=_workspace_name(given) or await _own_workspace(server, caller),
        definition=definition,
        name=connector_name(given.name, definition),
        subdomain=subdomain_of(
            given.environment, given.oauth_input_configuration, default=server.settings.default_subdomain
        ),
        replication_config=replication_of(given.replication_config, definition, required=False),
    )


def _workspace_name(given: Initiate) -> str | None:
    return workspace_name_of(given.workspace_name, given.customer_name, given.external_user_id)


async def _own_workspace(server: Server, caller: Caller) -> str:
    """The workspace that a caller means who names none."""
    if caller.workspace_id is None:
        raise invalid("workspace_name", "workspace_name must be given.", error_code="missing")
    return (await find_workspace(server, caller, caller.workspace_id)).name


def _check_same(given: Initiate, record: ConnectorRecord) -> None:
    """Whatever is said of a connector that is there already must be so: another account's data must not come into it."""
    if _workspace_name(given) not in (None, record.workspace_name):
        raise no_connector(record.id)
    if given.connector_type or given.definition_id:
        definition = definition_of(given.connector_type, given.definition_id, given.source_template_id)
        if definition.slug != record.connector_type:
            raise _differs("connector_type", "The connector is of another kind.")
    if subdomain_of(given.environment, given.oauth_input_configuration, default=record.subdomain) != record.subdomain:
        raise _differs("environment.subdomain", "The connector belongs to another Zendesk account.")


def _differs(field: str, message: str) -> ApiError:
    return invalid(field, message, error_code="differs", hint="Leave it out, or make a new connector.")
