"""What is known of a connector, for programs that look before they call."""

from __future__ import annotations

from pydantic import BaseModel

from plugbay.server.api.connectors import ONE, named_connector, template_of
from plugbay.server.endpoint import Call, endpoint
from plugbay.server.meant import HEADERS

__all__ = ["ENDPOINTS"]


class CacheEntity(BaseModel):
    """An entity of the context store."""

    entity: str
    status: str
    ready_for_search: bool
    supported: bool
    entity_count: int | None
    updated_at: str | None


class Readiness(BaseModel):
    """What the context store has of a connector."""

    supported_context_store_entities: list[str]
    configured_cache_entities: list[CacheEntity]


class Inspection(BaseModel):
    """What is known of a connector."""

    connector_id: str
    name: str
    workspace_id: str
    organization_id: str
    source_definition_id: str
    source_definition_name: str
    docs_skill_id: str
    context_store_readiness: Readiness
    warnings: list[str]


@endpoint(
    "GET",
    f"{ONE}/inspect",
    summary="Inspect a connector",
    answer=Inspection,
    errors=(404, 422),
    headers=HEADERS,
    tag="Connectors",
)
async def inspect(call: Call) -> Inspection:
    """Tells what a connector is, where its documentation is, and what is wrong with it.

    Nothing is replicated by this server, so the context store has no entities.
    """
    record = await named_connector(call)
    template = template_of(record)
    warnings: list[str] = []
    if record.status != "active":
        warnings.append(f"The connector must be authorized again. {record.status_reason or ''}".rstrip())
    if record.auth_kind == "token":
        warnings.append("Zendesk ends API tokens on 2027-04-30: authorize the connector with OAuth.")
    return Inspection(
        connector_id=record.id,
        name=record.name,
        workspace_id=record.workspace_id,
        organization_id=record.organization_id,
        source_definition_id=template.actor_definition_id,
        source_definition_name=template.name,
        docs_skill_id=record.connector_type,
        context_store_readiness=Readiness(supported_context_store_entities=[], configured_cache_entities=[]),
        warnings=warnings,
    )


ENDPOINTS = [inspect]
