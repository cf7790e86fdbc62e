"""Files of a hosted connector: a window, a path, and pieces, in either dialect and through breaks."""

from __future__ import annotations

import re
from hashlib import sha256

import pytest
from starlette.responses import RedirectResponse, Response, StreamingResponse
from tests.hosted.conftest import RETRY
from tests.hosted.service import Service

from plugbay import ConfigurationError, NotFoundError, PlugbayError, ResponseIntegrityError

SIZE = 300_000


@pytest.fixture
def number(sandbox):
    """The id of an attachment."""
    return sandbox.add_file(size=SIZE, name="dump.bin")


@pytest.fixture
def service(sandbox, vendor):
    """A service of either dialect before the account."""
    with Service(sandbox, vendor=vendor, settings={"retry": RETRY}) as running:
        running.add()
        yield running


@pytest.fixture
def end(vendor):
    """The end of the path that files come from."""
    return "/execute" if vendor else "/download"


def data(sandbox, number):
    """The file."""
    return b"".join(sandbox.account.files[number].data.chunks())


@pytest.mark.parametrize("window", [{}, {"offset": 299_000}, {"offset": 100, "max_bytes": 7}, {"offset": 400_000}])
async def test_windows(service, hosted, local, sandbox, number, window):
    """A window is what a local connector gives, with where to go on."""
    there, here = [
        await each.execute("attachments", "download", {"attachment_id": number, **window})
        for each in (hosted(service), local(sandbox))
    ]
    assert here == there


async def test_to_a_path(service, hosted, local, sandbox, number, tmp_path):
    """All of a file comes to a path, as with a local connector."""
    there, here = [
        await each.attachments.download(number).to(tmp_path / name)
        for each, name in ((hosted(service), "there"), (local(sandbox), "here"))
    ]
    assert here | {"path": there["path"]} == there
    assert data(sandbox, number) == (tmp_path / "there").read_bytes()


async def test_in_pieces(service, hosted, sandbox, number):
    """Its pieces are its bytes."""
    pieces = [piece async for piece in hosted(service).attachments.download(number).pieces()]
    assert data(sandbox, number) == b"".join(pieces)


def test_synchronous(service, sandbox, number, tmp_path):
    """Synchronous code gets it, too."""
    from plugbay import connect

    named = {"client_id": service.client_id, "client_secret": service.client_secret, "api_url": service.url}
    connector = connect("zendesk-support", **named).sync
    saved = connector.attachments.download_to(number, tmp_path / "a")
    assert sha256(data(sandbox, number)).hexdigest() == saved["sha256"]
    connector.close()


async def test_a_break(service, hosted, sandbox, number, tmp_path, vendor, end):
    """What breaks off is gone on with, by a range where there are ranges and from the start where there are none."""
    whole = data(sandbox, number)
    tag = {} if vendor else {"etag": f'"{sha256(whole).hexdigest()}"'}

    async def short():
        yield whole[:200_000]
        raise ConnectionResetError

    service.next(end, StreamingResponse(short(), 200, {"content-length": str(SIZE), **tag}))
    await hosted(service).attachments.download(number).to(tmp_path / "a")
    assert whole == (tmp_path / "a").read_bytes()
    first, second = [each.headers.get("range", "") for each in service.came(end)]
    assert "" == first
    # How much had come by the time of the break is the network's to say.
    assert (0 if vendor else 1) == len(re.findall(r"^bytes=[1-9]\d*-$", second))


async def test_it_stays_with_the_service(service, hosted, number, tmp_path, end):
    """A redirect to another host is not followed, least of all with the token."""
    with Service() as thief:
        service.next(end, RedirectResponse(f"{thief.url.replace('127.0.0.1', 'localhost')}/x", 307))
        with pytest.raises(PlugbayError):
            await hosted(service).attachments.download(number).to(tmp_path / "a")
        assert [] == [each for each in thief.requests if "authorization" in each.headers]
    assert not (tmp_path / "a").exists()


async def test_failures(service, hosted, sandbox, tmp_path, number, end):
    """What fails has the name that it has everywhere, and leaves nothing under the file's name."""
    connector = hosted(service)
    with pytest.raises(NotFoundError):
        await connector.attachments.download(1).to(tmp_path / "a")
    with pytest.raises(ResponseIntegrityError, match="larger than"):
        await connector.attachments.download(number).to(tmp_path / "a", max_bytes=1_000)
    service.next(end, Response(b"x", headers={"content-encoding": "br"}))
    with pytest.raises(ResponseIntegrityError, match="encoded"):
        await connector.attachments.download(number).to(tmp_path / "a")
    assert not (tmp_path / "a").exists()


async def test_no_file(service, hosted):
    """Only a download has a file."""
    connector = hosted(service)
    with pytest.raises(ConfigurationError, match="no file"):
        await connector._executor.stream(
            connector.find("tickets", "get"), {}, None, max_bytes=1, timeout=None, tell=None
        )
