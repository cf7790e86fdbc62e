"""The audit log: what was done, by whom and when, to look through and to take along."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import Response, StreamingResponse

from plugbay import errors
from plugbay.plain_text import one_line
from plugbay.server.api.audit import as_line
from plugbay.server.caller import is_id
from plugbay.server.pages.forms import Form
from plugbay.server.pages.visits import Visit, screen

if TYPE_CHECKING:
    from plugbay.server.store import AuditEntry

__all__ = ["ROUTES"]

ON_A_PAGE = 50
MOST_CONNECTORS = 100

FILTERS = ("connector", "outcome", "action", "since", "until")

COLUMNS = (
    "at",
    "event",
    "subject",
    "entity",
    "action",
    "effect",
    "outcome",
    "fate",
    "via",
    "client_id",
    "workspace_id",
    "connector_id",
    "intent",
    "duration_ms",
    "request_id",
    "id",
)

CODES = sorted({getattr(errors, name).code for name in errors.__all__ if name.endswith("Error")} - {"error"})

OUTCOMES = ("ok", "started", "succeeded", "inconclusive", *CODES, "cancelled", "failed")
"""The outcomes to choose from, as they are recorded: of calls, and of checks."""

_FORMULA = ("=", "+", "-", "@")


@screen("GET", "/audit")
async def show(visit: Visit) -> Response:
    """A part of the log, newest first."""
    form = Form({name: visit.request.query_params.get(name, "").strip() for name in FILTERS})
    chosen = _chosen(form)
    cursor = visit.request.query_params.get("cursor") or None
    wanted = {} if form.errors else chosen
    found = await visit.server.audit.query(visit.organization_id, limit=ON_A_PAGE, cursor=cursor, **wanted)
    connectors = await visit.server.connectors.list(visit.organization_id, limit=MOST_CONNECTORS)
    clients = await visit.server.clients.list(visit.organization_id)
    return visit.page(
        "audit.html",
        422 if form.errors else 200,
        form=form,
        entries=[] if form.errors else found.items,
        next=found.next or "",
        filters={name: form.shown(name) for name in FILTERS},
        connectors=[("", "All"), *((each.id, f"{each.name} ({each.workspace_name})") for each in connectors.items)],
        names={each.id: each.name for each in connectors.items},
        outcomes=[("", "All"), *((each, each) for each in OUTCOMES)],
        clients={each.id: each.name for each in clients},
    )


@screen("GET", "/audit.jsonl")
async def export_json(visit: Visit) -> Response:
    """The log as JSON lines, oldest first."""
    return _export(visit, "audit.jsonl", "application/x-ndjson", as_line)


@screen("GET", "/audit.csv")
async def export_csv(visit: Visit) -> Response:
    """The log as CSV (RFC 4180), oldest first."""
    head = _csv_line(COLUMNS)
    return _export(visit, "audit.csv", "text/csv; charset=utf-8; header=present", _csv_entry, head)


def _export(
    visit: Visit, name: str, media_type: str, line: Callable[[AuditEntry], bytes], head: bytes = b""
) -> Response:
    form = Form({each: visit.request.query_params.get(each, "").strip() for each in FILTERS})
    chosen = _chosen(form)
    if form.errors:
        return visit.page(
            "failed.html", 422, heading="No such export", text=next(iter(form.errors.values())), hint="", reference=""
        )

    async def lines() -> AsyncIterator[bytes]:
        if head:
            yield head
        async for entry in visit.server.audit.export(visit.organization_id, **chosen):
            yield line(entry)

    # An export takes as long as it is long.
    visit.request.scope["plugbay.streams"] = True
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return StreamingResponse(lines(), media_type=media_type, headers=headers)


def _chosen(form: Form) -> dict[str, Any]:
    """The filters that are set, under the names of the store; what does not fit is noted in the form."""
    connector = form.text("connector", "Connector", required=False)
    entity, _, action = form.text("action", "Action", required=False).partition(".")
    if connector and not is_id(connector):
        form.refuse("connector", "Connector: choose one.")
    if entity and not action:
        form.refuse("action", "Action: write entity.action, as tickets.list.")
    chosen = {
        "connector_id": connector,
        "outcome": form.text("outcome", "Outcome", required=False),
        "entity": entity,
        "action": action,
        "since": _moment(form, "since", "From"),
        "until": _moment(form, "until", "Until"),
    }
    return {name: value for name, value in chosen.items() if value not in ("", None)}


def _moment(form: Form, name: str, label: str) -> float | None:
    """Seconds since the epoch of what a `datetime-local` field sends, which here is UTC."""
    typed = form.text(name, label, required=False)
    if not typed:
        return None
    try:
        at = datetime.fromisoformat(typed)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        form.refuse(name, f"{label}: write a day and a time as 2026-01-31T12:00.")
        return None


def _record(entry: AuditEntry) -> dict[str, Any]:
    at = datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {name: at if name == "at" else getattr(entry, name) for name in COLUMNS}


def _csv_entry(entry: AuditEntry) -> bytes:
    return _csv_line(_record(entry).values())


def _csv_line(values: Iterable[Any]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow([_cell(value) for value in values])
    return out.getvalue().encode()


def _cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula, whoever wrote it (OWASP, "CSV Injection")."""
    text = "" if value is None else one_line(str(value))
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


ROUTES = [show, export_json, export_csv]
