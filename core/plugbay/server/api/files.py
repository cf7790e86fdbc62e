"""Files: their bytes as they come from Zendesk, in constant memory, and gone on with where a reader stopped."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import BaseModel, Field
from starlette.responses import Response

from plugbay.json_safe import is_object
from plugbay.server.api.connectors import ONE, named_connector
from plugbay.server.endpoint import Call, endpoint
from plugbay.server.execution import LONGEST_INTENT, Wish
from plugbay.server.failures import invalid
from plugbay.server.meant import HEADERS
from plugbay.server.reading import check_values
from plugbay.server.relay import Range, file_response

__all__ = ["ENDPOINTS", "file_answer"]

LONGEST_PARAMS = 4_000
"""Characters of the arguments in a query."""

_RANGE = re.compile(r"bytes=(\d{1,15})-")


class FileQuery(BaseModel):
    """Which file."""

    entity: str = Field(max_length=100, description="As attachments.")
    params: str = Field(default="{}", max_length=LONGEST_PARAMS, description="The download's arguments, as JSON.")
    intent: str | None = Field(
        default=None, max_length=LONGEST_INTENT, description="What it is for; kept in the audit."
    )


@endpoint(
    "GET",
    f"{ONE}/download",
    summary="Read a file",
    query=FileQuery,
    errors=(403, 404, 409, 416, 502, 504),
    also={206: "The rest of the file."},
    headers=HEADERS
    | {
        "Range": "bytes=N- goes on behind N bytes, if If-Range has the ETag of the answer before.",
        "If-Range": "The ETag of the answer that broke off.",
    },
    streams=True,
    tag="Execution",
)
async def get_file(call: Call[None, FileQuery]) -> Response:
    """Answers a file's bytes; a reader that lost its connection goes on with Range and If-Range (RFC 9110 section 14).

    A range is given only with If-Range, since without it nobody would notice that the file has changed.
    """
    wanted, headers = call.query, call.request.headers
    wish = Wish(wanted.entity, "download", _params(wanted.params), intent=wanted.intent, request_id=call.request_id)
    found = _RANGE.fullmatch(headers.get("range", "").replace(" ", ""))
    validator = headers.get("if-range")
    start = Range(int(found.group(1)), validator) if found and validator else None
    return await file_answer(call, wish, start)


async def file_answer(call: Call[Any, Any], wish: Wish, start: Range | None = None) -> Response:
    """The answer that a file is.

    Args:
        call: The request, whose path names the connector.
        wish: The download.
        start: What the reader has of it already.
    """
    return await file_response(call.server, call.caller, await named_connector(call), wish, start)


def _params(text: str) -> dict[str, Any]:
    try:
        params = json.loads(text)
    except (ValueError, RecursionError):
        params = None
    if not is_object(params):
        raise invalid("params", 'params is a JSON object, as {"attachment_id": 1}.')
    check_values(params)
    return dict(params)


ENDPOINTS = [get_file]
