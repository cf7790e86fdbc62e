"""The call of an action."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, JsonValue
from pydantic_core import to_json
from starlette.responses import Response

from plugbay.json_safe import to_json as to_json_values
from plugbay.server.api.connectors import ONE
from plugbay.server.api.files import file_answer
from plugbay.server.endpoint import Call, endpoint
from plugbay.server.execution import LONGEST_INTENT, LONGEST_KEY, Executed, Wish, run_action
from plugbay.server.meant import HEADERS, meant_by

__all__ = ["ENDPOINTS"]

_PAGING = ("has_more", "cursor", "count", "total")
_FieldName = Annotated[str, Field(max_length=200)]

_DOWNLOAD = "download"
_JSON = "application/json"


class Execution(BaseModel):
    """What is to be called."""

    entity: str = Field(max_length=100, description="As tickets.")
    action: str = Field(max_length=100, description="As list.")
    params: dict[str, JsonValue] | None = None
    select_fields: list[_FieldName] | None = Field(default=None, max_length=200, description="Keep only these fields.")
    exclude_fields: list[_FieldName] | None = Field(default=None, max_length=200, description="Leave these fields out.")
    skip_truncation: bool = Field(default=True, description="false cuts each text to 2,000 characters.")
    intent: str | None = Field(
        default=None, max_length=LONGEST_INTENT, description="What it is for; kept in the audit."
    )


class ExecutionMetadata(BaseModel):
    """How it was run."""

    connector_instance_id: str
    execution_time_ms: int


class ExecutionAnswer(BaseModel):
    """What came of it."""

    status: str = Field(description="success")
    result: JsonValue = Field(description="A list of records, or one record.")
    connector_metadata: dict[str, JsonValue] = Field(
        description="pagination of a list: has_more, cursor, count, total."
    )
    execution_metadata: ExecutionMetadata


@endpoint(
    "POST",
    f"{ONE}/execute",
    summary="Run an action",
    body=Execution,
    answer=ExecutionAnswer,
    errors=(403, 404, 409, 502, 504),
    headers=HEADERS
    | {
        "Idempotency-Key": f"Up to {LONGEST_KEY} characters: a create that is sent again under the same key is made once.",
        "Accept": "With application/json a download answers a part of the file as JSON, else its bytes.",
    },
    streams=True,
    tag="Execution",
)
async def execute(call: Call[Execution]) -> Response:
    """Runs one action of a connector.

    A download answers the file's bytes, unless the request accepts application/json: then it is a part of the file as
    any other result.
    """
    given, headers = call.body, call.request.headers
    wish = Wish(
        given.entity,
        given.action,
        given.params or {},
        select_fields=given.select_fields,
        exclude_fields=given.exclude_fields,
        skip_truncation=given.skip_truncation,
        intent=given.intent,
        key=headers.get("idempotency-key"),
        request_id=call.request_id,
    )
    if given.action == _DOWNLOAD and _JSON not in headers.get("accept", ""):
        return await file_answer(call, wish)
    executed = await run_action(call.server, call.caller, call.path["connector_id"], wish, meant_by(headers))
    return Response(to_json(answer_of(executed)), media_type=_JSON)


def answer_of(executed: Executed) -> dict[str, Any]:
    """A result as the API tells it."""
    result = executed.result
    return {
        "status": "success",
        "result": to_json_values(result.data),
        "connector_metadata": _metadata(to_json_values(result.meta), is_list=executed.operation.pager is not None),
        "execution_metadata": {
            "connector_instance_id": executed.connector_id,
            "execution_time_ms": round(executed.seconds * 1000),
        },
    }


def _metadata(meta: Any, *, is_list: bool) -> dict[str, Any]:
    rest = {name: value for name, value in meta.items() if name not in _PAGING}
    if not is_list:
        return rest
    return {"pagination": {name: meta[name] for name in _PAGING if name in meta}, **rest}


ENDPOINTS = [execute]
