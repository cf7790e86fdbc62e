"""Whole files from the sandbox: over two hosts, through every kind of break, in the memory of a few pieces."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import tracemalloc
from contextlib import aclosing
from hashlib import sha256

import pytest

from plugbay import NetworkError, NotFoundError, PlugbayError, ResponseIntegrityError
from plugbay.transport import RetryPolicy

SIZE = 5_000_000
FILES = "/attachment/*"


async def no_wait(seconds):
    pass


@pytest.fixture
def support(connect, sandbox):
    """Support, that waits for nothing between two tries."""
    return connect(sandbox, retry=RetryPolicy(sleep=no_wait))


@pytest.fixture
def number(sandbox):
    """The id of a large attachment."""
    return sandbox.add_file(size=SIZE, name="dump.bin")


def digest(sandbox, number):
    whole = sha256()
    for chunk in sandbox.account.files[number].data.chunks():
        whole.update(chunk)
    return whole.hexdigest()


def names(directory):
    return sorted(file.name for file in directory.iterdir())


async def test_to_a_path(support, sandbox, number, tmp_path):
    """A file comes from the second host, to which no credentials go."""
    saved = await support.attachments.download(number).to(tmp_path / "a")
    assert {
        "path": str(tmp_path / "a"),
        "file_name": "dump.bin",
        "content_type": "application/octet-stream",
        "size": SIZE,
        "sha256": digest(sandbox, number),
    } == saved
    assert saved["sha256"] == sha256((tmp_path / "a").read_bytes()).hexdigest()
    assert ["a"] == names(tmp_path)
    assert "files" == sandbox.requests[-1].origin
    assert "authorization" not in sandbox.requests[-1].headers


async def test_pieces(support, sandbox, number):
    """Its pieces are the same bytes."""
    whole = sha256()
    async for piece in support.attachments.download(number).pieces():
        assert 0 < len(piece) <= 65_536
        whole.update(piece)
    assert digest(sandbox, number) == whole.hexdigest()


@pytest.mark.parametrize(
    "failure",
    [
        {"truncate": 1_000_000},
        {"truncate": 1_000_000, "chunked": True},
        {"truncate": 0},
        {"reset": True, "when": "before"},
        {"close": True, "when": "before"},
        {"status": 503},
        {"status": 429, "headers": {"retry-after": "1"}},
    ],
)
async def test_two_failures(support, sandbox, number, tmp_path, failure):
    """Whatever breaks on the way twice, the file is the file."""
    fault = sandbox.fail(FILES, times=2, **failure)
    saved = await support.attachments.download(number).to(tmp_path / "a")
    assert 2 == fault.hits
    assert digest(sandbox, number) == saved["sha256"] == sha256((tmp_path / "a").read_bytes()).hexdigest()


async def test_an_address_that_expires_in_the_midst(support, sandbox, number, tmp_path):
    """When the signed address has expired by the time of a break, a new one is taken from the attachment's own."""
    sandbox.fail(FILES, truncate=2_000_000)

    def hours_later(received, total):
        sandbox.clock.advance(seconds=7_200)

    saved = await support.attachments.download(number).to(tmp_path / "a", progress=hours_later)
    assert digest(sandbox, number) == saved["sha256"]
    addresses = {dict(request.query)["expires"] for request in sandbox.requests if request.origin == "files"}
    assert 2 == len(addresses)


@pytest.mark.parametrize("failure", [{"body": b"<html>", "status": 200}, {"body": b"", "status": 200}])
async def test_another_body(support, sandbox, number, tmp_path, failure):
    """A page in the place of the file is not written anywhere."""
    sandbox.fail(FILES, times=None, **failure)
    with pytest.raises(ResponseIntegrityError):
        await support.attachments.download(number).to(tmp_path / "a")
    assert [] == names(tmp_path)


async def test_a_redirect_elsewhere(support, sandbox, number, tmp_path):
    """A redirect to a host that files do not come from is not followed."""
    sandbox.fail("/attachments/token/*", redirect="https://169.254.169.254/latest/meta-data")
    with pytest.raises(ResponseIntegrityError, match="redirected"):
        await support.attachments.download(number).to(tmp_path / "a")
    assert [] == names(tmp_path)


async def test_no_such_attachment(support, tmp_path):
    """What is not there leaves nothing."""
    with pytest.raises(NotFoundError):
        await support.attachments.download(1).to(tmp_path / "a")
    assert [] == names(tmp_path)


CHILD = """
    import asyncio, os, signal, sys
    from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig

    def die(received, total):
        if received > 2**21:
            os.kill(os.getpid(), signal.SIGKILL)

    async def main():
        config = ZendeskSupportOauth20AuthConfig(access_token=sys.argv[2])
        async with ZendeskSupportConnector(config, base_url=sys.argv[1]) as support:
            await support.attachments.download(int(sys.argv[3])).to(sys.argv[4], progress=die)

    asyncio.run(main())
"""


async def test_a_killed_process(support, sandbox, number, tmp_path):
    """A process that is killed leaves no half file under the name, and the next one goes on from what it got."""
    code, target = textwrap.dedent(CHILD), tmp_path / "a"
    arguments = [sys.executable, "-c", code, sandbox.base_url, sandbox.access_token, str(number), str(target)]
    done = await asyncio.to_thread(subprocess.run, arguments, check=False, capture_output=True, text=True)
    assert -9 == done.returncode, done.stderr
    assert [".a.part", ".a.part.json"] == names(tmp_path)
    got = (tmp_path / ".a.part").stat().st_size
    saved = await support.attachments.download(number).to(target)
    assert digest(sandbox, number) == saved["sha256"] == sha256(target.read_bytes()).hexdigest()
    assert got > 2**20
    assert f"bytes={got}-" == sandbox.requests[-1].headers["range"]
    assert ["a"] == names(tmp_path)


class TestLeaving:
    """Who leaves early leaves nothing open."""

    @pytest.mark.parametrize("closing", [True, False])
    async def test_in_the_midst(self, transport_pair, closing):
        """Leaving the loop ends the connection, at once under `aclosing`, else when the iterator is forgotten."""
        support, left = transport_pair
        if closing:
            async with aclosing(support.attachments.download(1).pieces()) as pieces:
                async for _ in pieces:
                    break
        else:
            async for _ in support.attachments.download(1).pieces():
                break
        await left.wait()

    async def test_closing_the_connector(self, transport_pair, tmp_path):
        """A connector that is closed ends its downloads, which leave what can be gone on with."""
        support, left = transport_pair
        begun = asyncio.Event()
        download = support.attachments.download(1).to(tmp_path / "a", progress=lambda *_: begun.set())
        task = asyncio.create_task(download)
        await begun.wait()
        await support.close()
        with pytest.raises(NetworkError, match="closed"):
            await task
        await left.wait()
        assert [".a.part", ".a.part.json"] == names(tmp_path)

    @pytest.fixture
    async def transport_pair(self, connect):
        """Support at a server of one endless file, and what is set when the file's connection was left."""
        left, base = asyncio.Event(), ""

        async def answer(reader, writer):
            try:
                while line := (await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0]:
                    if b"/file" in line:
                        writer.write(b'HTTP/1.1 200 OK\r\netag: "1"\r\ncontent-length: 900000000\r\n\r\n')
                        while True:
                            writer.write(bytes(65_536))
                            await writer.drain()
                    body = b'{"attachment": {"id": 1, "content_url": "%s/file"}}' % base.encode()
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
            except ConnectionError:
                left.set()
            except asyncio.IncompleteReadError:
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

        class Place:
            access_token, base_url = "t", base

        async with server:
            support = connect(Place)
            yield support, left
            await support.close()


MEMORY = 6 * 2**20


async def test_constant_memory(support, sandbox, tmp_path):
    """64 MiB take the memory of a few MiB, to a path and in pieces."""
    number = sandbox.add_file(size=64 * 2**20)
    for work in (_to_path, _to_nowhere):
        tracemalloc.start()
        await work(support.attachments.download(number), tmp_path / "a")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < MEMORY
    assert 64 * 2**20 == (tmp_path / "a").stat().st_size


async def _to_path(download, path):
    await download.to(path)


async def _to_nowhere(download, path):
    async for _ in download.pieces():
        pass


async def test_every_failure_has_a_name(support, sandbox, number, tmp_path):
    """However a download fails for good, it is an error of the library, and half a file has never the name."""
    for failure in (
        {"reset": True},
        {"close": True},
        {"status": 500},
        {"status": 404},
        {"truncate": 0},
        {"bomb": 10**8},
    ):
        sandbox.heal()
        sandbox.fail(FILES, times=None, **failure)
        with pytest.raises(PlugbayError):
            await support.attachments.download(number).to(tmp_path / "a")
        assert "a" not in names(tmp_path)
