"""What a request looks like on the wire, and what becomes of its answer."""

from __future__ import annotations

import logging
import traceback

import httpx
import pytest

from plugbay.errors import (
    AuthenticationError,
    InvalidParameterError,
    NetworkError,
    NotFoundError,
    ResponseIntegrityError,
)
from plugbay.transport import Request, Response

GET = Request("GET", "/api/v2/tickets", query=(("query", "mail:joe@example.com"), ("page[size]", "5")), repeatable=True)


async def test_request_on_the_wire(transport, script):
    """Path, query, credentials and headers arrive as asked."""
    answers = script(httpx.Response(200, json={"ok": True}))
    response = await transport(answers, user_agent="mine/1").send(GET)
    (request,) = answers.requests
    assert request.url.raw_path == b"/api/v2/tickets?query=mail%3Ajoe%40example.com&page%5Bsize%5D=5"
    assert request.headers["authorization"].startswith("Basic ")
    assert request.headers["accept-encoding"] == "gzip"
    assert request.headers["accept"] == "application/json"
    assert request.headers["user-agent"] == "mine/1"
    assert request.headers["host"] == "acme.example.com"
    assert response.json() == {"ok": True}


async def test_headers_are_found_by_lower_case_name(transport, script):
    """An answer's headers are looked up by lower-case name however they were sent."""
    response = await transport(script(httpx.Response(200, headers={"X-Rate-Limit": "700"}))).send(GET)
    assert response.headers["x-rate-limit"] == "700"


async def test_base_url_may_have_a_path(transport, script):
    """Paths are added to the path of the base URL."""
    answers = script(httpx.Response(200))
    await transport(answers, base_url="https://proxy.example.com/zendesk/").send(Request("GET", "/a"))
    assert answers.requests[0].url == "https://proxy.example.com/zendesk/a"


async def test_cookies_are_not_kept(transport, script):
    """A cookie of one answer is not sent with the next request."""
    answers = script(httpx.Response(200, headers={"set-cookie": "session=1; path=/"}))
    client = transport(answers)
    await client.send(GET)
    await client.send(GET)
    assert "cookie" not in answers.requests[1].headers


async def test_error_is_the_readers(transport, script):
    """The given reader makes the error; the transport adds the status."""
    with pytest.raises(NotFoundError, match="GET /api/v2/tickets") as caught:
        await transport(script(httpx.Response(404))).send(GET)
    assert caught.value.details == {"status": 404}


async def test_redirected_read_is_an_error(transport, script):
    """A redirect is not followed for a read, either."""
    answers = script(httpx.Response(302, headers={"location": "/elsewhere"}))
    with pytest.raises(ResponseIntegrityError):
        await transport(answers).send(GET)
    assert len(answers.requests) == 1


async def test_401_without_renewal_is_final(transport, script):
    """Credentials that cannot be renewed are not tried twice."""
    answers = script(httpx.Response(401))
    with pytest.raises(AuthenticationError):
        await transport(answers).send(GET)
    assert len(answers.requests) == 1


@pytest.mark.parametrize("body", [{1, 2}, float("nan"), {"a": "\ud800"}, object()])
async def test_body_that_is_not_json_is_refused(transport, script, body):
    """A body that cannot be encoded is refused before anything is sent."""
    answers = script(httpx.Response(200))
    with pytest.raises(InvalidParameterError):
        await transport(answers).send(Request("POST", "/a", json=body))
    assert answers.requests == []


@pytest.mark.parametrize("value", ["a\r\nx: y", "ключ", "a\x00"])
async def test_header_that_cannot_be_sent_is_refused(transport, script, value):
    """A header that would break the request is refused, without being shown."""
    with pytest.raises(InvalidParameterError) as caught:
        await transport(script(httpx.Response(200))).send(Request("POST", "/a", headers={"Idempotency-Key": value}))
    assert value not in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a":', b'{"a": NaN}', b"[Infinity]", b"\xff", b"[" * 5000])
def test_json_that_is_none(body):
    """An answer that is empty or not strict JSON is an integrity error that shows its beginning."""
    with pytest.raises(ResponseIntegrityError) as caught:
        Response(200, {"content-type": "text/html"}, body).json()
    assert caught.value.details["status"] == 200
    assert caught.value.details["content_type"] == "text/html"
    assert len(caught.value.details["body_start"]) <= 200


async def test_log_and_errors_hold_no_secret(transport, script, caplog):
    """Neither the log, ours or the HTTP library's, nor a traceback shows credentials or query values."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(NetworkError) as caught:
        await transport(script(httpx.Response(503), httpx.ReadError("broken"))).send(GET)
    told = caplog.text + "".join(
        traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    )
    assert "next try in" in caplog.text
    for secret in ("s3cret", "czNjcmV0", "joe@", "joe%40"):
        assert secret not in caplog.text
    for secret in ("s3cret", "czNjcmV0"):
        assert secret not in told
