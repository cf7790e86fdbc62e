"""Files come in windows of bounded memory, from trusted hosts, and without the credentials of ours."""

from __future__ import annotations

import tracemalloc

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugbay.errors import InvalidParameterError, NotFoundError, ResponseIntegrityError, ServiceError
from plugbay.transport.fetch import may_fetch
from plugbay.transport.origin import Origin

FILE = bytes(range(256)) * 4
CDN = "https://p1.cdn.example.net/f/key?sig=abc"


def serving(*, ranges=True, name=None):
    """A server of FILE that may or may not know ranges."""

    def handler(request):
        headers = {"content-type": "image/png"} | ({"content-disposition": name} if name else {})
        first, last = (int(part) for part in request.headers["range"].removeprefix("bytes=").split("-"))
        if not ranges:
            return httpx.Response(200, headers=headers, content=FILE)
        if first >= len(FILE):
            return httpx.Response(416, headers={"content-range": f"bytes */{len(FILE)}"})
        part = FILE[first : last + 1]
        headers["content-range"] = f"bytes {first}-{first + len(part) - 1}/{len(FILE)}"
        return httpx.Response(206, headers=headers, content=part)

    return handler


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize(("offset", "size"), [(0, 10), (100, 300), (1000, 500), (0, 5000), (2000, 10)])
async def test_window(transport, ranges, offset, size):
    """The window is the same whether or not the server honours ranges; the total is known."""
    client = transport(serving(ranges=ranges))
    file = await client.download("/f", allowed_hosts=[], offset=offset, max_bytes=size)
    assert (file.data, file.offset, file.total) == (FILE[offset : offset + size], offset, len(FILE))


async def test_window_in_constant_memory(transport):
    """A window far into a huge file that ignores ranges takes memory of the window only."""

    class Huge(httpx.AsyncByteStream):
        async def __aiter__(self):
            for _ in range(3200):
                yield bytes(65_536)

    client = transport(lambda request: httpx.Response(200, stream=Huge()))
    tracemalloc.start()
    file = await client.download("/f", allowed_hosts=[], offset=150 * 2**20, max_bytes=2**20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(file.data) == 2**20
    assert peak < 4 * 2**20


class Endless(httpx.AsyncByteStream):
    """A body that never ends."""

    def __init__(self):
        self.pieces = 0

    async def __aiter__(self):
        while True:
            self.pieces += 1
            yield bytes(1000)


@pytest.mark.parametrize("status", [200, 206])
async def test_reading_stops_at_the_end_of_the_window(transport, status):
    """What comes after the window is not read, even of a part that goes on after its end."""
    body = Endless()
    headers = {"content-range": "bytes 0-5499/*"}
    client = transport(lambda request: httpx.Response(status, headers=headers, stream=body))
    assert len((await client.download("/f", allowed_hosts=[], max_bytes=5500)).data) == 5500
    assert body.pieces <= 7


async def test_redirect_page_is_only_begun(transport):
    """A redirect whose page never ends does not keep the call busy."""
    headers = {"location": "https://evil.test/"}
    client = transport(lambda request: httpx.Response(302, headers=headers, stream=Endless()))
    with pytest.raises(ResponseIntegrityError):
        await client.download("/f", allowed_hosts=[], max_bytes=5500)


@pytest.mark.parametrize("size", [1000, 3_000_000])
async def test_window_from_a_socket(transport, serve, size):
    """A connection that is left in the middle of a file is closed, and the next download opens another."""
    connections = []

    async def talk(connection):
        connections.append(connection)
        await connection.request()
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + bytes(5_000_000))

    client = transport(base_url=await serve(talk))
    for _ in range(3):
        file = await client.download("/f", allowed_hosts=[], offset=10, max_bytes=size)
        assert (len(file.data), file.total) == (size, 5_000_000)
    assert len(connections) == 3


@pytest.mark.parametrize(
    "headers",
    [{"content-range": "bytes 50-59/100"}, {}, {"content-range": "items 0-9/10"}, {"content-encoding": "gzip"}],
)
async def test_wrong_part_is_an_error(transport, headers):
    """A part that is not the one asked for, or cannot be decoded, is refused."""
    client = transport(lambda request: httpx.Response(206, headers=headers, stream=httpx.ByteStream(b"x" * 10)))
    with pytest.raises(ResponseIntegrityError):
        await client.download("/f", allowed_hosts=[], offset=5, max_bytes=10)


async def test_redirect_to_another_host_goes_without_credentials(transport):
    """Another host gets neither credentials nor cookies, and only if it is allowed."""
    seen = []

    def handler(request):
        seen.append(request)
        if request.url.host == "acme.example.com":
            return httpx.Response(302, headers={"location": CDN, "set-cookie": "session=1; Domain=example.net"})
        return serving(name='attachment; filename="../a b.png"')(request)

    file = await transport(handler).download(
        "/attachments/token/x?name=y", allowed_hosts=[".cdn.example.net"], max_bytes=9
    )
    assert file.data == FILE[:9]
    assert (file.content_type, file.file_name) == ("image/png", "a b.png")
    assert "authorization" in seen[0].headers
    assert set(seen[1].headers) == {"host", "user-agent", "accept", "accept-encoding", "range"}
    assert seen[1].url == CDN


async def test_credentials_are_not_taken_up_again(transport):
    """A trusted host that sends us back home does not get to use our credentials."""
    seen = []

    def handler(request):
        seen.append(request)
        if len(seen) == 1:
            return httpx.Response(302, headers={"location": CDN})
        if len(seen) == 2:
            return httpx.Response(302, headers={"location": "https://acme.example.com/api/v2/users"})
        return httpx.Response(401)

    with pytest.raises(ServiceError):
        await transport(handler).download("/f", allowed_hosts=lambda host: True, max_bytes=9)
    assert "authorization" not in seen[2].headers


async def test_relative_redirect_stays_at_home(transport):
    """A redirect within the origin keeps the credentials."""
    seen = []

    def handler(request):
        seen.append(request)
        return httpx.Response(302, headers={"location": "../g"}) if len(seen) == 1 else serving()(request)

    await transport(handler).download("/a/f", allowed_hosts=[], max_bytes=9)
    assert seen[1].url.path == "/g"
    assert "authorization" in seen[1].headers


REFUSED = [
    "https://evil.test/f", "http://p1.cdn.example.net/f", "https://169.254.169.254/latest/meta-data",
    "https://127.0.0.1/", "https://localhost/", "https://x.localhost./", "https://10.1.2.3/", "https://[::1]/",
    "https://[fe80::1]/", "https://[::ffff:169.254.169.254]/", "https://2130706433/", "https://0x7f.1/", "https://0/",
    "https://127.1/", "https://224.0.0.1/", "https://[2002:7f00:1::]/", "https://u:p@p1.cdn.example.net/f",
    "ftp://p1.cdn.example.net/", "file:///etc/passwd", "https://p1.cdn.example.net:99999/",
]  # fmt: skip


@pytest.mark.parametrize("target", REFUSED)
async def test_redirect_to_a_bad_target_is_refused(transport, target):
    """A redirect off https, to a private address or to a host that is not allowed is not followed."""
    hosts = []

    def handler(request):
        hosts.append(request.url.host)
        return httpx.Response(302, headers={"location": target})

    with pytest.raises(ResponseIntegrityError):
        await transport(handler).download("/f", allowed_hosts=lambda host: host != "evil.test", max_bytes=9)
    assert hosts == ["acme.example.com"]


@pytest.mark.parametrize(
    "target", [*REFUSED, "f", "", "https:///x", "//evil.test/f", "https://acme.example.com\\@evil.test/"]
)
async def test_bad_link_is_refused(transport, script, target):
    """The same is refused as the link itself, before anything is sent."""
    answers = script(httpx.Response(200))
    with pytest.raises(InvalidParameterError):
        await transport(answers).download(target, allowed_hosts=lambda host: host != "evil.test", max_bytes=9)
    assert answers.requests == []


async def test_sandbox_may_redirect_on_loopback(transport):
    """When our own origin is on loopback, a file may come from there, without credentials."""
    seen = []

    def handler(request):
        seen.append(request)
        if request.url.port == 1:
            return httpx.Response(302, headers={"location": "http://localhost:2/f"})
        return serving()(request)

    client = transport(handler, base_url="http://127.0.0.1:1")
    assert (await client.download("/f", allowed_hosts=[], max_bytes=9)).data == FILE[:9]
    assert "authorization" not in seen[1].headers


async def test_redirects_end(transport, script):
    """After five redirects the download is given up."""
    answers = script(httpx.Response(302, headers={"location": "/again"}))
    with pytest.raises(ResponseIntegrityError):
        await transport(answers).download("/f", allowed_hosts=[], max_bytes=9)
    assert len(answers.requests) == 6


async def test_redirect_to_nowhere(transport, script):
    """A redirect without a target is an error."""
    with pytest.raises(ResponseIntegrityError):
        await transport(script(httpx.Response(302))).download("/f", allowed_hosts=[], max_bytes=9)


async def test_missing_file_is_the_readers_error(transport, script):
    """An error of our own origin is made by the reader, which does not see the link."""
    with pytest.raises(NotFoundError) as caught:
        await transport(script(httpx.Response(404))).download("/attachments/token/key", allowed_hosts=[], max_bytes=9)
    assert "key" not in str(caught.value)


async def test_other_hosts_error_names_the_host_only(transport):
    """An error of another host says which host, and nothing else of the link."""

    def handler(request):
        home = request.url.host == "acme.example.com"
        return httpx.Response(302, headers={"location": CDN}) if home else httpx.Response(403)

    with pytest.raises(ServiceError) as caught:
        await transport(handler).download("/f", allowed_hosts=lambda host: True, max_bytes=9)
    assert caught.value.details == {"status": 403, "host": "p1.cdn.example.net"}
    assert "sig" not in str(caught.value)


@pytest.mark.parametrize(("offset", "size"), [(-1, 5), (0, 0)])
async def test_senseless_window_is_refused(transport, script, offset, size):
    """A window that begins before the file or is empty is refused."""
    with pytest.raises(InvalidParameterError):
        await transport(script(httpx.Response(200))).download("/f", allowed_hosts=[], offset=offset, max_bytes=size)


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="a.png"', "a.png"),
        ("inline; filename=a.png; x=y", "a.png"),
        ("attachment; filename=\"x\"; filename*=UTF-8''%e2%82%ac.png", "€.png"),
        ('attachment; filename="C:\\\\dir\\\\a.png"', "a.png"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename=".."', None),
        ("attachment", None),
    ],
)
async def test_file_name(transport, disposition, name):
    """The file name is what the server says, without any path."""
    file = await transport(serving(name=disposition)).download("/f", allowed_hosts=[], max_bytes=9)
    assert file.file_name == name


@settings(deadline=None)
@given(st.text(alphabet="htps:/@.%?#[]\\0123456789abcdefx \n", max_size=30))
def test_any_target_is_home_or_public(text):
    """No text is taken for a good target unless it leads home or to an allowed host."""
    origin = Origin("https://acme.example.com")
    try:
        url = origin.link("https://" + text)
    except InvalidParameterError:
        return
    if may_fetch(origin, url, lambda host: host == "cdn.example.net"):
        assert url.host in ("acme.example.com", "cdn.example.net")
