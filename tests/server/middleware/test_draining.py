"""How a process ends, and how much it takes at once."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from dataclasses import replace

import pytest
from starlette.responses import StreamingResponse
from tests.server.demo import ENDPOINTS, TOKEN, Gate
from tests.server.middleware.wire import connected
from tests.server.serving import serving

from plugbay.server import health
from plugbay.server.endpoint import endpoint

READY = b"GET /ready HTTP/1.1\r\nhost: a\r\n\r\n"


async def _pieces():
    for _ in range(256):
        yield b"x" * 65_536


@pytest.fixture
async def gate():
    gate = Gate()
    yield gate
    gate.open.set()


async def test_end(gate):
    """Once the end has begun the process is not ready, answers what comes and closes, and what runs is finished."""
    async with serving(endpoints=[*gate.endpoints(), *health.ENDPOINTS], notice_seconds=60) as running:
        async with connected(running) as kept:
            await kept.send(READY)
            before = await kept.answer()
            running_request = asyncio.create_task(running.http.get("/api/v1/gate"))
            await gate.entered.wait()
            running.process.ask_to_end()
            await kept.send(READY)
            after = await kept.answer()
            assert b"" == await kept.rest()
        new = await running.http.get("/ready")
        gate.open.set()
        finished = await running_request

    assert (200, None) == (before[0], before[1].get("connection"))
    assert (503, "close") == (after[0], after[1]["connection"])
    assert (503, "close") == (new.status_code, new.headers["connection"])
    assert (200, "Waited") == (finished.status_code, finished.json()["name"])


async def test_too_many(gate):
    """A process that has as many requests as it may answers more at once, with 503 and when to come again."""
    async with serving(endpoints=gate.endpoints(), max_requests=1) as running:
        first = asyncio.create_task(running.http.get("/api/v1/gate"))
        await gate.entered.wait()
        refused = await running.http.get("/openapi.json")
        gate.open.set()

        assert (503, "2") == (refused.status_code, refused.headers["retry-after"])
        assert 200 == (await first).status_code
        assert 200 == (await running.http.get("/openapi.json")).status_code


async def test_probes(gate):
    """A process that has as many requests as it may still says that it lives: who watches it must not end it."""
    async with serving(endpoints=[*gate.endpoints(), *health.ENDPOINTS], max_requests=1) as running:
        first = asyncio.create_task(running.http.get("/api/v1/gate"))
        await gate.entered.wait()
        statuses = [(await running.http.get(path)).status_code for path in ("/openapi.json", "/health", "/ready")]
        gate.open.set()
        await first

    assert [503, 200, 200] == statuses


async def test_one_client_does_not_have_it_all(gate):
    """Half of the requests that may run at once is one client's most, however slowly it reads; then others go on."""
    [_, stream] = gate.endpoints()
    endpoints = [replace(stream, auth="bearer"), TOKEN, *ENDPOINTS]
    async with serving(endpoints=endpoints, max_requests=4) as running:
        client, secret = await running.server.clients.create(running.organization_id, "second")
        greedy = await running.signed_in()
        other = {"authorization": f"Bearer {await running.bearer(client.id, secret)}"}
        async with AsyncExitStack() as held:
            for _ in range(2):
                await held.enter_async_context(running.http.stream("GET", stream.path, headers=greedy))
            refused = await running.http.get("/api/v1/things", headers=greedy)
            answer = await running.http.get("/api/v1/things", headers=other)
            gate.open.set()
        again = await running.http.get("/api/v1/things", headers=greedy)

    assert (429, "rate_limited", "1") == (
        refused.status_code, refused.json()["error"]["code"], refused.headers["retry-after"],
    )  # fmt: skip
    assert (200, 200, {}) == (answer.status_code, again.status_code, dict(running.server.drain.by_holder))


async def test_one_workspace_does_not_have_all_of_its_client(gate):
    """A token of one workspace has a quarter of its client's requests at once; then the client's others go on."""
    [_, stream] = gate.endpoints()
    endpoints = [replace(stream, auth="bearer"), TOKEN, *ENDPOINTS]
    async with serving(endpoints=endpoints, max_requests=16) as running:
        greedy, application = await running.bound("acme"), await running.signed_in()
        async with AsyncExitStack() as held:
            for _ in range(2):
                await held.enter_async_context(running.http.stream("GET", stream.path, headers=greedy))
            refused = await running.http.get("/api/v1/things", headers=greedy)
            answers = [
                await running.http.get("/api/v1/things", headers=headers)
                for headers in (await running.bound("zenith"), application)
            ]
            gate.open.set()
        again = await running.http.get("/api/v1/things", headers=greedy)

    assert (429, "rate_limited") == (refused.status_code, refused.json()["error"]["code"])
    assert [200, 200, 200] == [answer.status_code for answer in (*answers, again)]
    assert {} == dict(running.server.drain.by_holder)


HEAD = (
    b"POST /api/v1/account/applications/token HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
    b"content-length: 9\r\nexpect: 100-continue\r\n\r\n"
)


async def begun(held, running, address, head=HEAD):
    """A request whose body is being awaited."""
    wire = await held.enter_async_context(connected(running, head, address))
    assert 100 == (await wire.head())[0]
    return wire


async def test_one_address_does_not_have_it_all():
    """Strangers of one address whose bodies take their time have half of what may run at once, the latest of them."""
    async with serving(endpoints=[TOKEN, *ENDPOINTS], max_requests=4) as running, AsyncExitStack() as held:
        wires = [await begun(held, running, "127.0.0.1") for _ in range(3)]
        status, headers = await wires[0].head()
        for wire in wires[1:]:
            await wire.send(b"{}       ")
        others = [(await wire.head())[0] for wire in wires[1:]]

    assert (503, "close") == (status, headers["connection"])
    assert [422, 422] == others


async def test_strangers_make_room_first():
    """While a stranger's body is awaited, nobody who has a token makes room, however long his own takes."""
    async with serving(endpoints=[TOKEN, *ENDPOINTS], max_requests=4) as running, AsyncExitStack() as held:
        bearer = f"authorization: Bearer {await running.bearer()}\r\n".encode()
        known = HEAD.replace(b"/account/applications/token", b"/things").replace(
            b"host: a\r\n", b"host: a\r\n" + bearer
        )
        honest = await begun(held, running, "127.0.0.1", known)
        strangers = [await begun(held, running, f"127.0.0.{number}") for number in (2, 2, 3)]
        given = {"client_id": running.client_id, "client_secret": running.client_secret}
        answer = await running.http.post(TOKEN.path, json=given)
        await honest.send(b'{"name":1')
        statuses = [(await strangers[0].head())[0], (await honest.head())[0]]

    assert 200 == answer.status_code
    assert [503, 400] == statuses


async def test_bodies_that_do_not_come():
    """However many addresses begin bodies and do not end them, whoever has his whole request is answered."""
    async with serving(endpoints=[TOKEN, *ENDPOINTS], max_requests=4) as running, AsyncExitStack() as held:
        wires = [await begun(held, running, f"127.0.0.{number}") for number in (2, 3, 2, 3)]
        given = {"client_id": running.client_id, "client_secret": running.client_secret}
        answers = [await running.http.post(TOKEN.path, json=given) for _ in range(3)]
        first = (await wires[0].head())[0]

    assert [200, 200, 200] == [answer.status_code for answer in answers]
    assert 503 == first
    assert {} == running.server.drain.awaited


async def test_answers_that_are_not_read():
    """However many addresses ask and do not read what they get, whoever reads is answered."""

    @endpoint("GET", "/api/v1/much", summary="Much", auth="none", streams=True)
    async def much(_call):
        return StreamingResponse(_pieces(), media_type="application/octet-stream")

    asking = b"GET /api/v1/much HTTP/1.1\r\nhost: a\r\n\r\n"
    async with serving(endpoints=[much, TOKEN], max_requests=4) as running, AsyncExitStack() as held:
        wires = []
        for number in (2, 3, 2, 3):
            wires.append(await held.enter_async_context(connected(running, asking, f"127.0.0.{number}")))
            assert 200 == (await wires[-1].head())[0]
        given = {"client_id": running.client_id, "client_secret": running.client_secret}
        answer = await running.http.post(TOKEN.path, json=given)
        with suppress(ConnectionError):
            assert 1 << 24 > len(await wires[0].rest())
        whole = [len(await wire.reader.readexactly(1 << 24)) for wire in wires[1:]]

    assert 200 == answer.status_code
    assert [1 << 24] * 3 == whole
