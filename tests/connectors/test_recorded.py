"""What real clients sent and a real Zendesk answered, held against the requests we build and the answers we read."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from plugbay.connector import Connector
from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector, ZendeskTalkOauth20AuthConfig
from plugbay.errors import (
    AuthenticationError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ServiceError,
    ValidationFailedError,
)
from plugbay.result import exclude

HERE = Path(__file__).parent / "recorded"
SHARED = next(
    (
        folder / "shared" / "recorded"
        for folder in Path(__file__).resolve().parents
        if (folder / "shared" / "recorded").is_dir()
    ),
    None,
)
SUPPORT, TALK = ZendeskSupportConnector, ZendeskTalkConnector
PAGING = {
    "meta", "links", "next_page", "previous_page", "count", "page", "per_page", "page_count", "sort_by", "sort_order",
    "end_of_stream", "end_time", "after_url", "before_url", "after_cursor", "before_cursor",
}  # fmt: skip
PLACES = {"page", "per_page", "page[size]", "page[after]", "page[before]", "cursor", "sort_order"}
FAILURES = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitedError,
}


@dataclass(frozen=True)
class Known:
    """An operation of the catalogue and how a recording of it is recognised."""

    connector: type[Connector]
    entity: str
    action: str
    method: str
    path: str
    files: str = "$."

    @property
    def name(self) -> str:
        return f"{self.entity}.{self.action}"


KNOWN = (
    Known(SUPPORT, "tickets", "list", "GET", r"/api/v2/tickets", r"GET/tickets\.json"),
    Known(
        SUPPORT, "tickets", "get", "GET", r"/api/v2/tickets/(?P<ticket_id>\d+)", r"GET/ticket(_custom_field)?\.json"
    ),
    Known(SUPPORT, "tickets", "create", "POST", r"/api/v2/tickets", r"POST/ticket\.json"),
    Known(SUPPORT, "tickets", "update", "PUT", r"/api/v2/tickets/(?P<ticket_id>\d+)", r"PUT/ticket\.json"),
    Known(SUPPORT, "tickets", "search", "GET", r"/api/v2/search", r"GET/search_ticket\.json"),
    Known(SUPPORT, "tickets", "incremental_export", "GET", r"/api/v2/incremental/tickets/cursor"),
    Known(
        SUPPORT, "ticket_comments", "list", "GET", r"/api/v2/tickets/(?P<ticket_id>\d+)/comments",
        r"GET/ticket_comments\.json",
    ),
    Known(
        SUPPORT, "attachments", "get", "GET", r"/api/v2/attachments/(?P<attachment_id>\d+)", r"GET/attachment\.json"
    ),
    Known(SUPPORT, "users", "list", "GET", r"/api/v2/users", r"GET/users\.json"),
    Known(SUPPORT, "users", "get", "GET", r"/api/v2/users/(?P<user_id>\d+)", r"GET/user\.json"),
    Known(SUPPORT, "users", "search", "GET", r"/api/v2/users/search"),
    Known(SUPPORT, "users", "me", "GET", r"/api/v2/users/me"),
    Known(SUPPORT, "organizations", "list", "GET", r"/api/v2/organizations", r"GET/organizations\.json"),
    Known(
        SUPPORT, "organizations", "get", "GET", r"/api/v2/organizations/(?P<organization_id>\d+)",
        r"GET/organization\.json",
    ),
    Known(TALK, "phone_numbers", "list", "GET", r"/api/v2/channels/voice/phone_numbers"),
    Known(TALK, "phone_numbers", "get", "GET", r"/api/v2/channels/voice/phone_numbers/(?P<phone_number_id>\d+)"),
    Known(TALK, "agents_activity", "list", "GET", r"/api/v2/channels/voice/stats/agents_activity"),
    Known(TALK, "calls", "list", "GET", r"/api/v2/channels/voice/stats/incremental/calls"),
)  # fmt: skip
"""The operations that a recording may hold; a file name tells them apart where only answers were recorded."""

UNRECORDED = {"tickets.incremental_export", "phone_numbers.list", "agents_activity.list", "calls.list"}
"""What the recordings in this folder do not have."""


def recognised(row: dict[str, Any]) -> tuple[Known, dict[str, Any]] | None:
    """The operation that a row is a recording of, and the arguments in its path."""
    method, path = row["request"]["method"] or "GET", row["request"]["path"]
    for known in KNOWN:
        if path is None:
            if re.fullmatch(known.files, row["file"]):
                return known, {}
        elif method == known.method and (found := re.fullmatch(known.path, path.removesuffix(".json"))):
            return known, {name: int(value) for name, value in found.groupdict().items()}
    return None


def rows_in(folder: Path) -> list[dict[str, Any]]:
    """Every row of every recording under a folder."""
    files = sorted(folder.rglob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines() if line]


def arguments(row: dict[str, Any], known: Known, in_path: dict[str, Any]) -> dict[str, Any]:
    """What a caller passes to make the recorded request."""
    given: dict[str, Any] = dict(in_path)
    given |= {name: value for name, value in row["request"]["query"] if name not in PLACES}
    if isinstance(row["request"]["body"], dict):
        given |= row["request"]["body"]
    operation = known.connector.find(known.entity, known.action)
    if row["request"]["path"] is None:
        # Only the answer was recorded: the least that makes the call.
        samples: dict[str, Any] = {"subject": "?", "comment": {"body": "?"}, "query": "?", "start_time": 0}
        needed = operation.arguments.parameters.values()
        given |= {p.name: samples.get(p.name, 1) for p in needed if p.required}
        given |= {"status": "open"} if operation.kind == "update" else {}
    if known.action == "incremental_export":
        given.setdefault("start_time", 0)
    if known.name == "tickets.search":
        # What searches for something else than tickets is refused by design; the answer is read all the same.
        given["query"] = re.sub(r"\btype:(user|organization|group)\b", "", given["query"])
    if operation.pager is not None:
        body = row["response"]["body"]
        records = body.get(operation.record) if isinstance(body, dict) else None
        given["limit"] = max(1, len(records or []))
    return given


class Replay:
    """Answers as it was recorded, and keeps what was asked."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.response = row["response"]
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        body = self.response["body"]
        content = b"" if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        return httpx.Response(self.response["status"], headers={"content-type": "application/json"}, content=content)


async def replayed(row: dict[str, Any], known: Known, in_path: dict[str, Any]) -> tuple[Any, list[httpx.Request]]:
    """The result, or the error, of the call whose answer was recorded, and the requests it made."""
    replay = Replay(row)
    config = ZendeskSupportOauth20AuthConfig if known.connector is SUPPORT else ZendeskTalkOauth20AuthConfig
    connector = known.connector(
        config(access_token="a-token"), subdomain="example", max_attempts=1, http=httpx.MockTransport(replay)
    )
    async with connector:
        try:
            result = await connector.execute(known.entity, known.action, arguments(row, known, in_path))
        except tuple({*FAILURES.values(), ServiceError, ValidationFailedError}) as error:
            return error, replay.requests
        return result, replay.requests


def assert_same_request(row: dict[str, Any], request: httpx.Request) -> None:
    """The request is the recorded one: method, path, query and each field of the body, with the visibility said."""
    recorded = row["request"]
    if recorded["path"] is None:
        return
    assert recorded["method"] == request.method
    assert recorded["path"].removesuffix(".json") == request.url.path
    query = dict(parse_qsl(request.url.query.decode()))
    asked = {name: value for name, value in recorded["query"] if name not in PLACES}
    if "/search" in recorded["path"] and "users" not in recorded["path"]:
        asked.pop("query", None)
    assert asked == {name: query.get(name) for name in asked}
    if isinstance(recorded["body"], dict):
        assert as_sent(recorded["body"]) == json.loads(request.content)


def as_sent(body: dict[str, Any]) -> dict[str, Any]:
    """A recorded body as we send it: a comment says whether it is public, a description is a comment."""
    ticket = {name: value for name, value in body["ticket"].items() if value is not None}
    if "description" in ticket and "comment" not in ticket:
        ticket["comment"] = {"body": ticket.pop("description")}
    if "comment" in ticket:
        ticket["comment"] = {"public": False, **ticket["comment"]}
    return {"ticket": ticket}


def assert_nothing_lost(row: dict[str, Any], known: Known, result: Any) -> None:
    """The result holds the recorded records exactly, and beside them whatever else came that is not paging.

    Only what nobody is given is missing in the records.
    """
    body = row["response"]["body"]
    operation = known.connector.find(known.entity, known.action)
    record = operation.record
    assert exclude(body[record], operation.hidden) == result.data
    extra = {key: value for key, value in body.items() if key not in {record, *PAGING} and value is not None}
    assert (extra or None) == result.meta.included


async def assert_as_recorded(row: dict[str, Any], known: Known, in_path: dict[str, Any]) -> None:
    """Our request is the recorded one and our result holds the recorded answer."""
    result, requests = await replayed(row, known, in_path)
    assert len(requests) == 1
    assert_same_request(row, requests[0])
    status, body = row["response"]["status"], row["response"]["body"]
    if status >= 400:
        kind = FAILURES.get(status) or (ServiceError if status >= 500 else ValidationFailedError)
        assert kind is type(result)
        said = body.get("error") if isinstance(body, dict) else None
        assert (said if isinstance(said, str) else None) == result.details.get("service_code")
    elif known.name == "users.me" and body["user"].get("name") == "Anonymous user":
        assert AuthenticationError is type(result)
    else:
        assert not isinstance(result, Exception), result
        assert_nothing_lost(row, known, result)


def cases(folder: Path) -> list[Any]:
    """The rows under a folder that are recordings of our operations."""
    found = [(row, recognised(row)) for row in rows_in(folder)]
    return [
        pytest.param(row, *match, id=f"{match[0].name}-{row['response']['status']}-{number}")
        for number, (row, match) in enumerate(found)
        if match is not None
    ]


@pytest.mark.parametrize(("row", "known", "in_path"), cases(HERE))
async def test_a_recorded_exchange_is_reproduced(row, known, in_path):
    """A recorded call is sent as it was recorded, and its recorded answer is read without loss."""
    await assert_as_recorded(row, known, in_path)


def test_every_recorded_operation_is_used():
    """Each operation of the catalogue has a recording here, but for those that are known to have none."""
    counts = Counter(match[0].name for row in rows_in(HERE) if (match := recognised(row)) is not None)
    assert {known.name for known in KNOWN} - UNRECORDED == set(counts)


def test_every_read_and_write_of_the_catalogue_can_be_recognised():
    """No operation of the two connectors is left out, but those that no single exchange shows."""
    catalogue = {
        operation.name
        for connector in (SUPPORT, TALK)
        for actions in connector.operations.values()
        for operation in actions.values()
    }
    # A download takes several requests; an added comment is recorded as the update of its ticket.
    assert catalogue - {"attachments.download", "ticket_comments.create"} == {known.name for known in KNOWN}


def test_every_row_here_is_of_an_operation():
    """No row lies in the folder unused."""
    assert [] == [(row["source"], row["file"], row["seq"]) for row in rows_in(HERE) if recognised(row) is None]


@pytest.mark.skipif(SHARED is None, reason="the whole recordings are not beside the repository")
def test_the_whole_recordings_are_reproduced():
    """What holds for the copies here holds for every row of the recordings they were taken from."""

    async def check() -> Counter[str]:
        counts: Counter[str] = Counter()
        for row in rows_in(SHARED):
            if (match := recognised(row)) is not None:
                await assert_as_recorded(row, *match)
                counts[match[0].name] += 1
        return counts

    assert {known.name for known in KNOWN} - UNRECORDED == set(asyncio.run(check()))
