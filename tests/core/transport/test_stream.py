"""A whole file arrives in constant memory, whatever breaks on its way, or it is refused; two are never spliced."""

from __future__ import annotations

import asyncio
import gzip
import logging
import tracemalloc
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugbay.auth import BasicToken
from plugbay.errors import (
    DeadlineExceededError,
    InvalidParameterError,
    NetworkError,
    PlugbayError,
    ResponseIntegrityError,
    ServiceError,
)
from plugbay.sink import Held, Source
from plugbay.transport import RetryPolicy, Transport

FILE = bytes(range(256)) * 1000
OTHER = FILE[:1000] + b"x" * (len(FILE) - 1000)
LARGEST = 2**30
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CDN = "https://p1.cdn.example.net/f?sig="


class Bytes:
    """A sink in memory that can take back what it was given, as a file can, or not."""

    def __init__(self, *, forgets=True):
        self.data = b""
        self.forgets = forgets
        self.sources = []

    async def open(self, file):
        return None

    async def begin(self, source):
        self.sources.append(source)
        if self.forgets:
            self.data = b""
        return self.forgets or not self.data

    async def take(self, piece):
        assert 0 < len(piece) <= 65_536
        self.data += piece


class Body(httpx.AsyncByteStream):
    """A body in pieces, which breaks off with an error if it is to."""

    def __init__(self, data, *, breaks=False, piece=10_000):
        self.data = data
        self.breaks = breaks
        self.piece = piece

    async def __aiter__(self):
        for at in range(0, len(self.data), self.piece):
            yield self.data[at : at + self.piece]
        if self.breaks:
            raise httpx.ReadError("reset")


class Server:
    """Serves a file by ranges under a validator; each answer breaks off after so many bytes of the plan."""

    def __init__(self, *plan, data=FILE, ranges=True, **headers):
        self.plan = list(plan)
        self.data = data
        self.ranges = ranges
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()} or {"etag": '"1"'}
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        step = self.plan.pop(0) if self.plan else None
        if callable(step):
            step = step(self, request)
        if isinstance(step, httpx.Response):
            return step
        asked = request.headers.get("range")
        known = self.headers.get("etag") or self.headers.get("last-modified")
        start = 0
        if self.ranges and asked and request.headers.get("if-range") in (None, known):
            start = int(asked.removeprefix("bytes=").partition("-")[0])
        headers = {**self.headers, "content-length": str(len(self.data) - start)}
        if start:
            headers["content-range"] = f"bytes {start}-{len(self.data) - 1}/{len(self.data)}"
        rest = self.data[start:]
        body = Body(rest) if step is None else Body(rest[:step], breaks=True)
        return httpx.Response(206 if start else 200, headers=headers, stream=body)

    @property
    def ranges_asked(self):
        return [request.headers.get("range") for request in self.requests]


@pytest.fixture
def fetch(transport, clock):
    """Streams `/f` from a server into a sink, the sink first."""

    async def go(server, sink, *, max_attempts=3, base=0.5, **changes):
        client = transport(server, max_attempts=max_attempts, retry=clock.policy(base=base))
        return await client.stream("/f", sink, **{"allowed_hosts": [], "max_bytes": LARGEST} | changes)

    return go


@pytest.mark.parametrize("forgets", [True, False])
async def test_whole(fetch, forgets):
    """A file that nothing happens to takes one request without a range, and its hash is told."""
    server, sink = Server(content_type="image/png", content_disposition='attachment; filename="a.png"'), None
    sink = Bytes(forgets=forgets)
    came = await fetch(server, sink)
    assert (FILE, [None]) == (sink.data, server.ranges_asked)
    assert (len(FILE), sha256(FILE).hexdigest(), "image/png", "a.png") == came


async def test_empty_file(fetch):
    """A file without a byte is a whole file."""
    sink = Bytes()
    assert 0 == (await fetch(Server(data=b""), sink, size=0)).size
    assert 1 == len(sink.sources)


@pytest.mark.parametrize("forgets", [True, False])
@pytest.mark.parametrize("validator", ["etag", "last-modified"])
async def test_a_break_is_gone_on_from(fetch, clock, forgets, validator):
    """Behind a broken connection only the rest is asked for, under the validator of what came before."""
    modified = format_datetime(NOW - timedelta(days=1), usegmt=True)
    headers = {"etag": '"1"'} if validator == "etag" else {"last_modified": modified, "date": format_datetime(NOW)}
    server, sink = Server(100_000, 50_000, **headers), Bytes(forgets=forgets)
    came = await fetch(server, sink)
    assert (FILE, sha256(FILE).hexdigest()) == (sink.data, came.sha256)
    assert [None, "bytes=100000-", "bytes=150000-"] == server.ranges_asked
    assert {"etag": '"1"', "last-modified": modified}[validator] == server.requests[1].headers["if-range"]
    assert [0.5, 0.5] == clock.slept


async def test_breaks_without_end_are_fine_while_something_comes(fetch):
    """As long as each try brings something, there may be more of them than a call has attempts."""
    server, sink = Server(*[20_000] * 12), Bytes()
    await fetch(server, sink, max_attempts=1, base=0.001)
    assert FILE == sink.data
    assert 13 == len(server.requests)


async def test_short_waits_while_something_comes(fetch, clock):
    """However little a try brings, the wait behind it is the first one's, so that a call's time is enough for many."""
    server, sink = Server(*[64 * 1024] * 47, data=bytes(3 * 2**20)), Bytes()
    await fetch(server, sink)
    assert (len(server.data), 48) == (len(sink.data), len(server.requests))
    assert [0.5] * 47 == clock.slept


async def test_longer_waits_while_nothing_new_comes(fetch, clock):
    """A beginning that does not reach the place of the last break brings nothing, and the waits grow."""
    server = Server(150_000, 100_000, 50_000, ranges=False)
    await fetch(server, Bytes())
    assert [0.5, 1.0, 2.0] == clock.slept


async def test_waits_are_logged(fetch, caplog):
    """A wait in the midst of a file is in the log like any other, and the link is not."""
    caplog.set_level(logging.INFO, "plugbay.transport")
    await fetch(Server(100_000), Bytes())
    assert [
        ("plugbay.transport", logging.INFO, "GET https://acme.example.com/...: cut short, next try in 0.50 s")
    ] == caplog.record_tuples


async def test_tries_that_bring_nothing_are_counted(fetch):
    """Breaks that bring nothing end it after as many tries as a call has."""
    server = Server(50_000, 0, 0, 0)
    with pytest.raises(ResponseIntegrityError, match="cut short") as caught:
        await fetch(server, Bytes())
    assert caught.value.retryable
    assert 4 == len(server.requests)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_server_is_waited_for(fetch, clock, status):
    """A refusal in the midst is waited out as in any call."""
    server, sink = Server(100_000, httpx.Response(status, headers={"retry-after": "7"})), Bytes()
    await fetch(server, sink)
    assert FILE == sink.data
    assert 7.0 in clock.slept


async def test_a_changed_file_begins_anew(fetch):
    """A server whose file has changed sends the new one whole, and a sink that forgets gets that alone."""

    def change(server, request):
        server.data, server.headers = OTHER, {"etag": '"2"'}

    server, sink = Server(100_000, change), Bytes()
    came = await fetch(server, sink)
    assert (OTHER, sha256(OTHER).hexdigest()) == (sink.data, came.sha256)
    assert ['"1"', '"2"'] == [source.validator for source in sink.sources]


async def test_a_changed_file_is_an_error_for_who_has_its_beginning(fetch):
    """What was given out cannot be taken back, so another file behind it is refused."""

    def change(server, request):
        server.data, server.headers = OTHER, {"etag": '"2"'}

    server, sink = Server(100_000, change), Bytes(forgets=False)
    with pytest.raises(ResponseIntegrityError, match="changed"):
        await fetch(server, sink)
    assert FILE[:100_000] == sink.data


@pytest.mark.parametrize(
    "headers",
    [
        {"x_none": "1"},
        {"etag": 'W/"1"'},
        {"etag": "1"},
        {"etag": '"a b"'},
        {"last_modified": format_datetime(NOW), "date": format_datetime(NOW)},
        {"last_modified": "yesterday", "date": "today"},
    ],
)
@pytest.mark.parametrize("forgets", [True, False])
async def test_without_a_strong_validator_it_begins_anew(fetch, forgets, headers):
    """A weak or missing validator cannot tell two files apart, so no range is asked for under it."""
    server, sink = Server(100_000, 150_000, **headers), Bytes(forgets=forgets)
    came = await fetch(server, sink)
    assert (FILE, sha256(FILE).hexdigest()) == (sink.data, came.sha256)
    assert [None, None, None] == server.ranges_asked


async def test_beginning_anew_has_an_end(fetch):
    """A server without ranges that always breaks in the middle is given up."""
    server = Server(*[150_000] * 9, ranges=False)
    with pytest.raises(ResponseIntegrityError, match="cut short"):
        await fetch(server, Bytes())
    assert 5 == len(server.requests)


async def test_a_break_while_the_beginning_is_read_again(fetch):
    """A second break before the place of the first does not confuse what is compared."""
    server, sink = Server(100_000, 40_000, ranges=False), Bytes(forgets=False)
    await fetch(server, sink)
    assert FILE == sink.data


PART = f"bytes 100000-{len(FILE) - 1}/{len(FILE)}"


@pytest.mark.parametrize(
    "headers",
    [
        {"content-range": PART, "etag": '"2"'},
        {"content-range": PART.replace("100000", "100001")},
        {"content-range": PART.replace("100000", "99999")},
        {"content-range": PART.replace(f"/{len(FILE)}", "/999999")},
        {"content-range": "bytes */9"},
        {},
        {"content-range": PART, "content-encoding": "gzip"},
    ],
)
async def test_a_wrong_part_is_refused(fetch, headers):
    """A part of another file, or another part, is not put behind what is there."""
    wrong = httpx.Response(206, headers=headers, stream=Body(FILE[100_000:]))
    sink = Bytes()
    with pytest.raises(ResponseIntegrityError):
        await fetch(Server(100_000, wrong), sink)
    assert FILE[:100_000] == sink.data


async def test_an_unasked_part_is_refused(fetch):
    """A part is no answer to somebody who asked for all."""
    part = httpx.Response(206, headers={"content-range": f"bytes 0-9/{len(FILE)}"}, stream=Body(FILE[:10]))
    with pytest.raises(ResponseIntegrityError):
        await fetch(Server(part), Bytes())


async def test_a_short_part_is_gone_on_from(fetch):
    """A server may send less than was asked for; the next request asks for the rest."""

    def short(server, request):
        headers = {"content-range": f"bytes 100000-119999/{len(FILE)}"}
        return httpx.Response(206, headers=headers, stream=Body(FILE[100_000:120_000]))

    server, sink = Server(100_000, short), Bytes()
    await fetch(server, sink)
    assert FILE == sink.data
    assert "bytes=120000-" == server.ranges_asked[2]


async def test_parts_without_a_byte_are_counted(fetch):
    """A part that announces bytes and ends in good order without any is as good as a break that brings nothing."""

    def empty(server, request):
        return httpx.Response(206, headers={"content-range": PART}, stream=Body(b""))

    server = Server(100_000, *[empty] * 20)
    with pytest.raises(ResponseIntegrityError, match="cut short"):
        await fetch(server, Bytes())
    assert 4 == len(server.requests)


async def test_out_of_range_begins_anew(fetch, caplog):
    """A server that says the file ends before our place has another file, which is read from its start."""

    def shrink(server, request):
        server.data, server.headers = OTHER[:500], {"etag": '"2"'}
        return httpx.Response(416, headers={"content-range": "bytes */500"})

    server, sink = Server(100_000, shrink), Bytes()
    caplog.set_level(logging.INFO, "plugbay.transport")
    await fetch(server, sink)
    assert OTHER[:500] == sink.data
    assert "HTTP 416, next try in" in caplog.messages[-1]


async def test_out_of_range_without_a_range(fetch):
    """A refused range that nobody asked for is nonsense."""
    with pytest.raises(ResponseIntegrityError, match="range"):
        await fetch(Server(httpx.Response(416)), Bytes())


@pytest.mark.parametrize("status", [204, 201])
async def test_no_file(fetch, status):
    """A success that is neither the file nor a part of it is refused."""
    with pytest.raises(ResponseIntegrityError):
        await fetch(Server(httpx.Response(status)), Bytes())


@pytest.mark.parametrize(("size", "cap"), [(len(FILE) - 1, LARGEST), (len(FILE) + 1, LARGEST), (None, 9)])
async def test_a_wrong_size_is_refused_before_anything_is_written(fetch, size, cap):
    """Where the sizes already disagree, or the file is too large, nothing is handed on."""
    sink = Bytes()
    with pytest.raises(ResponseIntegrityError):
        await fetch(Server(), sink, size=size, max_bytes=cap)
    assert [] == sink.sources


async def test_a_promised_size_over_the_cap_sends_nothing(fetch):
    """A record that says the file is too large is enough."""
    server = Server()
    with pytest.raises(ResponseIntegrityError, match="larger than 9"):
        await fetch(server, Bytes(), size=10, max_bytes=9)
    assert [] == server.requests


class TestUntoldSizes:
    """A body that does not say how long it is."""

    def _answer(self, *pieces, **headers):
        return lambda server, request: httpx.Response(200, headers=headers, stream=Body(b"".join(pieces)))

    async def test_whole(self, fetch):
        """Its end is where it ends."""
        sink = Bytes()
        assert 5 == (await fetch(Server(self._answer(b"hello")), sink)).size

    async def test_of_the_promised_size(self, fetch):
        """It is held to the size in the record."""
        assert 5 == (await fetch(Server(self._answer(b"hello")), Bytes(), size=5)).size

    async def test_too_long(self, fetch):
        """More than the record says is refused, and not handed on."""
        sink = Bytes()
        with pytest.raises(ResponseIntegrityError, match="size"):
            await fetch(Server(self._answer(b"hello")), sink, size=4)
        assert b"" == sink.data

    async def test_too_short(self, fetch):
        """Less than the record says, again and again, is a file cut short."""
        with pytest.raises(ResponseIntegrityError, match="cut short"):
            await fetch(Server(*[self._answer(b"hello")] * 9), Bytes(), size=6)

    async def test_over_the_cap(self, fetch):
        """The cap holds, and nothing beyond it is handed on."""
        sink = Bytes()
        with pytest.raises(ResponseIntegrityError, match="larger than 20000"):
            await fetch(Server(self._answer(FILE)), sink, max_bytes=20_000)
        assert FILE[:20_000] == sink.data

    async def test_encoded(self, fetch):
        """An encoded body is decoded, and its announced length is not taken for the file's."""
        packed = gzip.compress(FILE)
        answer = self._answer(packed, **{"content-encoding": "gzip", "content-length": str(len(packed))})
        sink = Bytes()
        await fetch(Server(answer), sink, size=len(FILE))
        assert FILE == sink.data

    async def test_bomb(self, fetch):
        """A body that inflates without end meets the cap."""
        answer = self._answer(gzip.compress(bytes(50 * 2**20)), **{"content-encoding": "gzip"})
        with pytest.raises(ResponseIntegrityError, match="larger"):
            await fetch(Server(answer), Bytes(), max_bytes=100_000)


class TestHeld:
    """A beginning that an earlier process left."""

    def _held(self, data, tag='"1"', total=256_000):
        return Held(len(data), Source(tag, total), sha256(data))

    async def test_gone_on_from(self, fetch):
        """The same file is gone on with, and its hash is of all of it."""
        server, sink = Server(), Bytes()
        sink.data = FILE[:70_000]
        came = await fetch(server, sink, held=self._held(FILE[:70_000]), size=len(FILE))
        assert (FILE, sha256(FILE).hexdigest(), len(FILE)) == (sink.data, came.sha256, came.size)
        assert ["bytes=70000-"] == server.ranges_asked

    async def test_of_another_file(self, fetch):
        """Another file is read from its start."""
        server, sink = Server(), Bytes()
        sink.data = OTHER[:70_000]
        came = await fetch(server, sink, held=self._held(OTHER[:70_000], tag='"0"'))
        assert (FILE, sha256(FILE).hexdigest()) == (sink.data, came.sha256)

    async def test_of_a_size_nobody_knew(self, fetch):
        """The size that a part tells of is held to, if none was known."""
        server, sink = Server(50_000), Bytes()
        sink.data = FILE[:70_000]
        await fetch(server, sink, held=self._held(FILE[:70_000], total=None))
        assert FILE == sink.data


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 9_000), max_size=12),
    st.booleans(),
    st.booleans(),
    st.sampled_from([{"etag": '"1"'}, {"etag": 'W/"1"'}]),
    st.lists(st.booleans(), max_size=12),
)
def test_never_two_files(breaks, forgets, ranges, headers, changes):
    """However often it breaks and changes, what arrives is one of the files, whole, or there is an error."""
    files = [bytes([number]) * 10_000 for number in range(20)]

    def step(size, change):
        def act(server, request):
            if change:
                number = server.data[0] + 1
                server.data = files[number]
                server.headers = {"etag": headers["etag"].replace("1", str(number + 1))}
            return size

        return act

    changes = changes + [False] * len(breaks)
    server = Server(*map(step, breaks, changes), data=files[0], ranges=ranges, **headers)
    sink = Bytes(forgets=forgets)

    async def no_wait(seconds):
        pass

    async def main():
        client = Transport(
            "https://acme.example.com",
            BasicToken("u", "p"),
            read_error=lambda request, response: PlugbayError("no"),
            http=httpx.MockTransport(server),
            retry=RetryPolicy(sleep=no_wait),
        )
        try:
            await client.stream("/f", sink, allowed_hosts=[], max_bytes=LARGEST)
        except ResponseIntegrityError:
            return False
        finally:
            await client.aclose()
        return True

    if asyncio.run(main()):
        assert sink.data in files


async def test_an_expired_address_is_looked_for_again(transport):
    """Each continuation begins at the link itself, since the signed address behind it is good for a while only."""
    server, seen = Server(100_000), []

    def handler(request):
        seen.append(str(httpx.URL(request.url)))
        if request.url.host == "acme.example.com":
            return httpx.Response(302, headers={"location": CDN + str(len(seen))})
        if len(seen) > 2 and request.url.params["sig"] == "1":
            return httpx.Response(403)
        assert "authorization" not in request.headers
        return server(request)

    sink = Bytes()
    await transport(handler).stream("/f", sink, allowed_hosts=[".example.net"], max_bytes=LARGEST)
    assert FILE == sink.data
    home = "https://acme.example.com/f"
    assert [home, CDN + "1", home, CDN + "3"] == seen


async def test_a_refused_address_is_an_error(transport, script):
    """A host that refuses the file is named, and nothing else of the link."""
    answers = script(httpx.Response(302, headers={"location": CDN + "1"}), httpx.Response(403))
    with pytest.raises(ServiceError) as caught:
        await transport(answers).stream("/f", Bytes(), allowed_hosts=[".example.net"], max_bytes=9)
    assert "sig" not in str(caught.value)


async def test_a_bad_link_sends_nothing(transport, script):
    """A link to a host that is not allowed is refused before anything is sent."""
    answers = script(httpx.Response(200))
    with pytest.raises(InvalidParameterError):
        await transport(answers).stream("https://evil.test/f", Bytes(), allowed_hosts=[], max_bytes=9)
    assert [] == answers.requests


class TestSinkErrors:
    """What fails at the reader's end is the reader's."""

    @pytest.mark.parametrize("error", [OSError("disk full"), ValueError("x"), httpx.ReadError("not the network's")])
    async def test_raised_as_it_is(self, fetch, error):
        """It is not taken for a broken connection, nor tried again."""

        class Full(Bytes):
            async def take(self, piece):
                raise error

        server = Server()
        with pytest.raises(type(error)) as caught:
            await fetch(server, Full())
        assert error is caught.value
        assert 1 == len(server.requests)

    async def test_of_who_is_told(self, fetch):
        """The one who is told may end it."""

        def stop(received, total):
            raise KeyError("enough")

        with pytest.raises(KeyError):
            await fetch(Server(), Bytes(), tell=stop)


async def test_progress(fetch):
    """Progress is told after each MiB and at the end, with the size if that is known."""
    told, data = [], bytes(2_500_000)
    await fetch(Server(data=data), Bytes(), tell=lambda *how_far: told.append(how_far))
    assert len(data) == told[-1][0]
    assert 3 == len(told)
    assert {len(data)} == {total for _, total in told}
    assert all(2**20 * (number + 1) <= received < 2**20 * (number + 1) + 65_536 for number, (received, _) in
               enumerate(told[:2]))  # fmt: skip


class TestTime:
    """Each MiB has the time of one call, and the reader's own time is not counted."""

    def _server(self, clock, seconds, size):
        """A server whose first connection takes so long for each 64 KiB, and breaks after so many bytes."""

        class Slow(httpx.AsyncByteStream):
            async def __aiter__(self):
                for _ in range(size // 65_536):
                    clock.now += seconds
                    yield bytes(65_536)
                raise httpx.ReadError("reset")

        def slow(server, request):
            headers = {"etag": '"1"', "content-length": str(len(server.data))}
            return httpx.Response(200, headers=headers, stream=Slow())

        return Server(slow, data=bytes(5 * 2**20 + 9))

    async def test_a_long_file_may_take_long(self, fetch, clock):
        """Five MiB that take 40 seconds each are fine with a minute for a call, and there is time left to go on."""
        server, began = self._server(clock, 2.5, size=5 * 2**20), clock.now
        assert len(server.data) == (await fetch(server, Bytes())).size
        assert clock.now - began > 200
        assert 2 == len(server.requests)

    async def test_a_slow_mib_is_too_slow(self, fetch, clock):
        """When the first MiB is not there after a minute, there is no time left to go on."""
        server = self._server(clock, 4.5, size=2**20 - 65_536)
        with pytest.raises(ResponseIntegrityError, match="cut short"):
            await fetch(server, Bytes())
        assert 1 == len(server.requests)

    async def test_drip(self, transport, serve):
        """A server that sends a byte and then nothing is left when the time of the MiB is over."""

        async def talk(connection):
            await connection.request()
            await connection.send("HTTP/1.1 200 OK\nContent-Length: 9\n\nx")
            await connection.request()

        client = transport(base_url=await serve(talk), timeout=0.05, retry=RetryPolicy())
        with pytest.raises(DeadlineExceededError, match=r"No MiB of the file came within 0\.05"):
            await client.stream("/f", Bytes(), allowed_hosts=[], max_bytes=LARGEST)

    async def test_the_whole_may_be_limited(self, transport, serve):
        """A time for all of it ends it although each MiB has more."""

        async def talk(connection):
            await connection.request()
            await connection.send("HTTP/1.1 200 OK\nContent-Length: 9\n\nx")
            await connection.request()

        client = transport(base_url=await serve(talk), retry=RetryPolicy())
        with pytest.raises(DeadlineExceededError, match=r"The file did not come within 0\.05"):
            await client.stream("/f", Bytes(), allowed_hosts=[], max_bytes=LARGEST, timeout=0.05)

    async def test_the_sinks_time_does_not_count(self, transport, clock):
        """A sink that takes hours for a piece loses nothing by it."""

        class Lazy(Bytes):
            async def take(self, piece):
                clock.now += 3_600
                await super().take(piece)

        server, sink = Server(100_000, 50_000), Lazy()
        await transport(server).stream("/f", sink, allowed_hosts=[], max_bytes=LARGEST, timeout=10.0)
        assert FILE == sink.data


async def test_closing_ends_it(transport, serve):
    """A stream whose transport is closed ends at once with a named error, while it reads and while its sink is busy."""
    arrived = asyncio.Event()

    async def talk(connection):
        await connection.request()
        await connection.send("HTTP/1.1 200 OK\nContent-Length: 9\n\nx")
        await connection.request()

    class Busy(Bytes):
        async def take(self, piece):
            arrived.set()
            if not self.forgets:
                await asyncio.Event().wait()

    client = transport(base_url=await serve(talk), retry=RetryPolicy())
    for forgets in (True, False):
        arrived.clear()
        stream = asyncio.create_task(client.stream("/f", Busy(forgets=forgets), allowed_hosts=[], max_bytes=LARGEST))
        await arrived.wait()
        await client.aclose()
        with pytest.raises(NetworkError, match="closed"):
            await stream


async def test_constant_memory(transport):
    """A file of 200 MiB takes the memory of some pieces."""

    class Nowhere(Bytes):
        async def take(self, piece):
            pass

    class Huge(httpx.AsyncByteStream):
        async def __aiter__(self):
            for _ in range(200):
                yield bytes(2**20)

    client = transport(lambda request: httpx.Response(200, stream=Huge()))
    tracemalloc.start()
    came = await client.stream("/f", Nowhere(), allowed_hosts=[], max_bytes=LARGEST)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 200 * 2**20 == came.size
    assert peak < 4 * 2**20
