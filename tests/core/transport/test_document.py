"""Reading a small public document that a stranger named."""

from __future__ import annotations

import asyncio
import gzip
from contextlib import asynccontextmanager, suppress

import pytest

from plugbay.errors import DeadlineExceededError, InvalidParameterError, NetworkError, ResponseIntegrityError
from plugbay.transport.document import Document, read_document

LIMITS = {"max_bytes": 1000, "timeout": 20.0}


@asynccontextmanager
async def answering(raw):
    """A host on loopback that answers every request with the same bytes, or never if there are none; and what it was asked."""
    asked, serving = [], []

    async def serve(reader, writer):
        serving.append(asyncio.current_task())
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        if raw is None:
            await reader.read()
        else:
            writer.write(raw)
            await writer.drain()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/a.json?b=1", asked
        await asyncio.gather(*serving)


def ok(body, *headers):
    head = "\r\n".join(["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", "Connection: close", *headers])
    return f"{head}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (["Content-Type: Application/JSON; charset=utf-8"], Document(b"{}", "application/json", None)),
        (["Cache-Control: public, max-age=60"], Document(b"{}", "", 60.0)),
        (["Cache-Control: no-store, max-age=60"], Document(b"{}", "", 0.0)),
        (["Cache-Control: x-max-age=60"], Document(b"{}", "", None)),
    ],
)
async def test_a_document(headers, expected):
    """A document is given with its type and the time that it may be kept."""
    async with answering(ok(b"{}", *headers)) as (url, _):
        assert expected == await read_document(url, loopback=True, **LIMITS)


async def test_nothing_is_told_about_us():
    """The request has the path and the query that were named, and no cookies or credentials."""
    async with answering(ok(b"{}")) as (url, asked):
        await read_document(url, loopback=True, **LIMITS)
    [request] = asked

    assert request.startswith("GET /a.json?b=1 HTTP/1.1\r\n")
    assert "authorization" not in request.lower()
    assert "cookie" not in request.lower()


@pytest.mark.parametrize(
    "raw",
    [
        ok(b"a" * 1001),
        ok(gzip.compress(b"a" * 1_000_000, mtime=0), "Content-Encoding: gzip"),
        ok(gzip.compress(b"{}" * 100, mtime=0)[:-9], "Content-Encoding: gzip"),
        b"HTTP/1.1 301 Moved\r\nLocation: /b.json\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 500 Failed\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_what_is_no_document(raw):
    """Too much, however it is packed, too little, a redirect or any other status is no document, and is not asked for again."""
    async with answering(raw) as (url, asked):
        with pytest.raises(ResponseIntegrityError):
            await read_document(url, loopback=True, **LIMITS)

    assert 1 == len(asked)


@pytest.mark.parametrize("raw", [b"220 mail\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}"])
async def test_what_is_no_whole_answer(raw):
    """Whatever else comes, or ends early, is a failure of the network."""
    async with answering(raw) as (url, _):
        with pytest.raises(NetworkError):
            await read_document(url, loopback=True, **LIMITS)


async def test_a_host_that_does_not_answer():
    """The whole reading has its time and no more."""
    async with answering(None) as (url, _):
        with pytest.raises(DeadlineExceededError):
            await read_document(url, loopback=True, max_bytes=1000, timeout=0.5)


async def test_this_machine_is_not_asked():
    """Without the exception nothing of this machine is connected to."""
    async with answering(ok(b"{}")) as (url, asked):
        with pytest.raises(InvalidParameterError):
            await read_document(url, **LIMITS)

    assert [] == asked


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.json",
        "http://app.example/a.json",
        "ftp://app.example/a.json",
        "https://10.1.2.3/a.json",
        "https://user@app.example/a.json",
        "https://app.example\\@10.1.2.3/a.json",
        "https://app.example/\n",
        "https://[::1",
    ],
)
async def test_what_may_not_be_read(url):
    """Anything but a plain https URL of a public host is refused, in whichever mode, before anything is sent."""
    for loopback in (False, True):
        with pytest.raises(InvalidParameterError):
            await read_document(url, loopback=loopback, **LIMITS)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1"])
async def test_a_public_name_that_leads_within(monkeypatch, address):
    """A name whose owner lets it lead to this machine or its neighbours is not connected to."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    async def leads_within(*_args, **_hints):
        return [(2, 1, 6, "", (address, 443))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", leads_within)
    with pytest.raises(ResponseIntegrityError, match="not public"):
        await read_document("https://app.example/a.json", **LIMITS)
