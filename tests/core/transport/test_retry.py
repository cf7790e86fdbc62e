"""When a request is sent again, and how long is waited before."""

from __future__ import annotations

import asyncio
import datetime as dt
import email.utils
import math
import os
import ssl

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugbay.auth import BasicToken
from plugbay.errors import NetworkError, PlugbayError, RateLimitedError, ServiceError
from plugbay.outcome import is_unknown
from plugbay.sandbox import Sandbox
from plugbay.transport import Request, RetryPolicy, Transport
from plugbay.transport.waits import asked_wait

from .conftest import read_error
from .test_outside import CERTIFICATE

GET = Request("GET", "/tickets", repeatable=True)
OK = httpx.Response(200, json={})
NOW = 1_700_000_000.0


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_transient_status_is_retried(transport, script, status):
    """A read that gets a passing failure is sent again, and the answer says how often it was sent."""
    answers = script(httpx.Response(status), OK)
    assert (await transport(answers).send(GET)).attempts == 2


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422, 501, 505])
async def test_lasting_status_is_not_retried(transport, script, status):
    """A refusal is not asked for twice."""
    answers = script(httpx.Response(status))
    with pytest.raises(Exception, match=f"HTTP {status}") as caught:
        await transport(answers).send(GET)
    assert caught.value.details["status"] == status
    assert len(answers.requests) == 1


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.LocalProtocolError,
        httpx.ReadError, httpx.ReadTimeout, httpx.WriteError, httpx.WriteTimeout, httpx.RemoteProtocolError,
    ],
)  # fmt: skip
async def test_broken_connection_is_retried_for_a_read(transport, script, failure):
    """A read is sent again whatever broke."""
    answers = script(failure("broken"), OK)
    assert (await transport(answers).send(GET)).attempts == 2


async def test_no_secure_connection_is_final(clock):
    """A host that does not speak TLS, or has no certificate that holds, will not by the next try."""
    with Sandbox(seed=1, tickets=1) as sandbox:
        address = sandbox.base_url.replace("http:", "https:")
        plain = Transport(address, BasicToken("a", "b"), read_error=read_error, retry=clock.policy())
        with pytest.raises(NetworkError, match="No secure connection to 127") as caught:
            await plain.send(GET)
        await plain.aclose()
    assert (False, []) == (caught.value.retryable, clock.slept)


async def test_a_secure_connection_that_breaks_may_have_carried_the_request(transport, tmp_path, clock):
    """What is no TLS behind a request is not taken for a certificate's fault: a write may have been done by then."""
    pem, heads, wires = tmp_path / "server.pem", [], []
    pem.write_text(CERTIFICATE)
    ours, theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=pem)
    ours.load_cert_chain(pem)
    theirs.check_hostname = False

    async def break_off(reader, writer):
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        wires.append(writer)
        os.write(writer.get_extra_info("socket").fileno(), b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with await asyncio.start_server(break_off, "127.0.0.1", 0, ssl=ours) as server:
        port = server.sockets[0].getsockname()[1]
        client = transport(base_url=f"https://127.0.0.1:{port}", http=httpx.AsyncHTTPTransport(verify=theirs))
        with pytest.raises(NetworkError, match="The connection to 127") as caught:
            await client.send(Request("POST", "/tickets", json={}))
        for wire in wires:
            wire.transport.abort()
    assert (1, True, []) == (len(heads), is_unknown(caught.value), clock.slept)


async def test_three_tries_with_growing_waits(transport, script, clock):
    """There are three tries; the bound of the waits doubles."""
    answers = script(httpx.Response(503))
    with pytest.raises(ServiceError):
        await transport(answers).send(GET)
    assert len(answers.requests) == 3
    assert clock.slept == [0.5, 1.0]


async def test_throttled_waits_are_longer(transport, script, clock):
    """A 429 that does not say how long to wait gets a longer wait than a failure."""
    with pytest.raises(RateLimitedError):
        await transport(script(httpx.Response(429))).send(GET)
    assert clock.slept == [1.0, 2.0]


async def test_unreachable_service_is_a_network_error(transport, script):
    """The last failure to connect is named, without the HTTP library's exception behind it."""
    with pytest.raises(NetworkError) as caught:
        await transport(script(httpx.ConnectError("no"))).send(GET)
    assert str(caught.value) == "Could not connect to acme.example.com (no)."
    assert caught.value.details["host"] == "acme.example.com"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


async def test_protocol_error_is_not_quoted(transport, script):
    """The text of a protocol error may hold a header, and is not shown."""
    with pytest.raises(NetworkError) as caught:
        await transport(script(httpx.LocalProtocolError("Illegal header value b'Bearer s3cret'"))).send(GET)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        ({"retry-after": "3"}, [3.0]),
        ({"retry-after": "2.5"}, [2.5]),
        ({"retry-after-ms": "1500"}, [1.5]),
        ({"ratelimit-reset": "17"}, [17.0]),
        ({"retry-after": email.utils.formatdate(NOW + 7, usegmt=True)}, [7.0]),
        ({"retry-after": email.utils.formatdate(NOW - 7, usegmt=True)}, [1.0]),
        ({"retry-after": "-5"}, [1.0]),
        ({"retry-after": "soon"}, [1.0]),
        ({"retry-after": "nan"}, [1.0]),
        ([("retry-after", "30"), ("retry-after", "30")], [30.0]),
        ({"retry-after": "5, soon, 30"}, [30.0]),
        ({"retry-after-ms": "100", "retry-after": "30"}, [30.0]),
        ({"retry-after-ms": "40000", "retry-after": "30"}, [40.0]),
        ({"retry-after": "3", "ratelimit-reset": "17"}, [17.0]),
        ({"retry-after": f"5, {email.utils.formatdate(NOW + 7, usegmt=True)}, 2"}, [7.0]),
        ({"retry-after": "Tuesday, 14-Nov-23 22:13:30 GMT, 2"}, [10.0]),
    ],
)
async def test_retry_after_is_honoured(transport, script, clock, headers, waits):
    """The wait is never shorter than what the service asks for, in whichever of its forms."""
    await transport(script(httpx.Response(429, headers=headers), OK)).send(GET)
    assert clock.slept == waits


async def test_a_wait_past_the_deadline_is_not_begun(transport, script, clock):
    """When the service asks for more time than the call has, the call fails at once and says how long to wait."""
    answers = script(httpx.Response(429, headers={"retry-after": "61"}))
    with pytest.raises(RateLimitedError) as caught:
        await transport(answers, timeout=60).send(GET)
    assert caught.value.retry_after == 61
    assert clock.slept == []
    assert len(answers.requests) == 1


async def test_a_failure_tells_the_wait_it_was_given(transport, script):
    """A service error that comes with Retry-After hands it on."""
    with pytest.raises(ServiceError) as caught:
        await transport(script(httpx.Response(503, headers={"retry-after": "300"}))).send(GET)
    assert caught.value.retry_after == 300


async def test_rate_headers_of_a_failure_are_not_its_wait(transport, script, clock):
    """`ratelimit-reset` on another status than 429 is not a request to wait."""
    await transport(script(httpx.Response(500, headers={"ratelimit-reset": "55"}), OK)).send(GET)
    assert clock.slept == [0.5]


def test_jitter_is_full_and_capped():
    """Waits spread from nothing to the bound, and the bound stops growing, for any number of tries."""
    assert RetryPolicy(rng=lambda: 0.0).wait(1) == 0.0
    assert RetryPolicy(rng=lambda: 1.0).wait(9) == 20.0
    assert RetryPolicy(rng=lambda: 1.0).wait(10_000) == 20.0


@settings(deadline=None)
@given(st.text(max_size=80) | st.floats().map(str) | st.integers().map(str))
def test_any_retry_after_is_a_finite_wait_or_none(text):
    """No header breaks the parsing, and none makes a negative or endless wait."""
    for name in ("retry-after", "retry-after-ms", "ratelimit-reset"):
        wait = asked_wait({name: text}, throttled=True, now=NOW)
        assert wait is None or (math.isfinite(wait) and wait >= 0)


@settings(deadline=None)
@given(st.integers(0, 30_000_000))
def test_seconds_and_dates_mean_the_same(seconds):
    """A wait in seconds and the date it leads to are read alike."""
    date = email.utils.format_datetime(dt.datetime.fromtimestamp(NOW + seconds, dt.UTC), usegmt=True)
    assert asked_wait({"retry-after": str(seconds)}, throttled=False, now=NOW) == seconds
    assert asked_wait({"retry-after": date}, throttled=False, now=NOW) == seconds


def test_a_date_without_a_zone_is_utc():
    """A date that names no zone is taken as UTC."""
    assert asked_wait({"retry-after": "Tue, 14 Nov 2023 22:13:30"}, throttled=False, now=NOW) == 10


@pytest.mark.parametrize("ahead", [-3600, 0, 3600])
async def test_a_date_counts_from_the_answers_own(transport, script, clock, ahead):
    """Where the service's clock and ours disagree, a date still means the wait that the service had in mind."""
    sent, until = (email.utils.formatdate(NOW + ahead + seconds, usegmt=True) for seconds in (0, 7))
    answers = script(httpx.Response(429, headers={"date": sent, "retry-after": until}), OK)
    await transport(answers).send(GET)
    assert clock.slept == [7.0]


def test_a_date_counts_from_our_clock_where_the_answers_own_is_no_date():
    """A `Date` that cannot be read, or a number in its place, is as good as none; of two, the earlier counts."""
    until = email.utils.formatdate(NOW + 7, usegmt=True)
    for date in ("yesterday", "", "5", ","):
        assert asked_wait({"date": date, "retry-after": until}, throttled=False, now=NOW) == 7
    two = f"{email.utils.formatdate(NOW, usegmt=True)}, {email.utils.formatdate(NOW - 2, usegmt=True)}"
    assert asked_wait({"date": two, "retry-after": until}, throttled=False, now=NOW + 99) == 9


def test_milliseconds_have_the_same_longest_wait():
    """A wait in milliseconds is not cut shorter than the same in seconds."""
    assert asked_wait({"retry-after-ms": "86400000000"}, throttled=False, now=NOW) == 366 * 86_400


@settings(deadline=None)
@given(st.text(max_size=80), st.text(max_size=80), st.lists(st.integers(0, 10**6), min_size=1, max_size=4))
def test_no_wait_is_shorter_than_the_longest_that_is_told(date, other, told):
    """Whatever else an answer says, the longest of its readable waits is kept."""
    headers = {"date": date, "retry-after-ms": other, "retry-after": ", ".join(map(str, told))}
    wait = asked_wait(headers, throttled=True, now=NOW)
    assert wait is not None
    assert math.isfinite(wait)
    assert wait >= max(told)


def test_a_moment_is_no_window():
    """A `ratelimit-reset` that is a moment, as of some services, is not waited for as if it were seconds."""
    headers = {"retry-after": "3", "ratelimit-reset": "1789000000"}
    assert 3.0 == asked_wait(headers, throttled=True, now=NOW)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_a_service_may_forbid_another_try(transport, script, status):
    """`X-Should-Retry: false` makes an answer the last, whatever its status; another word changes nothing."""
    for word, tries in (("false", 1), ("False ", 1), ("true", 3), ("", 3)):
        handler = script(httpx.Response(status, headers={"x-should-retry": word}))
        with pytest.raises(PlugbayError):
            await transport(handler).send(GET)
        assert tries == len(handler.requests)


async def test_long_work_waits_out_a_limit_all_the_same(transport, script, clock):
    """A call that has more time than the service waits for as long as it is told."""
    limited = httpx.Response(429, headers={"x-should-retry": "false", "retry-after": "90"})
    way = transport(script(limited, httpx.Response(200, json={})))
    assert 200 == (await way.send(GET, deadline=way.deadline(patient=True))).status
    assert [90.0] == clock.slept
