"""The audit log: who did what when, with which connector, and what came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json
from starlette.responses import Response, StreamingResponse

from plugbay.server.caller import Caller
from plugbay.server.endpoint import Call, endpoint
from plugbay.server.failures import invalid
from plugbay.server.state import Server
from plugbay.server.store import AuditEntry, AuditFilters

__all__ = ["ENDPOINTS", "as_line"]

_TAG = "Audit"


class AuditFilter(BaseModel):
    """Which notes. A name with a slip in it must not leave the log unfiltered."""

    model_config = ConfigDict(extra="forbid")

    connector_id: str | None = Field(default=None, max_length=100)
    workspace_id: str | None = Field(default=None, max_length=100)
    client_id: str | None = Field(default=None, max_length=100)
    event: str | None = Field(default=None, max_length=100, description="As execute or connector.created.")
    subject: str | None = Field(default=None, max_length=100, description="Of this client, grant or kind of connector.")
    entity: str | None = Field(default=None, max_length=100)
    action: str | None = Field(default=None, max_length=100)
    outcome: str | None = Field(default=None, max_length=100, description="ok, or the code of a failure.")
    since: str | None = Field(default=None, max_length=40, description="From this moment on, in ISO 8601.")
    until: str | None = Field(default=None, max_length=40, description="Before this moment, in ISO 8601.")


class AuditQuery(AuditFilter):
    """Which notes, and how many."""

    limit: int = Field(default=100, ge=1, le=1000)
    cursor: str | None = Field(default=None, max_length=500)


class AuditAnswer(BaseModel):
    """A note."""

    id: str
    at: str
    workspace_id: str | None
    connector_id: str | None
    client_id: str | None
    via: str
    event: str
    subject: str | None = Field(
        description="What a setting concerns: the id of a client or a grant, a kind of connector."
    )
    entity: str | None
    action: str | None
    effect: str | None
    outcome: str = Field(description="ok, started for a write under way or broken off, or the code of a failure.")
    fate: str | None = Field(
        description="unknown for a write that may have been done although it failed; dry_run for one that was not sent."
    )
    intent: str | None
    request_id: str | None
    duration_ms: float | None
    content: dict[str, Any] | None = Field(
        description="Of a setting, what it is from then on; of a call its arguments, if the server is told to keep them."
    )


class AuditList(BaseModel):
    """Some notes."""

    data: list[AuditAnswer]
    next: str | None = Field(description="The cursor of the next page; null at the end.")


@endpoint("GET", "/api/v1/audit", summary="Read the audit log", query=AuditQuery, answer=AuditList, tag=_TAG)
async def list_audit(call: Call[None, AuditQuery]) -> AuditList:
    """Lists notes, the newest first; a scoped token sees those of its workspace."""
    filters = filters_of(call.caller, call.query)
    part = await call.server.audit.query(
        call.caller.organization_id, **filters, limit=call.query.limit, cursor=call.query.cursor
    )
    return AuditList(data=[answer_of(each) for each in part.items], next=part.next)


@endpoint("GET", "/api/v1/audit/export", summary="Export the audit log", query=AuditFilter, streams=True, tag=_TAG)
async def export_audit(call: Call[None, AuditFilter]) -> Response:
    """Gives all notes as lines of JSON, the oldest first."""
    lines = _lines(call.server, call.caller, filters_of(call.caller, call.query))
    headers = {"content-disposition": 'attachment; filename="audit.jsonl"'}
    return StreamingResponse(lines, headers=headers, media_type="application/x-ndjson")


async def _lines(server: Server, caller: Caller, filters: AuditFilters) -> AsyncIterator[bytes]:
    async for entry in server.audit.export(caller.organization_id, **filters):
        yield as_line(entry)


def as_line(entry: AuditEntry) -> bytes:
    """A note as a line of JSON."""
    return to_json(answer_of(entry).model_dump()) + b"\n"


def filters_of(caller: Caller, wanted: AuditFilter) -> AuditFilters:
    """What the store is asked for.

    Raises:
        ApiError: 422, a moment is none.
    """
    filters: Any = wanted.model_dump(exclude={"limit", "cursor"})
    for name in ("since", "until"):
        filters[name] = _seconds(name, filters[name])
    for name in ("connector_id", "workspace_id", "client_id"):
        filters[name] = filters[name] and filters[name].lower()  # RFC 9562 section 4
    if caller.workspace_id is not None:
        filters["workspace_id"] = caller.workspace_id
    chosen: AuditFilters = filters
    return chosen


def _seconds(name: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise invalid(name, f"{name} is a moment in ISO 8601, as 2026-11-22T07:00:00Z.") from None


def answer_of(entry: AuditEntry) -> AuditAnswer:
    """A note as the API shows it."""
    fields: dict[str, Any] = asdict(entry)
    at = datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return AuditAnswer.model_validate({**fields, "at": at})


ENDPOINTS = [list_audit, export_audit]
