"""The documentation of a kind of connector, in sections, for a model that asks for what it needs."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from plugbay.server.caller import not_found
from plugbay.server.catalog import Definition, by_id, by_type
from plugbay.server.endpoint import Call, endpoint

__all__ = ["ENDPOINTS"]

_OVERVIEW = "overview"


class DocsQuery(BaseModel):
    """Which documentation."""

    id: str = Field(max_length=100, description="As inspect gives it in docs_skill_id: zendesk-support.")
    section: str | None = Field(default=None, max_length=100, description="One of the outline's; the overview if none.")


class DocsMetadata(BaseModel):
    """What the documentation is about."""

    id: str
    kind: str
    title: str
    summary: str


class OutlineItem(BaseModel):
    """A section."""

    id: str
    title: str
    summary: str


class Block(BaseModel):
    """A piece of a section; which fields it has depends on its type."""

    type: Literal["heading", "paragraph", "list", "code", "table"]
    text: str | None = None
    level: int | None = None
    language: str | None = None
    items: list[str] | None = None
    columns: list[str] | None = None
    rows: list[list[str]] | None = None


class Docs(BaseModel):
    """A section of the documentation."""

    metadata: DocsMetadata
    outline: list[OutlineItem]
    section_id: str
    content: list[Block]


@endpoint(
    "GET",
    "/api/v1/skills/docs",
    summary="Read documentation",
    query=DocsQuery,
    answer=Docs,
    errors=(404,),
    tag="Documentation",
)
async def get_docs(call: Call[None, DocsQuery]) -> Docs:
    """Gives a section of a connector's documentation: the overview, or one entity with its actions."""
    definition = by_type(call.query.id) or by_id(call.query.id)
    if definition is None:
        raise not_found("documentation")
    section = call.query.section or _OVERVIEW
    connector = definition.connector
    if section != _OVERVIEW and section not in connector.operations:
        raise not_found("section")
    summary = f"What {connector.title} can be asked: {', '.join(connector.operations)}."
    outline = [OutlineItem(id=_OVERVIEW, title="Overview", summary=summary)]
    outline += [OutlineItem(id=name, title=name, summary=text) for name, text in connector.entity_docs.items()]
    return Docs(
        metadata=DocsMetadata(id=definition.slug, kind="connector", title=connector.title, summary=summary),
        outline=outline,
        section_id=section,
        content=_overview(definition) if section == _OVERVIEW else _entity(definition, section),
    )


def _overview(definition: Definition) -> list[Block]:
    connector = definition.connector
    rows = [[name, ", ".join(actions), connector.entity_docs[name]] for name, actions in connector.operations.items()]
    return [
        Block(type="heading", level=1, text=connector.title),
        Block(type="paragraph", text="Call an action with POST /api/v1/integrations/connectors/{id}/execute."),
        Block(type="code", language="json", text='{"entity": "<entity>", "action": "<action>", "params": {}}'),
        Block(type="table", columns=["entity", "actions", "about"], rows=rows),
    ]


def _entity(definition: Definition, name: str) -> list[Block]:
    connector = definition.connector
    blocks = [
        Block(type="heading", level=1, text=name),
        Block(type="paragraph", text=connector.entity_docs[name]),
    ]
    for action, operation in connector.operations[name].items():
        blocks += [
            Block(type="heading", level=2, text=f"{name}.{action}"),
            Block(type="paragraph", text=operation.description),
            Block(type="code", language="markdown", text=connector.describe(name, action)),
        ]
    return blocks


ENDPOINTS = [get_docs]
