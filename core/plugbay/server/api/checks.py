"""Checks: whether Zendesk accepts credentials, before they are kept and after."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field, JsonValue

from plugbay.server.api.connectors import ONE, PATH, CreateConnector, named_connector, new_connector
from plugbay.server.connecting import CheckResult, check_connector, check_credentials
from plugbay.server.credentials import read_credentials
from plugbay.server.endpoint import Call, endpoint
from plugbay.server.meant import HEADERS

__all__ = ["ENDPOINTS"]

_TAG = "Connectors"


class CheckAnswer(BaseModel):
    """What Zendesk said."""

    id: str | None
    status: Literal["pending", "running", "cancelled", "failed", "succeeded", "inconclusive", "skipped"]
    error_message: str | None
    failure_reason: str | None = Field(description="The failure as a word, as `authentication`.")
    entity_check_results: list[JsonValue]
    identity: dict[str, Any] | None = Field(description="Whose the credentials are.")
    error: dict[str, Any] | None


@endpoint(
    "POST",
    f"{PATH}/check",
    summary="Check credentials that are not kept",
    body=CreateConnector,
    answer=CheckAnswer,
    errors=(400,),
    tag=_TAG,
)
async def check_new(call: Call[CreateConnector]) -> CheckAnswer:
    """Asks Zendesk whether it accepts credentials, and keeps nothing of them.

    A refresh token is good for one use, so an access token that has ended is not renewed for this.
    """
    new = new_connector(call.body, call.server.settings, needs_workspace=False)
    config = read_credentials(call.body.credentials)
    return answer_of(None, await check_credentials(call.server, new.definition, config, new.subdomain))


@endpoint(
    "POST",
    f"{ONE}/check",
    summary="Check a connector",
    answer=CheckAnswer,
    errors=(403, 404, 422),
    headers=HEADERS,
    tag=_TAG,
)
async def check_known(call: Call) -> CheckAnswer:
    """Asks Zendesk whether it accepts a connector's credentials; its status is what that says."""
    record = await named_connector(call)
    return answer_of(record.id, await check_connector(call.server, call.caller, record))


def answer_of(connector_id: str | None, result: CheckResult) -> CheckAnswer:
    """A check as the API tells it."""
    return CheckAnswer(
        id=connector_id,
        status=result.status,
        error_message=result.message,
        failure_reason=None if result.error is None else result.error["code"],
        entity_check_results=[],
        identity=None if result.identity is None else dict(result.identity),
        error=None if result.error is None else dict(result.error),
    )


ENDPOINTS = [check_new, check_known]
