"""The endpoints with which an organization brings its own OAuth app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field, SecretStr

from plugbay.server.api.naming import definition_of
from plugbay.server.api.times import moment
from plugbay.server.auditing import tell_audit
from plugbay.server.catalog import Definition, by_type
from plugbay.server.endpoint import Call, endpoint
from plugbay.server.failures import ApiError, invalid

if TYPE_CHECKING:
    from plugbay.server.caller import Caller
    from plugbay.server.state import Server
    from plugbay.server.store import OAuthApp

__all__ = ["delete_app", "put_app", "remove_app", "set_app"]

_TAG = "OAuth"
_PATH = "/api/v1/oauth/credentials"
LONGEST = 512


class AppConfiguration(BaseModel):
    """An OAuth client at Zendesk."""

    client_id: str = Field(min_length=1, max_length=LONGEST, description="Its unique identifier.")
    client_secret: SecretStr = Field(min_length=1, max_length=LONGEST)


class OwnApp(BaseModel):
    """The OAuth app of an organization, for one kind of connector."""

    connector_type: str | None = Field(default=None, max_length=LONGEST, description="As Zendesk-Support.")
    connector_definition_id: str | None = Field(default=None, max_length=LONGEST)
    configuration: AppConfiguration


class OwnAppAnswer(BaseModel):
    """An organization's OAuth app; its secret is never shown."""

    id: str
    scope_type: Literal["organization"] = "organization"
    scope_id: str = Field(description="The organization's id.")
    connector_type: str
    connector_definition_id: str
    created_at: str
    updated_at: str


@endpoint(
    "PUT", _PATH, summary="Set your own OAuth app", body=OwnApp, answer=OwnAppAnswer, auth="application", tag=_TAG
)
async def put_app(call: Call[OwnApp]) -> OwnAppAnswer:
    """Sets the OAuth app that the organization's authorizations are made with, in place of the operator's.

    Connectors that were authorized with an earlier app must be authorized again once their tokens have ended.
    """
    given, caller = call.body, call.caller
    definition = definition_of(given.connector_type, given.connector_definition_id, id_field="connector_definition_id")
    for name in ("client_id", "client_secret"):
        _check_sendable(name, getattr(given.configuration, name))
    app = await set_app(
        call.server, caller, definition, given.configuration.client_id, given.configuration.client_secret
    )
    return OwnAppAnswer(
        id=app.id,
        scope_id=app.organization_id,
        connector_type=definition.slug,
        connector_definition_id=definition.id,
        created_at=moment(app.created_at),
        updated_at=moment(app.updated_at),
    )


@endpoint(
    "DELETE",
    f"{_PATH}/connector_type/{{connector_type}}",
    summary="Remove your own OAuth app",
    status=204,
    auth="application",
    errors=(404,),
    tag=_TAG,
)
async def delete_app(call: Call) -> None:
    """Removes the organization's OAuth app; from then on the operator's is used, if there is one."""
    definition = by_type(call.path["connector_type"])
    if definition is None or not await remove_app(call.server, call.caller, definition):
        raise ApiError(404, "There is no OAuth app of this organization's own.", error_code="oauth_app_not_found")


async def set_app(
    server: Server, caller: Caller, definition: Definition, client_id: str, client_secret: SecretStr
) -> OAuthApp:
    """Sets the app of a caller's organization, with its note in the audit log or not at all."""
    async with server.database.begin() as connection:
        app = await server.oauth_apps.put(
            caller.organization_id, definition.slug, client_id, client_secret, connection=connection
        )
        told = {"client_id": app.client_id}
        await tell_audit(server, caller, "oauth_app.set", subject=definition.slug, content=told, connection=connection)
    return app


async def remove_app(server: Server, caller: Caller, definition: Definition) -> bool:
    """Removes the app of a caller's organization, with its note; returns whether there was one."""
    async with server.database.begin() as connection:
        was_there = await server.oauth_apps.delete(caller.organization_id, definition.slug, connection=connection)
        if was_there:
            await tell_audit(server, caller, "oauth_app.removed", subject=definition.slug, connection=connection)
    return was_there


def _check_sendable(name: str, value: str | SecretStr) -> None:
    """A pasted text with a line break or a blank at its end would fail at Zendesk, and nobody could see why."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not (text.isascii() and text.isprintable() and text == text.strip()):
        raise invalid(f"configuration.{name}", "It must be printable ASCII, with no spaces or line breaks around it.")
