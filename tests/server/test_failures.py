"""Failures as clients are told of them."""

from __future__ import annotations

import pytest
from tests.server.demo import FAILURES, fail
from tests.server.serving import serving

from plugbay import errors
from plugbay.errors import ServiceError
from plugbay.server.failures import ApiError, answer_for, field_errors

STATUSES = {
    "invalid_parameter": 422,
    "validation_failed": 422,
    "unknown_operation": 422,
    "configuration": 422,
    "not_found": 404,
    "connector_not_found": 404,
    "conflict": 409,
    "ambiguous_connector": 409,
    "authentication": 409,
    "permission_denied": 403,
    "policy_denied": 403,
    "approval_required": 403,
    "rate_limited": 429,
    "service_error": 502,
    "network": 502,
    "response_integrity": 502,
    "deadline_exceeded": 504,
}


@pytest.fixture
async def running():
    async with serving(endpoints=[fail]) as running:
        yield running


@pytest.mark.parametrize("code", STATUSES)
async def test_execution(running, code):
    """A failure of a call has its own status, tells the exception as a client makes it again, and asks for no retry."""
    answer = await running.http.get(f"/api/v1/failures/{code}")

    body = answer.json()
    assert (STATUSES[code], "false") == (answer.status_code, answer.headers["x-should-retry"])
    assert FAILURES[code].payload() | {"details": body["error"]["details"]} == body["error"]
    assert ("It failed.", code, "so") == (
        body["message"],
        body["errors"][0]["error_code"],
        body["error"]["details"]["why"],
    )


async def test_every_class():
    """No class of errors is without its status."""
    assert STATUSES.keys() == {kind.code for kind in errors.PlugbayError.__subclasses__()}


async def test_reauthorization(running):
    """A connector that must be authorized again is a conflict that says so; 401 is about the API's own token."""
    body = (await running.http.get("/api/v1/failures/authentication")).json()

    assert "needs_reauth" == body["error"]["details"]["connector_status"]
    assert "The connector has to be authorized again" in body["error"]["hint"]


async def test_retry_after(running):
    """How long to wait is in the body, and in whole seconds in the header."""
    answer = await running.http.get("/api/v1/failures/busy")

    assert (429, "3", 2.4) == (answer.status_code, answer.headers["retry-after"], answer.json()["error"]["retry_after"])


async def test_unexpected(running):
    """What nobody expected is 500 with the request's id, and nothing of the exception."""
    answer = await running.http.get("/api/v1/failures/unexpected", headers={"x-request-id": "request-1234"})

    assert (500, "The server failed.") == (answer.status_code, answer.json()["message"])
    assert {"request_id": "request-1234"} == answer.json()["error"]["details"]
    assert "hunter2" not in answer.text
    assert "KeyError" not in answer.text


async def test_for_people(running):
    """Somebody with a browser who goes astray gets a page."""
    answer = await running.http.get("/nowhere", headers={"accept": "text/html,*/*"})

    assert (404, "text/html; charset=utf-8") == (answer.status_code, answer.headers["content-type"])


def test_database():
    """A database that cannot be reached is 503 with when to come again, not a failure of Zendesk's."""
    error = ServiceError("The database cannot be reached.")
    error.__cause__ = ConnectionRefusedError()

    answer = answer_for(error, "request-1234")

    assert (503, "2") == (answer.status_code, answer.headers["retry-after"])


def test_api_error():
    """A refusal of the API itself names its own word for programs, and the exception that fits its status."""
    error = ApiError(404, "There is no such workspace.", error_code="workspace_not_found", field="workspace_id")

    assert "not_found" == error.error.code
    expected = {
        "field": "workspace_id",
        "message": "There is no such workspace.",
        "error_code": "workspace_not_found",
        "details": None,
    }
    assert [expected] == [each.model_dump() for each in error.errors]


def test_many_field_errors():
    """Of a body with thousands of mistakes the first few are told."""
    from pydantic import BaseModel, ValidationError

    class Numbers(BaseModel):
        numbers: list[int]

    with pytest.raises(ValidationError) as raised:
        Numbers(numbers=["x"] * 1000)

    assert 50 == len(field_errors(raised.value))
