"""Running a read action by hand, to see that a connector works. Writes are not offered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from starlette.responses import Response

from plugbay.errors import InvalidParameterError, PlugbayError
from plugbay.json_safe import to_json
from plugbay.operation import Effect, Operation
from plugbay.server.catalog import by_type
from plugbay.server.execution import Executed, Wish, find_connector, run_action
from plugbay.server.pages.forms import Form
from plugbay.server.pages.visits import Visit, screen
from plugbay.tools.catalogue import action_text

if TYPE_CHECKING:
    from plugbay.server.store import ConnectorRecord

__all__ = ["ROUTES", "first_choice"]

LONGEST_PARAMS = 20_000
LONGEST_RESULT = 200_000
"""Characters of a result that a page shows."""

FEW = 5
"""Records of a list where nothing else is asked for."""

INTENT = "Tried on the web page"


@screen("GET", "/connectors/{connector_id}/try")
async def show(visit: Visit) -> Response:
    """The form, with an action filled in."""
    record = await find_connector(visit.server, visit.caller, visit.request.path_params["connector_id"])
    chosen = _operation(record, visit.request.query_params.get("action", "")) or first_choice(record)
    return _page(visit, record, chosen, Form({"params": sample_params(chosen)}))


@screen("POST", "/connectors/{connector_id}/try")
async def run(visit: Visit) -> Response:
    """Runs the action, the way that the API goes too."""
    record = await find_connector(visit.server, visit.caller, visit.request.path_params["connector_id"])
    form = Form(visit.form)
    chosen = _operation(record, visit.form.get("action", ""))
    if chosen is None:
        form.refuse("action", "Action: choose one that only reads.")
        return _page(visit, record, first_choice(record), form, 422)
    params = _params(form)
    if form.errors:
        return _page(visit, record, chosen, form, 422)
    wish = Wish(
        chosen.entity,
        chosen.action,
        params,
        skip_truncation=False,
        intent=INTENT,
        request_id=visit.request.scope.get("plugbay.request_id"),
    )
    try:
        executed = await run_action(visit.server, visit.caller, record.id, wish)
    except PlugbayError as error:
        text = f"{error.message} {error.hint or ''}".strip()
        form.refuse("params" if isinstance(error, InvalidParameterError) else "", text)
        return _page(visit, record, chosen, form, 422 if isinstance(error, InvalidParameterError) else 200)
    return _page(visit, record, chosen, form, executed=executed)


def first_choice(record: ConnectorRecord) -> Operation:
    """The action that is tried first: a list that needs no arguments."""
    offered = _offered(record)
    lists = [each for each in offered if each.kind == "list"]
    easy = [each for each in lists if not each.arguments.schema.get("required")]
    return next(iter([*easy, *lists, *offered]))


def sample_params(operation: Operation) -> str:
    """Arguments to begin with, as JSON: what must be given, and a small limit."""
    schema = operation.arguments.schema
    fields = schema.get("properties", {})
    params: dict[str, Any] = {name: _sample(fields[name]) for name in schema.get("required", ())}
    if "limit" in fields:
        params["limit"] = FEW
    return json.dumps(params, indent=2)


def _sample(field: dict[str, Any]) -> Any:
    kinds = [field.get("type"), *(each.get("type") for each in field.get("anyOf", ()))]
    if "integer" in kinds:
        return 1
    return [] if "array" in kinds else ""


def _offered(record: ConnectorRecord) -> list[Operation]:
    """The actions that only read; files are for programs."""
    definition = by_type(record.connector_type)
    if definition is None:
        return []
    actions = [each for entity in definition.connector.operations.values() for each in entity.values()]
    return [each for each in actions if each.effect is Effect.READ and each.kind != "download"]


def _operation(record: ConnectorRecord, name: str) -> Operation | None:
    return next((each for each in _offered(record) if each.name == name), None)


def _params(form: Form) -> dict[str, Any]:
    text = form.text("params", "Arguments", required=False, longest=LONGEST_PARAMS)
    if form.errors or not text:
        return {}
    try:
        params: Any = json.loads(text)
    except (ValueError, RecursionError):
        params = None
    if isinstance(params, dict):
        return cast("dict[str, Any]", params)
    form.refuse("params", 'Arguments: write a JSON object, as {"limit": 5}.')
    return {}


def _page(
    visit: Visit,
    record: ConnectorRecord,
    chosen: Operation,
    form: Form,
    status: int = 200,
    *,
    executed: Executed | None = None,
) -> Response:
    return visit.page(
        "try.html",
        status,
        connector=record,
        offered=[each.name for each in _offered(record)],
        chosen=chosen,
        description=action_text(chosen),
        form=form,
        executed=executed,
        **_told(executed),
    )


def _told(executed: Executed | None) -> dict[str, Any]:
    if executed is None:
        return {"result": "", "cut": False, "count": None}
    data = to_json(executed.result.data)
    text = json.dumps(data, indent=2, ensure_ascii=False)
    count = len(data) if isinstance(data, list) else None
    return {"result": text[:LONGEST_RESULT], "cut": len(text) > LONGEST_RESULT, "count": count}


ROUTES = [show, run]
