"""A write is never done twice behind its caller's back."""

from __future__ import annotations

import httpx
import pytest

from plugbay.errors import DeadlineExceededError, NetworkError, RateLimitedError, ResponseIntegrityError, ServiceError
from plugbay.transport import Request

POST = Request("POST", "/tickets", json={"ticket": {"subject": "é"}})
KEYED = Request("POST", "/tickets", json={}, headers={"Idempotency-Key": "k1"}, repeatable=True)
CREATED = httpx.Response(201, json={"ticket": {"id": 1}})


async def test_body_is_json(transport, script):
    """The body is compact UTF-8 JSON and says so."""
    answers = script(CREATED)
    await transport(answers).send(POST)
    assert answers.requests[0].content == '{"ticket":{"subject":"é"}}'.encode()
    assert answers.requests[0].headers["content-type"] == "application/json"


async def test_write_is_not_repeated_on_500(transport, script):
    """A write that fails with 500 is sent once, and the error says that it may have been done."""
    answers = script(httpx.Response(500), CREATED)
    with pytest.raises(ServiceError) as caught:
        await transport(answers).send(POST)
    assert len(answers.requests) == 1
    assert caught.value.details == {"status": 500, "fate": "unknown"}
    assert not caught.value.retryable
    assert "may have been done" in caught.value.hint


@pytest.mark.parametrize(
    "failure", [httpx.ReadError, httpx.ReadTimeout, httpx.WriteError, httpx.WriteTimeout, httpx.RemoteProtocolError]
)
async def test_write_is_not_repeated_when_its_fate_is_unknown(transport, script, failure):
    """A write whose connection broke is sent once."""
    answers = script(failure("broken"), CREATED)
    with pytest.raises(NetworkError) as caught:
        await transport(answers).send(POST)
    assert len(answers.requests) == 1
    assert caught.value.details["fate"] == "unknown"


@pytest.mark.parametrize(
    "failure", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.LocalProtocolError]
)
async def test_write_that_never_left_is_repeated(transport, script, failure):
    """A write that provably was not sent is sent again."""
    answers = script(failure("unsent"), CREATED)
    assert (await transport(answers).send(POST)).attempts == 2


async def test_write_that_never_left_has_no_doubtful_fate(transport, script):
    """When no try got through, the error does not say that the write may have been done."""
    with pytest.raises(NetworkError) as caught:
        await transport(script(httpx.ConnectError("no"))).send(POST)
    assert "fate" not in caught.value.details
    assert caught.value.retryable


async def test_throttled_write_is_repeated(transport, script):
    """429 says that the write was not done, so it is sent again."""
    answers = script(httpx.Response(429, headers={"retry-after": "1"}), CREATED)
    assert (await transport(answers).send(POST)).status == 201


async def test_keyed_write_is_repeated_under_the_same_key(transport, script):
    """A write under an idempotency key is repeated on 500, with the same key."""
    answers = script(httpx.Response(500), httpx.ReadError("broken"), CREATED)
    assert (await transport(answers).send(KEYED)).attempts == 3
    assert {request.headers["idempotency-key"] for request in answers.requests} == {"k1"}


async def test_doubt_about_an_earlier_try_stays(transport, script):
    """A keyed write whose first try may have landed is of unknown fate although the last try never left."""
    answers = script(httpx.ReadError("broken"), httpx.ConnectError("no"))
    with pytest.raises(NetworkError) as caught:
        await transport(answers).send(KEYED)
    assert caught.value.details["fate"] == "unknown"
    assert caught.value.retryable


async def test_a_read_has_no_fate(transport, script):
    """A read that failed says nothing of a fate."""
    with pytest.raises(ServiceError) as caught:
        await transport(script(httpx.Response(500))).send(Request("GET", "/tickets"))
    assert "fate" not in caught.value.details


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirected_write_is_an_error(transport, script, status):
    """A redirected write is not followed; the error names the target's host and nothing else of it."""
    answers = script(httpx.Response(status, headers={"location": "https://evil.test/a?key=1"}))
    with pytest.raises(ResponseIntegrityError) as caught:
        await transport(answers).send(POST)
    assert len(answers.requests) == 1
    assert caught.value.details == {"status": status, "host": "evil.test", "fate": "unknown"}
    assert "key=1" not in str(caught.value)


async def test_reset_connection_sends_a_write_once(transport, serve):
    """A server that reads a write and resets the connection gets it once."""
    seen = []

    async def talk(connection):
        seen.append(await connection.request())
        connection.reset()

    with pytest.raises(NetworkError):
        await transport(base_url=await serve(talk)).send(POST)
    assert len(seen) == 1


async def test_hanging_write_may_have_been_done(transport, serve):
    """A write that gets no answer in time says that it may have been done."""

    async def talk(connection):
        await connection.request()
        await connection.request()

    with pytest.raises(DeadlineExceededError) as caught:
        await transport(base_url=await serve(talk), timeout=0.1).send(POST)
    assert caught.value.details["fate"] == "unknown"
    assert not caught.value.retryable


async def test_throttled_write_past_the_deadline(transport, script):
    """A write that was only ever throttled was certainly not done."""
    with pytest.raises(RateLimitedError) as caught:
        await transport(script(httpx.Response(429, headers={"retry-after": "900"}))).send(POST)
    assert "fate" not in caught.value.details


async def test_a_question_by_post_is_no_write(transport, script):
    """A POST that changes nothing leaves nothing in doubt."""
    asked = Request("POST", "/search", json={}, repeatable=True, reads=True)
    answers = script(httpx.Response(500))
    with pytest.raises(ServiceError) as caught:
        await transport(answers).send(asked)
    assert ({"status": 500}, True) == (caught.value.details, caught.value.retryable)
    assert 3 == len(answers.requests)


@pytest.mark.parametrize("earlier", [None, httpx.ReadError("broken")])
async def test_an_answer_that_settles_a_call_is_the_last_word(transport, script, earlier):
    """Who has seen a call through says what became of it; a try before of which nobody knows is still in doubt."""
    answers = script(*([earlier] if earlier else []), httpx.Response(500))
    with pytest.raises(ServiceError) as caught:
        await transport(answers, settles=lambda response: True, max_attempts=2).send(KEYED if earlier else POST)
    assert ("unknown" if earlier else None) == (caught.value.details or {}).get("fate")
    assert "status" not in (caught.value.details or {})
