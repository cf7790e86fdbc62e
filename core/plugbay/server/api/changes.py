"""A connector that is there, changed: its settings, and what it signs in with."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, JsonValue

from plugbay.server.api.connectors import ONE, PATH, CheckSummary, ConnectorAnswer, answer_of, named_connector
from plugbay.server.api.naming import Naming, connector_name, replication_of, subdomain_of
from plugbay.server.catalog import Definition, by_id, by_type
from plugbay.server.connecting import change_settings, replace_credentials
from plugbay.server.credentials import read_credentials
from plugbay.server.endpoint import Call, endpoint
from plugbay.server.execution import definition_of_record
from plugbay.server.failures import ApiError, invalid
from plugbay.server.meant import HEADERS
from plugbay.server.store import ConnectorRecord

__all__ = ["ENDPOINTS"]

_EntityName = Annotated[str, Field(max_length=100)]


class ConnectorChange(Naming):
    """What is to be changed; the rest stays.

    What makes a connector what it is may be said, as it was when it was made, and cannot be changed: the workspace, the
    kind and the Zendesk account.
    """

    entities: list[_EntityName] | None = Field(default=None, max_length=200)
    credentials: dict[str, JsonValue] | None = Field(
        default=None, description="Others in place of those it has, as they are given when a connector is made."
    )


@endpoint(
    "PUT",
    ONE,
    summary="Change a connector",
    body=ConnectorChange,
    answer=ConnectorAnswer,
    errors=(400, 403, 404),
    headers=HEADERS,
    tag="Connectors",
)
async def change_connector(call: Call[ConnectorChange]) -> ConnectorAnswer:
    """Renames a connector, changes what is kept for replication, or gives it other credentials.

    New credentials are for the same Zendesk account, and are checked as when a connector is made: refused ones change
    nothing at all.
    """
    known = await named_connector(call)
    settings = _settings(call.body, known)
    if call.body.credentials is not None:
        config = read_credentials(call.body.credentials)
        changed, check = await replace_credentials(call.server, call.caller, known, config, settings=settings)
        return answer_of(changed, CheckSummary(status=check.status, error_message=check.message))
    return answer_of(await change_settings(call.server, call.caller, known, settings))


def _settings(change: ConnectorChange, known: ConnectorRecord) -> dict[str, Any]:
    """What a connector's settings are to be, by name.

    Raises:
        ApiError: 422, one cannot be, or cannot be changed.
    """
    definition = definition_of_record(known)
    _check_same(change, known, definition)
    fields: dict[str, Any] = {}
    if change.name is not None:
        fields["name"] = connector_name(change.name, definition)
    if change.replication_config is not None:
        fields["replication_config"] = replication_of(change.replication_config, definition, required=True)
    if change.entities is not None:
        fields["entities"] = change.entities
    return fields


def _check_same(change: ConnectorChange, known: ConnectorRecord, definition: Definition) -> None:
    """Whoever sends back what was read changes nothing; whoever means another connector is told so."""
    for field in ("workspace_name", "customer_name", "external_user_id"):
        name = getattr(change, field)
        if name is not None and name.strip() != known.workspace_name:
            raise _unchangeable(field, "the workspace")
    for field in ("connector_type", "definition_id", "source_template_id"):
        named = getattr(change, field)
        if named is not None and definition not in (by_type(named), by_id(named)):
            raise _unchangeable(field, "the kind")
    places = {"environment": change.environment, "credentials": change.credentials}
    for place, given in places.items():
        if given is not None and subdomain_of(given, default=known.subdomain) != known.subdomain:
            raise _unchangeable(f"{place}.subdomain", "the Zendesk account")


def _unchangeable(field: str, what: str) -> ApiError:
    text = f"{field}: {what} of a connector cannot be changed."
    hint = f"Make another connector with POST {PATH}, and delete this one; or leave {field} out."
    return invalid(field, text, error_code="unchangeable", hint=hint)


ENDPOINTS = [change_connector]
