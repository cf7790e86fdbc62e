"""The faults as a client on the wire meets them."""

from __future__ import annotations

import contextlib
import json
import math
import re
import socket
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from plugbay.sandbox import Failure, Sandbox

TICKETS = "/api/v2/tickets"
NEW = {"ticket": {"subject": "s", "comment": {"body": "b"}}}


@pytest.fixture(autouse=True)
def healed(sandbox):
    yield
    sandbox.heal()


def line_to(
    sandbox: Sandbox, path: str = TICKETS, method: str = "GET", body: bytes = b"", *headers: str
) -> socket.socket:
    """A raw connection on which a request has been sent."""
    address = urlsplit(sandbox.base_url)
    line = socket.create_connection((address.hostname, address.port), timeout=30)
    lines = (f"{method} {path} HTTP/1.1", "host: x", f"authorization: Bearer {sandbox.access_token}", *headers)
    head = "\r\n".join((*lines, f"content-length: {len(body)}", "content-type: application/json"))
    line.sendall(f"{head}\r\n\r\n".encode() + body)
    return line


def heard(line: socket.socket) -> bytes:
    """Everything until the other side ends the connection in good order."""
    with line:
        parts = []
        while part := line.recv(65_536):
            parts.append(part)
        return b"".join(parts)


def settled(sandbox: Sandbox, api) -> bool:
    """Whether the server comes to rest with no request in hand."""
    server = sandbox._server._servers[0][0]
    for _ in range(2000):
        if not server.server_state.tasks:
            return True
        api.get("/api/v2/tickets/count")
    return False


@contextlib.contextmanager
def read_on(url: str) -> Iterator[None]:
    """Meanwhile a thread reads an answer as fast as it comes, and has read some of it at the start of the block."""
    begun, enough = threading.Event(), threading.Event()

    def read() -> None:
        with httpx.stream("GET", url) as answer:
            for count, _ in enumerate(answer.iter_raw()):
                if count == 20:
                    begun.set()
                if enough.is_set():
                    return

    thread = threading.Thread(target=read)
    thread.start()
    try:
        assert begun.wait(30)
        yield
    finally:
        enough.set()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"error": "Couldn't authenticate you"}),
        (404, {"error": "RecordNotFound", "description": "Not found"}),
        (422, {"error": "RecordInvalid", "description": "Record validation errors", "details": {}}),
        (429, {"error": "APIRateLimitExceeded", "description": "Number of allowed API requests per minute exceeded"}),
        (200, {}),
        (418, {"error": "I'm a Teapot"}),
    ],
)
def test_status(api, sandbox, status, body):
    """A status alone comes with what Zendesk says with it, and is recorded together with the failure."""
    sandbox.fail(TICKETS, status=status)
    answer = api.get(TICKETS)

    assert (status, body) == (answer.status_code, answer.json())
    assert (status, Failure(status=status)) == (sandbox.requests[-1].status, sandbox.requests[-1].failure)
    assert 200 == api.get(TICKETS).status_code
    assert sandbox.requests[-1].failure is None


@pytest.mark.parametrize("status", [502, 503, 504])
def test_status_of_a_proxy(api, sandbox, status):
    """What stands in front of the service answers with a page."""
    sandbox.fail(TICKETS, status=status)
    answer = api.get(TICKETS)

    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert f"<h1>{status} " in answer.text


@pytest.mark.parametrize("status", [204, 304])
def test_status_without_a_body(api, sandbox, status):
    """A status that has no body has none, and the connection goes on."""
    sandbox.fail(TICKETS, status=status)
    answer = api.get(TICKETS)

    assert (status, b"") == (answer.status_code, answer.content)
    assert 200 == api.get(TICKETS).status_code


@pytest.mark.parametrize(
    ("body", "content", "kind"),
    [
        ({"a": "ü"}, '{"a":"ü"}'.encode(), "application/json; charset=utf-8"),
        ([], b"[]", "application/json; charset=utf-8"),
        (False, b"false", "application/json; charset=utf-8"),
        ("<p>", b"<p>", "text/html; charset=utf-8"),
        (b"\xff", b"\xff", "application/json; charset=utf-8"),
    ],
)
def test_body(api, sandbox, body, content, kind):
    """A body is sent as JSON, text, or the very bytes, with status 200 and a fitting type."""
    sandbox.fail(body=body)
    answer = api.get(TICKETS)

    assert (200, content, kind) == (answer.status_code, answer.content, answer.headers["content-type"])


def test_headers(api, sandbox):
    """Headers are added to the failure's own answer or to the application's, and replace those of the same name."""
    sandbox.fail(status=429, headers={"Retry-After": "7", "Content-Type": "text/plain"})
    sandbox.fail(headers={"ETag": "other", "X-Odd": "1"})
    own, changed = api.get(TICKETS), api.get("/api/v2/tickets/1")

    assert ("7", "text/plain") == (own.headers["retry-after"], own.headers["content-type"])
    assert ("other", "1", 1) == (changed.headers["etag"], changed.headers["x-odd"], changed.json()["ticket"]["id"])


def test_redirect(api, sandbox):
    """A redirect has its location, and 302 unless a status is given."""
    sandbox.fail(TICKETS, redirect="https://elsewhere.example/")
    sandbox.fail(TICKETS, redirect="/api/v2/users", status=307)
    first, second = api.get(TICKETS), api.get(TICKETS)

    assert (302, "https://elsewhere.example/") == (first.status_code, first.headers["location"])
    assert (307, "/api/v2/users") == (second.status_code, second.headers["location"])


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("what", [{"reset": True}, {"close": True}, {"status": 502}, {"bomb": 100}, {"body": {}}])
def test_before_and_after(api, sandbox, when, what):
    """What strikes before the request leaves no ticket; what strikes after it leaves one, though nobody was told."""
    before = len(sandbox.account.tickets)
    fault = sandbox.fail(TICKETS, method="post", when=when, **what)
    try:
        answer = api.post(TICKETS, NEW)
    except httpx.TransportError:
        assert sandbox.requests[-1].status is None
    else:
        assert "ticket" not in answer.text

    assert (1, before + (when == "after")) == (fault.hits, len(sandbox.account.tickets))


def test_reset(sandbox):
    """A reset is one: the client's system reports the connection as broken, not as ended."""
    sandbox.fail(reset=True)

    with line_to(sandbox) as line, pytest.raises(ConnectionResetError):
        line.recv(1)


def test_close(sandbox):
    """A close is an end in good order without a byte of an answer."""
    sandbox.fail(close=True)

    assert b"" == heard(line_to(sandbox))


def test_hang(api, sandbox):
    """A hanging request is never answered, does not keep others from it, and ends when the client goes away."""
    fault = sandbox.fail(f"{TICKETS}/1", hang=True)
    with pytest.raises(httpx.ReadTimeout):
        api.send("GET", f"{TICKETS}/1", timeout=0.1)

    assert 200 == api.get(f"{TICKETS}/2").status_code
    assert settled(sandbox, api)
    hung = next(request for request in sandbox.requests if request.failure and request.failure.hang)
    assert (None, 1) == (hung.status, fault.hits)


@pytest.mark.parametrize("when", ["before", "after"])
def test_delay_is_longer_than_patience(api, sandbox, when):
    """A delay outlasts a client's patience, and whether the request was carried out then is as `when` says."""
    before = len(sandbox.account.tickets)
    sandbox.fail(TICKETS, method="POST", delay=1000, when=when)
    with pytest.raises(httpx.ReadTimeout):
        api.post(TICKETS, NEW, timeout=0.2)

    assert settled(sandbox, api)
    assert before + (when == "after") == len(sandbox.account.tickets)


@pytest.mark.parametrize("when", ["before", "after"])
def test_delay_ends(api, sandbox, when):
    """After a delay the answer comes as if nothing had been."""
    sandbox.fail(TICKETS, delay=0.001, when=when)
    sandbox.fail(TICKETS, delay=0.001, when=when, nth=2, status=503)

    assert api.json(f"{TICKETS}?page[size]=1")["tickets"][0]["id"] == 1
    assert 503 == api.get(TICKETS).status_code


@pytest.mark.parametrize("size", [0, 1, 100])
def test_truncate(sandbox, size):
    """A truncated answer announces its whole length, then ends early in good order."""
    sandbox.fail(truncate=size)
    head, _, body = heard(line_to(sandbox)).partition(b"\r\n\r\n")
    announced = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length"))

    assert head.startswith(b"HTTP/1.1 200")
    assert (size, True) == (len(body), announced > 1000)


def test_truncate_without_a_length(sandbox):
    """A truncated answer in chunks announces no length, and its last chunk is missing."""
    sandbox.fail(truncate=5, chunked=True, body="0123456789")
    head, _, body = heard(line_to(sandbox)).partition(b"\r\n\r\n")

    assert b"content-length" not in head
    assert b"transfer-encoding: chunked" in head.lower()
    assert b"5\r\n01234\r\n" == body


def test_truncated_write(api, sandbox):
    """A client of the usual kind sees a broken answer, though the ticket was made."""
    before = len(sandbox.account.tickets)
    sandbox.fail(TICKETS, method="POST", truncate=20)
    with pytest.raises(httpx.RemoteProtocolError):
        api.post(TICKETS, NEW)

    assert before + 1 == len(sandbox.account.tickets)
    assert 201 == sandbox.requests[-1].status


def test_chunked(api, sandbox):
    """An answer in chunks is the same answer."""
    whole = api.get(TICKETS)
    sandbox.fail(TICKETS, chunked=True)
    answer = api.get(TICKETS)

    assert ("chunked", None) == (answer.headers["transfer-encoding"], answer.headers.get("content-length"))
    assert whole.json() == answer.json()


def test_drip(sandbox):
    """A dripping body comes in single bytes, and nothing is missing at the end."""
    sandbox.fail(drip=0.0001, chunked=True, body="drop")
    _, _, body = heard(line_to(sandbox, TICKETS, "GET", b"", "connection: close")).partition(b"\r\n\r\n")

    assert b"1\r\nd\r\n1\r\nr\r\n1\r\no\r\n1\r\np\r\n0\r\n\r\n" == body


def test_drip_ends_with_the_client(api, sandbox):
    """A drip whose client has gone away is over."""
    sandbox.fail(TICKETS, drip=500)
    with line_to(sandbox) as line:
        assert b"HTTP/1.1" == line.recv(8)

    assert settled(sandbox, api)


@pytest.mark.parametrize("size", [2, 1000, (1 << 20) + 2, 3 << 20])
def test_bomb(api, sandbox, size):
    """A bomb is small on the wire, inflates to exactly the size asked for, and is JSON."""
    sandbox.fail(bomb=size)
    with api.http.stream("GET", TICKETS) as answer:
        packed = b"".join(answer.iter_raw())
    plain = zlib.decompress(packed, wbits=31)

    assert (size, {}) == (len(plain), json.loads(plain))
    assert len(packed) < 100 + size // 200
    assert "gzip" == answer.headers["content-encoding"]


def test_bomb_without_end(api, sandbox):
    """A bomb without end goes on until its reader has had enough, and others are served meanwhile."""
    sandbox.fail(TICKETS, bomb=math.inf)
    with read_on(sandbox.base_url + TICKETS):
        assert 200 == api.get("/api/v2/tickets/1").status_code

    assert settled(sandbox, api)


def test_header_bytes(sandbox):
    """As many header bytes as asked for stand before the body."""
    sandbox.fail(header_bytes=300_000, body="b")
    head, _, body = heard(line_to(sandbox, TICKETS, "GET", b"", "connection: close")).partition(b"\r\n\r\n")

    assert 300_000 <= len(head) < 302_000
    assert b"b" == body


def test_header_bytes_trip_a_client(api, sandbox):
    """A client of the usual kind refuses headers of that size."""
    sandbox.fail(header_bytes=300_000)
    with pytest.raises(httpx.RemoteProtocolError):
        api.get(TICKETS)


def test_headers_without_end(api, sandbox):
    """Headers without end never become an answer, and end with the client."""
    sandbox.fail(TICKETS, header_bytes=math.inf)
    with line_to(sandbox) as line:
        seen = b""
        while len(seen) < 1 << 20:
            seen += line.recv(65_536)

    assert seen.startswith(b"HTTP/1.1 200 ")
    assert b"\r\n\r\n" not in seen
    assert settled(sandbox, api)
    assert [None] == [
        request.status for request in sandbox.requests if request.failure and request.failure.header_bytes == math.inf
    ]


def test_deep(api, sandbox):
    """A deep answer has exactly as many levels."""
    sandbox.fail(deep=3)
    sandbox.fail(deep=100_000, nth=2)

    assert {"deeper": {"deeper": {}}} == api.get(TICKETS).json()
    text = api.get(TICKETS).text
    assert (100_000, 100_000) == (text.count("{"), text.count("}"))


@pytest.mark.parametrize(
    ("shape", "content"),
    [
        ("empty", b""),
        ("null", b"null"),
        ("no_record", b"{}"),
        ("text", b'"ok"'),
    ],
)
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_shape(api, sandbox, shape, content, encoding):
    """A shape takes the place of the application's JSON, however it was packed, and the status stays."""
    sandbox.fail(shape=shape)
    answer = api.get(f"{TICKETS}/1", headers={"accept-encoding": encoding})

    assert (200, content, str(len(content))) == (answer.status_code, answer.content, answer.headers["content-length"])


def test_shapes_made_of_the_answer(api, sandbox):
    """Other shapes are made of the real answer: in a list, cut in half, without its records, or by a function."""
    whole = api.json(f"{TICKETS}/1")
    for shape in ("list", "broken", lambda body: {"renamed": body["ticket"]}, "html"):
        sandbox.fail(f"{TICKETS}/1", shape=shape)
    listed, broken, renamed, page = (api.get(f"{TICKETS}/1") for _ in range(4))

    assert [whole] == listed.json()
    with pytest.raises(json.JSONDecodeError):
        broken.json()
    assert {"renamed": whole["ticket"]} == renamed.json()
    assert ("text/html", True) == (page.headers["content-type"], page.text.startswith("<html>"))
    sandbox.fail(TICKETS, shape="no_record")
    assert {"count", "next_page", "previous_page"} == set(api.json(TICKETS))


def test_shape_of_no_json(api, sandbox):
    """An answer that is no JSON keeps its shape."""
    file = next(iter(sandbox.account.files.values()))
    location = httpx.get(api.json(f"/api/v2/attachments/{file.id}")["attachment"]["content_url"]).headers["location"]
    sandbox.fail("/attachment/*", shape="null")

    assert file.data == httpx.get(location).content
    assert sandbox.requests[-1].failure is not None


def test_truncated_download(api, sandbox):
    """The host that serves attachments fails as well, and a part of a file that is asked for again comes."""
    number = sandbox.add_file(size=1_000_000)
    data = b"".join(sandbox.account.files[number].data.chunks())
    location = httpx.get(api.json(f"/api/v2/attachments/{number}")["attachment"]["content_url"]).headers["location"]
    sandbox.fail("/attachment/*", truncate=400_000)
    got = []
    with httpx.stream("GET", location) as answer, pytest.raises(httpx.RemoteProtocolError):
        got.extend(answer.iter_raw())
    rest = httpx.get(location, headers={"range": "bytes=400000-", "if-range": answer.headers["etag"]})

    assert ("1000000", data[:400_000]) == (answer.headers["content-length"], b"".join(got))
    assert (206, data[400_000:]) == (rest.status_code, rest.content)


def test_large_download_leaves_others_their_turn(api, sandbox):
    """While somebody reads a file of a terabyte, others are served."""
    number = sandbox.add_file(size=1 << 40)
    location = httpx.get(api.json(f"/api/v2/attachments/{number}")["attachment"]["content_url"]).headers["location"]
    with read_on(location):
        assert 200 == api.get("/api/v2/tickets/1").status_code


def test_token_endpoint(sandbox):
    """The token endpoint fails as well, and a rotation whose answer was lost has happened."""
    sandbox.fail("/oauth/tokens", when="after", close=True)
    form = {
        "grant_type": "refresh_token",
        "refresh_token": sandbox.refresh_token,
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
    }
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(f"{sandbox.base_url}/oauth/tokens", data=form)

    assert httpx.post(f"{sandbox.base_url}/oauth/tokens", data=form).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "what",
    [
        {"hang": True},
        {"delay": 1000},
        {"delay": 1000, "when": "after"},
        {"drip": 1000},
        {"bomb": math.inf},
        {"header_bytes": math.inf},
    ],
)
def test_stopping_the_sandbox_ends_them(what, caplog):
    """A sandbox that stops ends what it held up, leaves no thread, and has nothing to complain of."""
    arrived = threading.Semaphore(0)
    with contextlib.ExitStack() as lines, Sandbox(tickets=3, calls=0) as sandbox:
        sandbox.fail(**what, times=None, match=lambda _: arrived.release() is None)
        for _ in range(3):
            lines.enter_context(line_to(sandbox))
            assert arrived.acquire(timeout=30)
        server = sandbox._server
    # The lines are closed after the sandbox has stopped, so that it is not they who end anything.

    assert not server._thread.is_alive()
    assert [] == [record.getMessage() for record in caplog.records if record.name.startswith("uvicorn")]


async def test_the_example_of_the_documentation():
    """The user's test in the documentation is one that passes."""
    page = Path(__file__).parents[2] / "docs" / "sandbox.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(next(block for block in blocks if "async def test_" in block), names)

    await names["test_no_ticket_twice"]()
