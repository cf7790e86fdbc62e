"""Zendesk's error answers, in all their forms, become errors with a name, and nothing of use in them is lost."""

from __future__ import annotations

import httpx
import pytest

from plugbay.errors import (
    AuthenticationError,
    ConflictError,
    NetworkError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ResponseIntegrityError,
    ServiceError,
    ValidationFailedError,
)

INVALID = {
    "error": "RecordInvalid",
    "description": "Record validation errors",
    "details": {
        "name": [{"description": "Name has already been taken", "error": "DuplicateValue"}],
        "base": [{"description": "Requester is required"}, {"error": "BlankValue"}, "plain text"],
    },
}


def response(status, body="", kind="application/json", **headers):
    return httpx.Response(status, headers={"content-type": kind, **headers}, content=body)


async def failure(connected, *answers, call=lambda connector: connector.tickets.get(1), **settings):
    """The error of a call that gets these answers."""
    connector, _ = connected(*answers, **settings)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the class is what the test is about
        await call(connector)
    return caught.value


FORMS = [
    (
        404,
        {"error": "RecordNotFound", "description": "Not found"},
        NotFoundError,
        "RecordNotFound",
        "RecordNotFound: Not found",
    ),
    (422, INVALID, ValidationFailedError, "RecordInvalid", "name: Name has already been taken"),
    (
        403,
        {"error": {"title": "Forbidden", "message": "You do not have access to this page."}},
        PermissionDeniedError,
        "Forbidden",
        "Forbidden: You do not have access to this page",
    ),
    (
        400,
        {"error": {"title": "Invalid attribute", "message": "page must be an integer"}},
        ValidationFailedError,
        "Invalid attribute",
        "page must be an integer",
    ),
    (
        400,
        {"errors": [{"code": "InvalidPaginationDepth", "title": "Pagination is limited"}]},
        ValidationFailedError,
        "InvalidPaginationDepth",
        "Pagination is limited",
    ),
    (
        400,
        {"errors": {"parent_section_id": ["would result in a cycle"]}},
        ValidationFailedError,
        None,
        "parent_section_id: would result in a cycle",
    ),
    (
        400,
        "Required parameter missing: phone_number",
        ValidationFailedError,
        None,
        "Required parameter missing: phone_number",
    ),
    (504, {"message": "ElasticSearch is down"}, ServiceError, None, "ElasticSearch is down"),
    (
        401,
        {"error": "invalid_token", "error_description": "The access token provided is expired."},
        AuthenticationError,
        "invalid_token",
        "The access token provided is expired",
    ),
    (401, {"error": "Couldn't authenticate you"}, AuthenticationError, "Couldn't authenticate you", "authenticate"),
    (
        403,
        {"error": "Forbidden", "description": "You are missing the following required scopes: read"},
        PermissionDeniedError,
        "Forbidden",
        "required scopes: read",
    ),
    (400, {"error": "Bad request"}, ValidationFailedError, "Bad request", "Bad request"),
    (406, {"error": "CommentRequired", "description": "A comment is required."}, ValidationFailedError, "CommentRequired", "A comment is required"),
    (413, {"error": "RequestEntityTooLarge"}, ValidationFailedError, "RequestEntityTooLarge", "413"),
    (503, {"error": "unavailable", "description": "Please try again."}, ServiceError, "unavailable", "try again"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "kind", "code", "words"), FORMS)
async def test_each_form_of_error_is_read(support, status, body, kind, code, words):
    """The status decides the class of the error; its body, in whichever form, gives the words and Zendesk's code."""
    error = await failure(support, (status, body))
    assert kind is type(error)
    assert words in error.message
    assert (status, code) == (error.details["status"], error.details.get("service_code"))


async def test_the_details_of_a_refusal_are_kept_by_field(support):
    """What Zendesk says of each field is in the error's details, under that field, and in its message."""
    error = await failure(support, (422, INVALID))
    assert {
        "name": ["Name has already been taken"],
        "base": ["Requester is required", "BlankValue", "plain text"],
    } == error.details["fields"]
    assert "base: Requester is required, BlankValue, plain text" in error.message
    assert error.details == error.payload()["details"]


@pytest.mark.parametrize(("status", "kind"), [(403, PermissionDeniedError), (404, NotFoundError), (500, ServiceError)])
@pytest.mark.parametrize("content_type", ["text/html", "application/json"])
async def test_an_empty_body_is_classified_by_status(support, status, kind, content_type):
    """An error without a body is classified all the same, and says what was asked."""
    error = await failure(support, response(status, b"", content_type))
    assert kind is type(error)
    assert f"Zendesk answered {status} to GET /api/v2/tickets/1." == error.message


async def test_a_page_of_markup_is_not_repeated(support):
    """An HTML page instead of JSON is not put into the message."""
    page = "<!DOCTYPE html><html><body><h1>Something went wrong</h1></body></html>"
    error = await failure(support, response(502, page, "text/html"))
    assert "Zendesk answered 502 to GET /api/v2/tickets/1." == error.message


@pytest.mark.parametrize("body", [b"<html>" + b"x" * 5 * 2**20, b"y" * 5 * 2**20, b'{"error": "' + b"z" * 5 * 2**20])
async def test_a_page_of_five_megabytes_stays_a_short_message(support, body):
    """However large the body of an error is, the error is short."""
    error = await failure(support, response(500, body, "text/html"))
    assert ServiceError is type(error)
    assert len(str(error)) < 1_500
    assert len(repr(error.payload())) < 2_000


async def test_texts_inside_an_error_are_clipped(support):
    """A very long description, dozens of fields and dozens of problems of one are cut, not passed on."""
    details = {f"field_{number}": [{"description": "d"}] for number in range(60)} | {"field_0": ["e" * 400] * 12}
    error = await failure(support, (422, {"error": "RecordInvalid", "description": "f" * 9_000, "details": details}))
    assert len(error.message) <= 1_000
    assert 50 == len(error.details["fields"])
    assert [300] * 10 == [len(text) for text in error.details["fields"]["field_0"]]


@pytest.mark.parametrize(
    "body",
    [
        None, [], [1], 7, True, {}, {"error": None}, {"errors": []}, {"errors": [None, 3]}, {"errors": {"a": None}}, {"errors": "x"},
        {"details": "x"}, {"error": {}, "details": []}, {"error": ["a"]}, {"details": {"a": {"description": "b"}}}, {"message": {"a": 1}},
    ],
)  # fmt: skip
async def test_no_shape_of_error_body_is_a_surprise(support, body):
    """Whatever JSON comes with an error status, the error is the one of that status."""
    assert ValidationFailedError is type(await failure(support, (422, body)))


async def test_the_request_id_is_kept(support):
    """Zendesk's id of the request, which its support asks for, is on the error."""
    error = await failure(support, response(404, b"{}", **{"x-request-id": "abc-123"}))
    assert "abc-123" == error.request_id


async def test_a_feature_the_account_lacks_is_told_from_a_missing_record(support):
    """InvalidEndpoint and RecordNotFound are both 404; their hints differ."""
    feature = await failure(support, (404, {"error": "InvalidEndpoint", "description": "Not found"}))
    record = await failure(support, (404, {"error": "RecordNotFound", "description": "Not found"}))
    assert (NotFoundError, NotFoundError) == (type(feature), type(record))
    assert "The account or its plan does not have this feature." == feature.hint
    assert "There is no such record, or these credentials cannot see it." == record.hint


async def test_an_update_conflict_says_how_to_go_on(support):
    """A safe update of a ticket that changed meanwhile is a conflict with the way out as its hint."""
    body = {"error": "UpdateConflict", "description": "Safe Update prevented the update due to outdated ticket data."}
    error = await failure(
        support,
        (409, body),
        call=lambda connector: connector.tickets.update(1, status="open", safe_update=True, updated_stamp="x"),
    )
    assert (ConflictError, "UpdateConflict") == (type(error), error.details["service_code"])
    assert error.hint.startswith("Read the record again")


async def test_a_conflict_may_be_plain_text(support):
    """The collision of two new requesters is told in plain text with 409."""
    error = await failure(support, response(409, b"Requester creation collision - please try again", "text/plain"))
    assert ConflictError is type(error)
    assert "Requester creation collision" in error.message


async def test_a_key_used_for_another_call_is_a_conflict(support):
    """IdempotentRequestError comes with 400 and is a conflict all the same."""
    body = {
        "error": "IdempotentRequestError",
        "description": "Request parameters don't match the given idempotency key",
    }
    error = await failure(
        support, (400, body), call=lambda connector: connector.tickets.create(subject="a", comment={"body": "b"})
    )
    assert (ConflictError, "IdempotentRequestError") == (type(error), error.details["service_code"])


@pytest.mark.parametrize(
    ("headers", "wait"),
    [({"retry-after": "93"}, 93.0), ({"retry-after": "0"}, 0.0), ({"ratelimit-reset": "17"}, 17.0), ({}, None)],
)
async def test_a_rate_limit_says_how_long_to_wait(support, headers, wait):
    """429 is RateLimitedError with the seconds Zendesk asked for, be its body text or JSON."""
    for body in (b"Number of allowed API requests per minute exceeded", b'{"error": "APIRateLimitExceeded"}'):
        error = await failure(support, response(429, body, **headers))
        assert (RateLimitedError, wait, True) == (type(error), error.retry_after, error.retryable)


async def test_an_unavailable_service_says_how_long_to_wait(support):
    """503 with Retry-After is ServiceError with that wait."""
    error = await failure(support, response(503, b"", **{"retry-after": "7"}))
    assert (ServiceError, 7.0, True) == (type(error), error.retry_after, error.retryable)


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{}", b'{"tickets": {}}', b"<html>", b'{"ticket": null}', b"{"])
async def test_a_success_without_its_record_is_an_error(support, body):
    """An answer 200 that does not hold the promised record is never an empty success."""
    assert ResponseIntegrityError is type(await failure(support, response(200, body)))
    listed = await failure(support, response(200, body), call=lambda connector: connector.execute("tickets", "list"))
    assert ResponseIntegrityError is type(listed)


async def test_a_broken_connection_is_a_network_error(support):
    """A connection that cannot be made is NetworkError, which may be tried again."""
    error = await failure(support, httpx.ConnectError("refused"))
    assert (NetworkError, True) == (type(error), error.retryable)


async def test_an_answer_that_is_too_large_is_an_error(support):
    """The cap on an answer's size can be set."""
    connector, _ = support({"ticket": {"id": 1, "description": "x" * 5_000}}, max_bytes=1_000)
    with pytest.raises(ResponseIntegrityError, match="larger than 1000 bytes"):
        await connector.tickets.get(1)
