"""The kinds of connectors that the server has."""

from __future__ import annotations

from pydantic import BaseModel, Field

from plugbay.server.caller import not_found
from plugbay.server.catalog import DEFINITIONS, Definition, by_id
from plugbay.server.endpoint import Call, endpoint

__all__ = ["ENDPOINTS"]

_PATH = "/api/v1/integrations/definitions/sources"
_TAG = "Definitions"


class DefinitionAnswer(BaseModel):
    """A kind of connector."""

    sourceDefinitionId: str  # noqa: N815 - the API's own spelling
    name: str
    connector_type: str
    description: str
    entities: list[str]


class DefinitionList(BaseModel):
    """All kinds."""

    definitions: list[DefinitionAnswer]


class DefinitionQuery(BaseModel):
    """Which kinds."""

    name: str | None = Field(default=None, max_length=100, description="Only those whose name has this in it.")


@endpoint("GET", _PATH, summary="List the kinds of connectors", query=DefinitionQuery, answer=DefinitionList, tag=_TAG)
async def list_definitions(call: Call[None, DefinitionQuery]) -> DefinitionList:
    """Lists the kinds of connectors."""
    wanted = (call.query.name or "").lower()
    names = ((each, f"{each.display_name} {each.slug}".lower()) for each in DEFINITIONS)
    return DefinitionList(definitions=[answer_of(each) for each, name in names if wanted in name])


@endpoint(
    "GET",
    f"{_PATH}/{{definition_id}}",
    summary="Read a kind of connector",
    answer=DefinitionAnswer,
    errors=(404,),
    tag=_TAG,
)
async def get_definition(call: Call) -> DefinitionAnswer:
    """Reads one kind of connector."""
    found = by_id(call.path["definition_id"])
    if found is None:
        raise not_found("definition")
    return answer_of(found)


def answer_of(definition: Definition) -> DefinitionAnswer:
    """A kind as the API shows it."""
    connector = definition.connector
    return DefinitionAnswer(
        sourceDefinitionId=definition.id,
        name=definition.display_name,
        connector_type=definition.slug,
        description=" ".join(connector.entity_docs.values()),
        entities=list(connector.operations),
    )


ENDPOINTS = [list_definitions, get_definition]
