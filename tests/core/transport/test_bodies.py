"""Bodies are read whole, within their cap, and never believed when they are cut short."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import httpx
import pytest

from plugbay import tool_utils
from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig
from plugbay.errors import NotFoundError, ResponseIntegrityError
from plugbay.transport import Request, RetryPolicy

GET = Request("GET", "/a", repeatable=True)
POST = Request("POST", "/a", json={})
TEXT = b"plugbay " * 40_000


def deflated(data, wbits):
    squeeze = zlib.compressobj(wbits=wbits)
    return squeeze.compress(data) + squeeze.flush()


class Raw(httpx.AsyncByteStream):
    def __init__(self, *pieces):
        self.pieces = pieces

    async def __aiter__(self):
        for piece in self.pieces:
            yield piece


def raw(encoding, *pieces, status=200):
    """An answer whose body arrives in pieces, as it is on the wire."""
    return lambda request: httpx.Response(status, headers={"content-encoding": encoding}, stream=Raw(*pieces))


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("identity", TEXT),
        ("", TEXT),
        ("gzip", gzip.compress(TEXT)),
        ("X-GZIP", gzip.compress(TEXT)),
        ("gzip", gzip.compress(TEXT[:1000]) + gzip.compress(TEXT[1000:])),
        ("gzip", gzip.compress(TEXT) + bytes(512)),
        ("gzip", gzip.compress(TEXT[:1000]) + bytes(9) + gzip.compress(TEXT[1000:]) + bytes(9)),
        ("deflate", deflated(TEXT, 15)),
        ("deflate", deflated(TEXT, -15)),
    ],
)
@pytest.mark.parametrize("size", [7, 1000, 10**6])
async def test_encodings(transport, encoding, body, size):
    """Every encoding that a server may use reads as the same body, however it is cut into pieces."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    assert (await transport(raw(encoding, *pieces)).send(GET)).body == TEXT


async def test_empty_body_with_an_encoding(transport):
    """An empty body is empty whatever encoding is claimed for it."""
    assert (await transport(raw("gzip", status=204)).send(GET)).body == b""


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "zstd"])
async def test_unasked_encoding_is_an_error(transport, encoding):
    """An encoding that was not asked for is refused."""
    with pytest.raises(ResponseIntegrityError):
        await transport(raw(encoding, TEXT)).send(GET)


async def test_broken_compression_is_an_error(transport):
    """A body that is not what its encoding says is refused."""
    with pytest.raises(ResponseIntegrityError):
        await transport(raw("gzip", b"\x1f\x8bgarbage" * 10)).send(GET)


@pytest.mark.parametrize("behind", [b"x", bytes(9) + b"x" * 20])
async def test_garbage_behind_compression_is_an_error(transport, behind):
    """Behind the last gzip member there may be zeros and nothing else."""
    with pytest.raises(ResponseIntegrityError):
        await transport(raw("gzip", gzip.compress(TEXT) + behind)).send(GET)


async def test_gzip_that_ends_early_is_cut_short(transport):
    """A gzip stream without its end is not a whole answer, although the connection closed in order."""
    with pytest.raises(ResponseIntegrityError, match="cut short"):
        await transport(raw("gzip", gzip.compress(TEXT)[:-9])).send(GET)


async def test_cap_is_on_decoded_bytes(transport):
    """A body of exactly the cap is read, one byte more is refused."""
    answer = raw("gzip", gzip.compress(TEXT))
    assert (await transport(answer, max_bytes=len(TEXT)).send(GET)).body == TEXT
    with pytest.raises(ResponseIntegrityError, match="larger") as caught:
        await transport(answer, max_bytes=len(TEXT) - 1).send(GET)
    assert caught.value.details["max_bytes"] == len(TEXT) - 1


async def test_bomb_is_not_unpacked(transport):
    """200 MB in 200 kB are refused at the cap, in memory of the order of the cap."""
    bomb = gzip.compress(bytes(200 * 2**20), compresslevel=1)
    client = transport(raw("gzip", bomb), max_bytes=2**20)
    tracemalloc.start()
    with pytest.raises(ResponseIntegrityError):
        await client.send(GET)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 2**20


@pytest.mark.parametrize("encoding", ["", "gzip", "br"])
async def test_error_body_is_only_begun(transport, encoding):
    """A huge error page does not become a huge error, and its encoding does not hide the status."""
    seen = []
    body = b"x" * 5_000_000
    client = transport(raw(encoding, gzip.compress(body) if encoding == "gzip" else body, status=404))
    client._read_error = lambda request, response: seen.append(response) or NotFoundError("no")
    with pytest.raises(NotFoundError):
        await client.send(GET)
    assert len(seen[0].body) == (0 if encoding == "br" else 65_536)


async def test_truncated_read_is_repeated(transport, serve):
    """A read whose body was cut off is sent again; if that does not help, the answer is refused."""
    bodies = ["{", "[1]"]

    async def talk(connection):
        await connection.request()
        await connection.send("HTTP/1.1 200 OK\nContent-Length: 3\n\n" + bodies.pop(0))

    assert (await transport(base_url=await serve(talk)).send(GET)).json() == [1]


async def test_truncated_answer_to_a_write(transport, serve):
    """A write whose answer was cut off is not repeated, and may have been done."""
    seen = []

    async def talk(connection):
        seen.append(await connection.request())
        await connection.send("HTTP/1.1 201 Created\nContent-Length: 300\n\n{")

    with pytest.raises(ResponseIntegrityError, match="cut short") as caught:
        await transport(base_url=await serve(talk)).send(POST)
    assert caught.value.details == {"status": 201, "fate": "unknown"}
    assert len(seen) == 1


async def test_broken_error_body_keeps_its_status(transport, serve):
    """An error whose body breaks off is still that error."""

    async def talk(connection):
        await connection.request()
        await connection.send("HTTP/1.1 404 Not Found\nContent-Length: 300\n\n{")

    with pytest.raises(NotFoundError):
        await transport(base_url=await serve(talk)).send(GET)


async def test_garbage_is_not_an_answer(transport, serve):
    """A server that does not speak HTTP is a network error."""

    async def talk(connection):
        await connection.request()
        await connection.send("220 smtp.example.com ESMTP\n")

    with pytest.raises(Exception, match="broke") as caught:
        await transport(base_url=await serve(talk)).send(GET)
    assert caught.value.code == "network"


async def test_keep_alive_race_is_retried(transport, serve):
    """A read that meets a connection the server is just closing is sent again on a new one."""
    connections = []

    async def talk(connection):
        connections.append(connection)
        await connection.request()
        await connection.send("HTTP/1.1 200 OK\nContent-Length: 2\n\n{}")
        if len(connections) == 1:
            await connection.request()  # arrives, and is never answered
            connection.reset()

    client = transport(base_url=await serve(talk))
    assert (await client.send(GET)).attempts == 1
    assert (await client.send(GET)).attempts == 2
    assert len(connections) == 2


@pytest.mark.parametrize("request_", [GET, POST])
async def test_headers_without_end(transport, serve, request_):
    """Headers larger than can be read are refused at once, and a write may have been done."""
    seen = []

    async def talk(connection):
        seen.append(await connection.request())
        await connection.send("HTTP/1.1 200 OK\n")
        while True:
            await connection.send("x-padding: " + "x" * 10_000 + "\n")

    with pytest.raises(ResponseIntegrityError, match="headers larger than") as caught:
        await transport(base_url=await serve(talk)).send(request_)
    assert not caught.value.retryable
    assert ("unknown" if request_ is POST else None) == caught.value.details.get("fate")
    assert 1 == len(seen)


async def test_large_headers_are_fine(transport, serve):
    """Headers of 64 KiB are read."""

    async def talk(connection):
        await connection.request()
        await connection.send("HTTP/1.1 200 OK\nContent-Length: 2\nx: " + "x" * 65_536 + "\n\n{}")

    assert {} == (await transport(base_url=await serve(talk)).send(GET)).json()


async def test_json_behind_a_byte_order_mark(transport):
    """A byte order mark before JSON is ignored; a second one is not, nor is one alone an answer."""
    for body in (b"[1]", b"\xef\xbb\xbf[1]"):
        assert [1] == (await transport(lambda request, body=body: httpx.Response(200, content=body)).send(GET)).json()
    for body in (b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf[1]"):
        answer = await transport(lambda request, body=body: httpx.Response(200, content=body)).send(GET)
        with pytest.raises(ResponseIntegrityError, match="JSON"):
            answer.json()


async def test_json_without_bottom(transport):
    """JSON nested without measure is refused by name."""
    client = transport(lambda request: httpx.Response(200, content=b"[" * 100_000 + b"]" * 100_000))
    with pytest.raises(ResponseIntegrityError, match="nested too deeply"):
        (await client.send(GET)).json()


class Speaker:
    """A server on loopback that answers everything with the same bytes, and a connector to it."""

    def __init__(self, serve):
        self._serve = serve

    async def connector(self, answer):
        async def talk(connection):
            if await connection.request():
                await connection.send(answer)

        async def no_wait(seconds):
            pass

        config = ZendeskSupportOauth20AuthConfig(access_token="t")
        return ZendeskSupportConnector(config, base_url=await self._serve(talk), retry=RetryPolicy(sleep=no_wait))


@pytest.fixture
def speaker(serve):
    return Speaker(serve)


def whole(body, *headers):
    lines = ["HTTP/1.1 200 OK", "content-type: application/json", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


DEEP = b'{"ticket": {"id": 1, "deep": ' + b"[" * 198 + b"]" * 198 + b"}}"


class TestDeepestJson:
    """JSON as deep as is just read goes through everything that shapes a result."""

    async def test_by_name(self, speaker):
        """Selecting, excluding and cutting reach to its bottom."""
        async with await speaker.connector(whole(DEEP)) as connector:
            for settings in ({"select_fields": ["deep.x.y", "id"]}, {"exclude_fields": ["deep.x.y"]}):
                result = await connector.execute("tickets", "get", {"ticket_id": 1}, skip_truncation=False, **settings)
                assert 1 == result.data["id"]

    async def test_for_a_model(self, speaker):
        """A model is given it, cut off where it is too deep for JSON of ours."""
        async with await speaker.connector(whole(DEEP)) as connector:

            @tool_utils(connector)
            async def call(entity: str, action: str, params: dict):
                return await connector.execute(entity, action, params)

            envelope = await call("tickets", "get", {"ticket_id": 1})
        assert 1 == envelope["data"]["id"]

    async def test_one_deeper(self, speaker):
        """A little deeper it is refused, and nothing recurses."""
        deeper = DEEP.replace(b"[" * 198, b"[" * 220).replace(b"]" * 198, b"]" * 220)
        async with await speaker.connector(whole(deeper)) as connector:
            with pytest.raises(ResponseIntegrityError, match="nested too deeply"):
                await connector.tickets.get(1)


PACKED = gzip.compress(b'{"ticket": {"id": 1}}')


@pytest.mark.parametrize(
    "answer",
    [
        whole(b"<!DOCTYPE html><title>Maintenance</title>"),
        whole(b""),
        whole(b"null"),
        whole(b"[]"),
        whole(b'"text"'),
        whole(b"{}"),
        whole(b'{"ticket": null}'),
        whole(b'{"ticket": NaN}'),
        whole(b'{"ticket": {"id": 1}'),
        whole(b"\xff\xfe"),
        whole(gzip.compress(bytes(40 * 2**20)), "content-encoding: gzip"),
        whole(PACKED[:-9], "content-encoding: gzip"),
        whole(PACKED[:5] + b"x" + PACKED[6:12] + b"y" * 20, "content-encoding: gzip"),
        whole(b'{"ticket": {"id": 1}}', "content-encoding: gzip"),
        whole(b'{"ticket": {"id": 1}}').replace(b"length: 21", b"length: 22"),
        whole(b"{}").replace(b"content-length: 2", b"transfer-encoding: chunked")[:-2] + b"9\r\n{}",
    ],
)
async def test_a_success_that_is_none(speaker, answer):
    """A 200 without the record that was promised is an error, whatever it holds instead."""
    async with await speaker.connector(answer) as connector:
        with pytest.raises(ResponseIntegrityError):
            await connector.tickets.get(1)


async def test_the_record(speaker):
    """The same with the record is a success, so that it is not the server that fails above."""
    async with await speaker.connector(whole(PACKED, "content-encoding: gzip")) as connector:
        assert {"id": 1} == await connector.tickets.get(1)
