"""Connections of clients that are slow or send without end, over real sockets."""

from __future__ import annotations

import socket
from contextlib import AsyncExitStack, suppress

import pytest
from starlette.responses import Response
from tests.server.demo import ENDPOINTS, Gate
from tests.server.middleware.wire import connected
from tests.server.serving import serving

from plugbay.server.connection import MAX_HEAD, UNREAD_SECONDS
from plugbay.server.endpoint import endpoint
from plugbay.server.listening import CONNECTIONS_PER_REQUEST

REQUEST = b"GET /openapi.json HTTP/1.1\r\nhost: a\r\n\r\n"

_MUCH = 1 << 24
_ASKING_MUCH = b"GET /api/v1/much HTTP/1.1\r\nhost: a\r\n\r\n"


@endpoint("GET", "/api/v1/much", summary="Much", auth="none", streams=True)
async def _much(_call):
    return Response(b"x" * _MUCH)


async def test_silent():
    """A connection on which nothing is said is closed."""
    async with serving(endpoints=ENDPOINTS, header_timeout=0.1) as running, connected(running) as wire:
        assert b"" == await wire.rest()


async def test_slow_head():
    """A head that does not end in time is 408, however much of it trickles in."""
    begun = b"GET /openapi.json HTTP/1.1\r\n"
    async with serving(endpoints=ENDPOINTS, header_timeout=0.1) as running, connected(running, begun) as wire:
        await wire.send(b"a: b\r\n", b"c: d\r\n")
        status, headers = await wire.head()

    assert (408, "close") == (status, headers["connection"])


async def test_second_head():
    """The time holds for each request of a connection, and what is answered before is whole."""
    async with serving(endpoints=ENDPOINTS, header_timeout=0.1) as running, connected(running, REQUEST) as wire:
        first = await wire.answer()
        await wire.send(b"GET /openapi.json HT")
        second = await wire.head()

    assert (200, 408) == (first[0], second[0])


async def test_long_head():
    """A head without end is 431 once it is too long."""
    async with serving(endpoints=ENDPOINTS) as running, connected(running) as wire:
        await wire.send(b"GET /openapi.json HTTP/1.1\r\n", b"a: " + b"b" * (MAX_HEAD + 1))
        status, headers = await wire.head()

    assert (431, "close") == (status, headers["connection"])


async def test_long_head_at_once():
    """A head that is too long is 431 although all of it came at once."""
    field = b"a: " + b"b" * 1000 + b"\r\n"
    async with serving(endpoints=ENDPOINTS) as running, connected(running) as wire:
        await wire.send(b"GET /openapi.json HTTP/1.1\r\n" + field * 40 + b"\r\n")
        status, headers = await wire.head()

    assert (431, "close") == (status, headers["connection"])


async def test_answer_in_the_making():
    """Half of a next request does not end the one that is being answered."""
    gate = Gate()
    both = b"GET /api/v1/gate HTTP/1.1\r\nhost: a\r\n\r\nGET /half"
    async with serving(endpoints=gate.endpoints(), header_timeout=0.1) as running, connected(running, both) as wire:
        await gate.entered.wait()
        async with connected(running) as silent:
            await silent.rest()  # as long as a head may take
        gate.open.set()
        status, _, _ = await wire.answer()

    assert 200 == status


async def test_most_connections():
    """One connection more than a process has takes the place of the one that has waited longest; the others are served."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(serving(endpoints=ENDPOINTS, max_requests=1))
        held = [await stack.enter_async_context(connected(running)) for _ in range(CONNECTIONS_PER_REQUEST)]
        # Served by now, the first has waited for less long than the second.
        for wire in held:
            await wire.send(REQUEST)
            await wire.answer()
        await held[0].send(REQUEST)
        await held[0].answer()
        new = await stack.enter_async_context(connected(running, REQUEST))
        statuses = [(await new.answer())[0]]
        assert await _is_reset(held[1])
        for wire in (held[0], *held[2:]):
            await wire.send(REQUEST)
            statuses.append((await wire.answer())[0])

    assert [200] * CONNECTIONS_PER_REQUEST == statuses


async def test_most_connections_with_answers_to_read():
    """A connection whose answer has not been read yet does not make room while another can."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(serving(endpoints=[_much], max_requests=1))
        slow = await stack.enter_async_context(connected(running, _ASKING_MUCH))
        await slow.head()
        idle = [await stack.enter_async_context(connected(running)) for _ in range(CONNECTIONS_PER_REQUEST)]
        assert await _is_reset(idle[0])
        assert _MUCH == len(await slow.reader.readexactly(_MUCH))


async def test_connections_that_read_no_answers():
    """Where no other connection has read its answer, the one that waits longest makes room all the same."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(serving(endpoints=[_much], max_requests=1))
        for _ in range(CONNECTIONS_PER_REQUEST):
            slow = await stack.enter_async_context(connected(running, _ASKING_MUCH))
            await slow.head()
        new = await stack.enter_async_context(connected(running, REQUEST))
        status, _, _ = await new.answer()

    assert 200 == status


async def test_most_connections_at_work():
    """A connection on which a request is answered makes room for nobody, even if all others have to."""
    gate = Gate()
    asking = b"GET /api/v1/gate HTTP/1.1\r\nhost: a\r\n\r\n"
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(serving(endpoints=gate.endpoints(), max_requests=1))
        first = await stack.enter_async_context(connected(running, asking))
        await gate.entered.wait()
        others = [await stack.enter_async_context(connected(running)) for _ in range(2 * CONNECTIONS_PER_REQUEST)]
        assert all([await _is_reset(wire) for wire in others[:CONNECTIONS_PER_REQUEST]])
        gate.open.set()
        status, _, _ = await first.answer()

    assert 200 == status


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="This system has no such limit.")
async def test_unread():
    """The system ends a connection on which nothing is read for long, with all that waits for it."""
    async with serving(endpoints=ENDPOINTS) as running, connected(running, REQUEST) as wire:
        await wire.answer()
        [kept] = running.process.server_state.connections
        limit = kept.transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)

    assert UNREAD_SECONDS * 1000 == limit


async def test_not_http():
    """What is no HTTP is refused in a line."""
    async with serving(endpoints=ENDPOINTS) as running, connected(running) as wire:
        await wire.send(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")
        status, _ = await wire.head()

    assert 400 == status


@pytest.mark.parametrize(
    ("version", "fields", "expected"),
    [
        (b"1.1", b"", 400),
        (b"1.1", b"host: a\r\nHost: a\r\n", 400),
        (b"1.0", b"host: a\r\nhost: b\r\n", 400),
        (b"1.1", b"host: a b\r\n", 400),
        (b"1.1", b"host: a/b\r\n", 400),
        (b"1.1", b"host: a,b:80@c\r\n", 400),
        (b"1.0", b"", 200),
        (b"1.1", b"host:\r\n", 200),
        (b"1.1", b"host: [::1]:8000\r\n", 200),
        (b"1.1", b"HOST: a_b.example:8000\r\n", 200),
    ],
)
async def test_host(version, fields, expected):
    """A request names one host, or is of HTTP/1.0 and names none (RFC 9112, section 3.2)."""
    head = b"GET /openapi.json HTTP/" + version + b"\r\n" + fields + b"\r\n"
    async with serving(endpoints=ENDPOINTS) as running, connected(running, head) as wire:
        status, _ = await wire.head()

    assert expected == status


@pytest.mark.parametrize("refused", [b"host: a\r\nhost: b\r\n", b"host: a\r\n" + (b"a: " + b"b" * 1000 + b"\r\n") * 40])
async def test_one_refusal(caplog, refused):
    """A request with a body, another behind it, is refused once, and nothing of the server's breaks over its rest."""
    body = b"content-length: 2\r\n\r\n{}"
    async with serving(endpoints=ENDPOINTS) as running, connected(running) as wire:
        await wire.send(b"POST /api/v1/things/echo HTTP/1.1\r\n" + refused + body + REQUEST)
        answers = await wire.rest()

    assert 1 == answers.count(b"HTTP/1.1")
    assert [] == caplog.records


async def _is_reset(wire):
    try:
        return b"" == await wire.rest()
    except ConnectionResetError:
        return True


CHUNKED = (
    b"POST /api/v1/things/echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
    b'transfer-encoding: chunked\r\n\r\nc\r\n{"name":"a"}\r\n0\r\n'
)


async def test_trailers():
    """What comes behind a body is no header of its request: whoever looked at the headers has not seen it."""
    async with serving(endpoints=ENDPOINTS) as running, connected(running) as wire:
        await wire.send(CHUNKED + b"x-request-id: from-a-trailer\r\n\r\n")
        status, headers, body = await wire.answer()

    assert (200, b'"a"') == (status, body[body.index(b'"a"') :][:3])
    assert "from-a-trailer" != headers["x-request-id"]


@pytest.mark.parametrize("piece", [b"a: b\r\n", b"a: " + b"b" * 1000])
async def test_endless_trailers(piece):
    """Trailers without end do not fill the memory: the connection ends."""
    async with serving(endpoints=ENDPOINTS) as running, connected(running) as wire:
        await wire.send(CHUNKED, *[piece * (MAX_HEAD // len(piece)) for _ in range(16)])
        with suppress(ConnectionError):
            assert b"408" not in await wire.rest()
        again = await running.http.post("/api/v1/things/echo", content=_in_single_bytes(), headers=JSON)

    assert (200, "a") == (again.status_code, again.json()["name"])


JSON = {"content-type": "application/json"}


async def _in_single_bytes():
    for byte in b'{"name": "a", "more": {"text": "' + b"b" * 20_000 + b'"}}':
        yield bytes([byte])
