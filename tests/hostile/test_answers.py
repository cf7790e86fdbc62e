"""Whatever a service answers, a call ends with the promised record or with the library's own error."""

from __future__ import annotations

import json
from collections.abc import Mapping

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.hostile.service import OPERATIONS, Service, arguments_of, called, hostile_texts, json_values

from plugbay import (
    AuthenticationError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    PlugbayError,
    RateLimitedError,
    ResponseIntegrityError,
    ServiceError,
    ValidationFailedError,
)

CLASSES = {
    400: ValidationFailedError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    410: NotFoundError,
    413: ValidationFailedError,
    422: ValidationFailedError,
    429: RateLimitedError,
    500: ServiceError,
    502: ServiceError,
    503: ServiceError,
    599: ServiceError,
}
LONG = 5_000_000

error_words = st.sampled_from(
    ["error", "errors", "description", "details", "message", "title", "code", "detail", "error_description", "type"]
)
error_bodies = json_values | st.recursive(
    json_values, lambda inner: st.dictionaries(error_words, inner) | st.lists(inner, max_size=3), max_leaves=8
)


def run(operation, kind, answer, **settings):
    """What a right call of the action ends with."""
    service = Service(answer)
    outcome = called(
        service,
        lambda connector: connector.execute(operation.entity, operation.action, arguments_of(operation)),
        kind,
        **settings,
    )
    assert service.requests
    return outcome


def check(error, status):
    """The error is of the class its status stands for, and all its texts are short single lines."""
    assert type(error) is CLASSES[status] or (type(error) is ConflictError and status in CLASSES)
    assert status == error.details["status"]
    text = json.dumps(error.payload(), ensure_ascii=False)
    assert len(error.message) <= 1_000
    assert len(str(error)) <= 3_001
    assert len(text) <= 60_000
    assert len(str(error).splitlines()) == 1
    assert "\x1b" not in str(error)
    assert text.encode()


LARGE = [
    ("text/html", b"<html><body>" + b"<p>Sorry</p>" * (LONG // 12)),
    ("text/plain", b"x" * LONG),
    ("text/plain", b"line\r\n\x1b[31m" * (LONG // 11)),
    ("application/json", json.dumps({"error": "E" * LONG}).encode()),
    ("application/json", json.dumps({"error": {"title": "T" * LONG, "message": "M" * LONG}}).encode()),
    ("application/json", json.dumps({"details": {"f": [{"description": "d" * LONG}]}}).encode()),
    ("application/json", json.dumps({"details": {f"f{n}": [{"description": "d" * 40}] * 9 for n in range(12_000)}}).encode()),
    ("application/json", json.dumps({"details": {f"f{n}": ["d" * 60] * 9 for n in range(60)}}).encode()),
    ("application/json", json.dumps({"errors": [{"code": "c" * 900, "title": "t" * 900}] * 30}).encode()),
    ("application/json", b"[" * 50_000),
    ("application/json", b'{"a":' * 10_000 + b"1" + b"}" * 10_000),
    ("application/json", b"\xff\xfe" * (LONG // 2)),
    ("application/json", b""),
]  # fmt: skip


@pytest.mark.parametrize("status", CLASSES)
@pytest.mark.parametrize(("kind", "body"), LARGE, ids=range(len(LARGE)))
def test_large_error_pages(status, kind, body):
    """An error page of megabytes, of whatever form, is an error of the right class with a short text."""
    connector, operation = OPERATIONS[1]

    check(run(operation, connector, httpx.Response(status, headers={"content-type": kind}, content=body)), status)


@given(st.sampled_from(OPERATIONS), st.sampled_from(sorted(CLASSES)), error_bodies)
@settings(max_examples=300)
def test_error_of_any_shape(where, status, body):
    """An error's body may be any JSON: the status says the class, and nothing else is ever raised."""
    kind, operation = where

    check(run(operation, kind, httpx.Response(status, content=json.dumps(body).encode())), status)


@given(st.sampled_from(OPERATIONS), st.sampled_from(sorted(CLASSES)), st.binary(max_size=300), hostile_texts)
@settings(max_examples=100)
def test_error_of_any_bytes(where, status, body, words):
    """An error's body may be any bytes."""
    kind, operation = where

    check(run(operation, kind, httpx.Response(status, content=body)), status)
    check(run(operation, kind, httpx.Response(status, content=words.encode())), status)


retry_after = st.sampled_from(
    ["nan", "inf", "-1", "1e999", "9" * 4_000, "", " ", "x", "Fri, 99 Foo 9999", "0", "\x00", "١"]
)


@given(retry_after | st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=30))
@settings(max_examples=100)
def test_any_wait_that_is_asked_for(text):
    """Whatever stands for the wait, it is a number of seconds, or not known."""
    kind, operation = OPERATIONS[1]
    answer = httpx.Response(429, headers=[(b"retry-after", text.encode("latin-1", "replace"))], content=b"{}")

    error = run(operation, kind, answer)

    assert isinstance(error, RateLimitedError)
    assert error.retry_after is None or 0 <= error.retry_after <= 400 * 86_400
    json.dumps(error.payload(), allow_nan=False)


keys = st.sampled_from(
    ["ticket", "tickets", "results", "comments", "comment", "user", "users", "organization", "organizations", "attachment",
     "phone_number", "phone_numbers", "agents_activity", "calls", "audit", "events", "meta", "has_more", "after_cursor", "next_page",
     "count", "end_of_stream", "id", "type", "updated_at", "content_url", "size", "content_type", "name", "users", "page", "error"]
)  # fmt: skip
scalars = st.sampled_from(
    [None, True, False, 0, 1, -1, 1.5, "", "x", "Comment", "2026-01-01T00:00:00Z", "/f", 10**30, [], {}, [{}], [[]]]
)
answers = json_values | st.recursive(
    scalars, lambda inner: st.dictionaries(keys, inner, max_size=6) | st.lists(inner, max_size=3), max_leaves=20
)


@st.composite
def promised(draw, operation):
    """An answer that has the promised key, with something in it that may be the promised record."""
    body = draw(st.dictionaries(keys, answers, max_size=4))
    record = draw(st.dictionaries(keys, answers, max_size=4) | answers)
    wanted = operation.record or "id"
    return {**body, wanted: draw(st.lists(answers | st.just(record), max_size=3)) if operation.pager else record}


def is_promised(operation, result, body):
    """Whether a success holds what the answer has under the promised key, all of it."""
    if operation.pager is not None:
        promised = body[operation.record]
        return isinstance(promised, list) and all(isinstance(item, dict) for item in result.data)
    return isinstance(result.data, Mapping) and bool(result.data)


@pytest.mark.parametrize(("kind", "operation"), OPERATIONS, ids=lambda value: getattr(value, "name", ""))
@given(data=st.data())
@settings(max_examples=60)
def test_any_json_as_an_answer(kind, operation, data):
    """Any JSON is either the promised record, or an error that says it is not; it is never an empty success."""
    body = data.draw(answers | promised(operation))

    outcome = run(operation, kind, body)

    if isinstance(outcome, PlugbayError):
        assert len(str(outcome).splitlines()) == 1
        json.dumps(outcome.payload(), allow_nan=False)
    else:
        assert is_promised(operation, outcome, body)


@given(st.sampled_from(OPERATIONS), st.binary(max_size=200) | hostile_texts.map(str.encode))
@settings(max_examples=150)
def test_any_bytes_as_an_answer(where, content):
    """An answer that is no JSON is an error, whatever bytes it has."""
    kind, operation = where

    outcome = run(operation, kind, httpx.Response(200, content=content))

    assert isinstance(outcome, ResponseIntegrityError | AuthenticationError)
    assert len(str(outcome).splitlines()) == 1


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b'{"ticket":' * 100_000, b'{"ticket": {"id": ' + b"9" * 100_000 + b"}}"]
)
def test_answers_that_exhaust_a_parser(content):
    """JSON nested without end, or a number without end, is an error or a record, and no crash."""
    kind, operation = OPERATIONS[1]

    outcome = run(operation, kind, httpx.Response(200, content=content))

    assert isinstance(outcome, ResponseIntegrityError) or outcome.data["id"] > 0
