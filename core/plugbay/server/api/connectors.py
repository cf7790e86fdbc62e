"""Connectors: made with credentials, listed, read and removed."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field, JsonValue

from plugbay.server.api.naming import (
    LONGEST_NAME,
    Naming,
    connector_name,
    definition_of,
    replication_of,
    required_workspace_name,
    subdomain_of,
    workspace_name_of,
)
from plugbay.server.api.times import moment
from plugbay.server.caller import Caller, is_id
from plugbay.server.connecting import NewConnector, create_connector, remove_connector
from plugbay.server.credentials import read_credentials
from plugbay.server.endpoint import Call, endpoint
from plugbay.server.execution import definition_of_record, find_connector
from plugbay.server.failures import ApiError, invalid
from plugbay.server.meant import HEADERS, meant_by
from plugbay.server.settings import Settings
from plugbay.server.state import Server
from plugbay.server.store import ConnectorRecord

__all__ = [
    "ENDPOINTS",
    "ONE",
    "PATH",
    "CheckSummary",
    "ConnectorAnswer",
    "CreateConnector",
    "answer_of",
    "named_connector",
    "new_connector",
    "template_of",
]

PATH = "/api/v1/integrations/connectors"
ONE = f"{PATH}/{{connector_id}}"
_TAG = "Connectors"

_NOT_OFFERED = (
    "server_side_oauth_secret_id is not offered here: consent at the address of "
    "POST /api/v1/integrations/connectors/oauth/initiate makes the connector itself."
)


class CreateConnector(Naming):
    """A connector to be made."""

    credentials: dict[str, JsonValue] | None = Field(
        default=None, description="access_token, refresh_token, client_id, client_secret; or email and api_token."
    )
    server_side_oauth_secret_id: str | None = Field(default=None, max_length=LONGEST_NAME)


class SourceTemplate(BaseModel):
    """The kind of a connector, as the vendor's API tells it."""

    id: str
    name: str
    actor_definition_id: str
    icon: str | None = None
    mode: str | None = None


class CheckSummary(BaseModel):
    """What Zendesk said of the credentials."""

    status: str
    error_message: str | None = None


class ConnectorFields(BaseModel):
    """What is told of a connector in a list and alone; its credentials never are."""

    id: str
    name: str
    workspace_id: str
    workspace_name: str
    subdomain: str
    status: str = Field(description="active, or needs_reauth when Zendesk no longer accepts its credentials.")
    created_at: str
    updated_at: str


class ConnectorAnswer(ConnectorFields):
    """A connector."""

    connector_type: str
    status_reason: str | None
    source_template: SourceTemplate
    replication_config: dict[str, Any]
    entities: list[str] | None
    check: CheckSummary | None = None


class ConnectorSummary(ConnectorFields):
    """A connector in a list."""

    summarized_source_template: SourceTemplate


class ConnectorList(BaseModel):
    """Some connectors."""

    data: list[ConnectorSummary]
    next: str | None = Field(description="The cursor of the next page; null at the end.")


class ConnectorQuery(BaseModel):
    """Which connectors."""

    workspace_name: str | None = Field(default=None, max_length=LONGEST_NAME)
    workspace_id: str | None = Field(default=None, max_length=LONGEST_NAME)
    customer_name: str | None = Field(default=None, max_length=LONGEST_NAME, description="As workspace_name.")
    external_user_id: str | None = Field(default=None, max_length=LONGEST_NAME, description="As workspace_name.")
    definition_id: str | None = Field(default=None, max_length=LONGEST_NAME)
    limit: int = Field(default=100, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=500)


class Removal(BaseModel):
    """The removal, which is done when this is told."""

    job_id: str = Field(description="The id of its note in the audit log.")


@endpoint(
    "POST",
    PATH,
    summary="Create a connector",
    body=CreateConnector,
    answer=ConnectorAnswer,
    errors=(400, 403, 404, 409),
    tag=_TAG,
)
async def post_connector(call: Call[CreateConnector]) -> ConnectorAnswer:
    """Keeps credentials as a connector, after asking Zendesk whether it accepts them.

    Credentials that Zendesk refuses are not kept. If it cannot be asked, they are, and `check` says so.
    """
    new = new_connector(call.body, call.server.settings)
    config = read_credentials(call.body.credentials)
    record, check = await create_connector(call.server, call.caller, new, config)
    return answer_of(record, CheckSummary(status=check.status, error_message=check.message))


def new_connector(given: CreateConnector, settings: Settings, *, needs_workspace: bool = True) -> NewConnector:
    """The connector that a request describes, without its credentials.

    Args:
        given: The request.
        settings: The server's.
        needs_workspace: Whether it must name its workspace.

    Raises:
        ApiError: 422, it describes none.
    """
    if given.server_side_oauth_secret_id:
        raise invalid("server_side_oauth_secret_id", _NOT_OFFERED, error_code="not_offered")
    definition = definition_of(given.connector_type, given.definition_id, given.source_template_id)
    names = (given.workspace_name, given.customer_name, given.external_user_id)
    return NewConnector(
        workspace_name=required_workspace_name(*names) if needs_workspace else workspace_name_of(*names) or "",
        definition=definition,
        name=connector_name(given.name, definition),
        subdomain=subdomain_of(given.environment, given.credentials, default=settings.default_subdomain),
        replication_config=replication_of(given.replication_config, definition, required=True),
    )


@endpoint("GET", PATH, summary="List connectors", query=ConnectorQuery, answer=ConnectorList, errors=(400,), tag=_TAG)
async def list_connectors(call: Call[None, ConnectorQuery]) -> ConnectorList:
    """Lists the connectors of a workspace, the oldest first; one that is not there has none."""
    wanted, caller = call.query, call.caller
    workspace_id = await _wanted_workspace(call.server, caller, wanted)
    definition = None if wanted.definition_id is None else definition_of(None, wanted.definition_id)
    if workspace_id is None or not caller.sees(workspace_id):
        return ConnectorList(data=[], next=None)
    part = await call.server.connectors.list(
        caller.organization_id,
        workspace_id=workspace_id,
        connector_type=definition.slug if definition else None,
        limit=wanted.limit,
        cursor=wanted.cursor,
    )
    return ConnectorList(data=[summary_of(each) for each in part.items], next=part.next)


async def _wanted_workspace(server: Server, caller: Caller, wanted: ConnectorQuery) -> str | None:
    """The workspace that is asked for; None if there is no such."""
    name = workspace_name_of(wanted.workspace_name, wanted.customer_name, wanted.external_user_id)
    workspace_id = None if wanted.workspace_id is None else wanted.workspace_id.lower()
    if name is not None:
        known = await server.workspaces.by_name(caller.organization_id, name)
        if known is not None and workspace_id not in (None, known.id):
            return None
        return None if known is None else known.id
    if workspace_id is None:
        raise ApiError(
            400, "workspace_name or workspace_id must be given.", error_code="missing", field="workspace_name"
        )
    return workspace_id if is_id(workspace_id) else None


@endpoint("GET", ONE, summary="Read a connector", answer=ConnectorAnswer, errors=(404, 422), headers=HEADERS, tag=_TAG)
async def get_connector(call: Call) -> ConnectorAnswer:
    """Reads one connector."""
    return answer_of(await named_connector(call))


async def named_connector(call: Call[Any, Any]) -> ConnectorRecord:
    """The connector that the path of a request names.

    Raises:
        ApiError: 404, the caller may see none of that id, or it is not what the request says that it is meant to be.
    """
    return await find_connector(call.server, call.caller, call.path["connector_id"], meant_by(call.request.headers))


@endpoint(
    "DELETE",
    ONE,
    summary="Remove a connector",
    status=202,
    answer=Removal,
    errors=(404, 422),
    headers=HEADERS,
    tag=_TAG,
)
async def delete_connector(call: Call) -> Removal:
    """Removes a connector and its credentials."""
    known = await named_connector(call)
    return Removal(job_id=await remove_connector(call.server, call.caller, known))


def answer_of(record: ConnectorRecord, check: CheckSummary | None = None) -> ConnectorAnswer:
    """A connector as the API shows it."""
    return ConnectorAnswer(
        **_fields_of(record),
        connector_type=record.connector_type,
        status_reason=record.status_reason,
        source_template=template_of(record),
        replication_config=record.replication_config,
        entities=record.entities,
        check=check,
    )


def summary_of(record: ConnectorRecord) -> ConnectorSummary:
    """A connector as the API lists it."""
    return ConnectorSummary(**_fields_of(record), summarized_source_template=template_of(record))


def _fields_of(record: ConnectorRecord) -> dict[str, Any]:
    moments = {name: moment(getattr(record, name)) for name in ("created_at", "updated_at")}
    others = ConnectorFields.model_fields.keys() - moments.keys()
    return {**{name: getattr(record, name) for name in others}, **moments}


def template_of(record: ConnectorRecord) -> SourceTemplate:
    """The kind of a connector, as the vendor's API tells it."""
    definition = definition_of_record(record)
    return SourceTemplate(id=definition.id, name=definition.display_name, actor_definition_id=definition.id)


ENDPOINTS = [post_connector, list_connectors, get_connector, delete_connector]
