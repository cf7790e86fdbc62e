from __future__ import annotations

import re
from email.utils import parsedate_to_datetime

import pytest


def test_headers(api):
    """Every answer carries the headers that real ones carry."""
    answer = api.get("/api/v2/tickets/1")

    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["x-zendesk-api-version"] == "v2"
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["x-request-id"])
    assert float(answer.headers["x-runtime"]) >= 0
    assert answer.headers["cache-control"] == "max-age=0, private, must-revalidate"
    assert re.fullmatch(r'W/"[0-9a-f]{32}"', answer.headers["etag"])
    assert answer.headers["x-request-id"] != api.get("/api/v2/tickets/1").headers["x-request-id"]


def test_date_is_the_clocks(api, sandbox):
    """The Date header follows the sandbox's clock."""
    sandbox.clock.advance(seconds=5000)
    date = parsedate_to_datetime(api.get("/api/v2/tickets/1").headers["date"])

    assert abs((sandbox.clock.now() - date).total_seconds()) < 5


def test_conditional_get(api):
    """An unchanged answer is 304 without a body; a changed one is sent again."""
    path = f"/api/v2/tickets/{api.ticket()['id']}"
    tag = api.get(path).headers["etag"]
    unchanged = api.get(path, headers={"if-none-match": tag})
    assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", tag)
    api.put(path, {"ticket": {"subject": "changed"}})

    assert api.get(path, headers={"if-none-match": tag}).status_code == 200


def test_compression(api):
    """Long answers are compressed for clients that can read it, and only for them."""
    packed = api.get("/api/v2/tickets")
    plain = api.get("/api/v2/tickets", headers={"accept-encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()


@pytest.mark.parametrize(
    "path", ["/api/v2/nonsense", "/api/v2/tickets/1/nonsense", "/", "/api/v1/tickets", "/api/v2/tickets/1/2"]
)
def test_unknown_paths(api, path):
    """A path that does not exist is 404 InvalidEndpoint."""
    answer = api.get(path)

    assert (answer.status_code, answer.json()) == (404, {"error": "InvalidEndpoint", "description": "Not found"})


@pytest.mark.parametrize(
    ("method", "path"), [("PATCH", "/api/v2/tickets/1"), ("DELETE", "/api/v2/search"), ("POST", "/api/v2/users/me")]
)
def test_wrong_methods(api, method, path):
    """A known path under a method it does not have is 404 InvalidEndpoint, as on a Rails service."""
    assert api.send(method, path).json()["error"] == "InvalidEndpoint"


def test_head(api):
    """HEAD answers like GET, without the body."""
    answer = api.send("HEAD", "/api/v2/tickets/1")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["etag"]


def test_no_content(api):
    """An answer without content has no content type."""
    answer = api.delete(f"/api/v2/tickets/{api.ticket()['id']}")

    assert answer.status_code == 204
    assert "content-type" not in answer.headers


def test_search_may_be_cached(api):
    """Search answers may be kept for ten seconds."""
    assert api.get("/api/v2/search", query="x").headers["cache-control"] == "max-age=10, private"
