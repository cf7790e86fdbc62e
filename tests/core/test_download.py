"""A file comes as a window, as pieces, or whole to a path; at the path it is all there or not at all."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import os
import resource
import stat
import threading
from contextlib import aclosing
from functools import partial
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from pydantic import TypeAdapter

from plugbay import (
    ConfigurationError,
    ConflictError,
    InvalidParameterError,
    NetworkError,
    NotFoundError,
    PlugbayError,
    Policy,
    PolicyDeniedError,
    ResponseIntegrityError,
    tool_utils,
)
from plugbay.auth import BasicToken
from plugbay.connectors.zendesk.errors import read_error
from plugbay.connectors.zendesk_support import ZendeskSupportConnector
from plugbay.connectors.zendesk_support.attachments import FilePart
from plugbay.declare import Download
from plugbay.executor import LocalExecutor
from plugbay.finishing import in_thread
from plugbay.transport import RetryPolicy, Transport

FILE = bytes(range(256)) * 12_000  # three chunks, the last one not full
OTHER = b"x" * len(FILE)
FRESH = ["a.bin"]
LEFT = [".a.bin.part", ".a.bin.part.json"]


class Service:
    """Describes files and serves them by ranges; a connection breaks after as many bytes as `breaks` says."""

    def __init__(self):
        self.data, self.tag, self.size = FILE, '"1"', None
        self.breaks = []
        self.status = None
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        if self.status is not None:
            return httpx.Response(self.status)
        if request.url.path != "/raw":
            size = len(self.data) if self.size is None else self.size
            record = {
                "id": 1,
                "url": "https://cellar.example.com/raw",
                "size": size,
                "file_name": "../a.bin",
                "content_type": "image/png",
            }
            return httpx.Response(200, json={"file": record})
        start = 0
        if request.headers.get("if-range") == self.tag or "if-range" not in request.headers:
            start = int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        headers = {"etag": self.tag} if self.tag else {}
        if "range" in request.headers and (start or "if-range" not in request.headers):
            headers["content-range"] = f"bytes {start}-{len(self.data) - 1}/{len(self.data)}"
        status = 206 if "content-range" in headers else 200
        return httpx.Response(status, headers=headers, stream=self._body(start))

    def _body(self, start):
        data, breaks = self.data[start:], self.breaks

        class Body(httpx.AsyncByteStream):
            async def __aiter__(self):
                end = breaks.pop(0) if breaks else len(data)
                for at in range(0, end, 65_536):
                    yield data[at : min(end, at + 65_536)]
                    await asyncio.sleep(0)
                if end < len(data):
                    raise httpx.ReadError("reset")

        return Body()

    @property
    def ranges(self):
        """What was asked of the file itself."""
        return [request.headers.get("range") for request in self.requests if request.url.path == "/raw"]


@pytest.fixture
def service():
    return Service()


async def no_wait(seconds):
    pass


@pytest.fixture
async def cellar(service, world):
    """A connector to the service, that gives up at the first break that brings nothing."""
    transport = Transport(
        "https://cellar.example.com",
        BasicToken("me", "s3cret"),
        read_error=read_error,
        max_attempts=1,
        retry=RetryPolicy(sleep=no_wait),
        http=httpx.MockTransport(service),
    )
    async with world.Cellar(LocalExecutor(transport)) as made:
        yield made


@pytest.fixture
def target(tmp_path):
    return tmp_path / "a.bin"


def names(target):
    return sorted(file.name for file in target.parent.iterdir())


def open_files():
    return len(list(Path("/dev/fd").iterdir()))


class TestWindow:
    async def test_awaited(self, cellar):
        """Awaiting a download gives a window of the file as JSON."""
        part = await cellar.files.download(1, offset=3, max_bytes=4)
        assert (FILE[3:7], len(FILE)) == (base64.b64decode(part["content"]), part["size"])

    async def test_bad_arguments(self, cellar, service):
        """What does not fit is refused where it is written."""
        with pytest.raises(InvalidParameterError):
            cellar.files.download("x")
        assert [] == service.requests

    async def test_from_a_tool(self, cellar):
        """A tool that returns a download without awaiting it gives the model the window."""

        @tool_utils(cellar)
        async def read(file_id: int):
            return cellar.files.download(file_id, max_bytes=3)

        envelope = await read(1)
        assert (base64.b64encode(FILE[:3]).decode(), 0) == (envelope["data"]["content"], envelope["data"]["offset"])
        assert "Continue" not in str(envelope["data"])

    async def test_hidden_in_a_tools_result(self, cellar):
        """A download that nobody can await is named by its type, and no address in memory is shown."""

        @tool_utils
        async def read():
            return {"file": cellar.files.download(1)}

        assert {"file": "<Download>"} == (await read())["data"]

    async def test_of_a_synchronous_tool(self, cellar):
        """A synchronous function is told to use the synchronous face."""

        @tool_utils
        def read():
            return cellar.files.download(1)

        assert "configuration" == read()["error"]["code"]

    def test_schema(self):
        """The schema of a download is that of its window."""
        assert TypeAdapter(FilePart).json_schema() == TypeAdapter(Download[FilePart]).json_schema()

    def test_declared(self):
        """The catalogue's download is the one that is documented."""
        assert Download[FilePart] == ZendeskSupportConnector.find("attachments", "download").arguments.returns


BAD_SETTINGS = [
    {"max_bytes": 0}, {"max_bytes": "x"}, {"max_bytes": None}, {"max_bytes": 9.5}, {"max_bytes": True},
    {"timeout": 0}, {"timeout": float("nan")}, {"timeout": "5"}, {"timeout": True},
]  # fmt: skip


class TestTo:
    async def test_whole(self, cellar, service, target):
        """A file arrives whole, with its hash, for its owner alone, and nothing is left beside it."""
        told = []
        saved = await cellar.files.download(1).to(target, progress=lambda *how_far: told.append(how_far))
        assert (FILE, FRESH) == (target.read_bytes(), names(target))
        assert {
            "path": str(target),
            "file_name": "../a.bin",
            "content_type": "image/png",
            "size": len(FILE),
            "sha256": sha256(FILE).hexdigest(),
        } == saved
        assert 0o600 == stat.S_IMODE(target.stat().st_mode)
        assert (len(FILE), len(FILE)) == told[-1]
        json.dumps(saved)

    async def test_empty(self, cellar, service, target):
        """An empty file is a file."""
        service.data = b""
        assert 0 == (await cellar.files.download(1).to(str(target)))["size"]
        assert b"" == target.read_bytes()

    async def test_from_a_tool(self, cellar, target):
        """A tool's own code may write to a path, and the model is told where."""

        @tool_utils(cellar)
        async def save(file_id: int):
            return await cellar.files.download(file_id).to(target)

        assert str(target) == (await save(1))["data"]["path"]

    @pytest.mark.parametrize(
        ("path", "match"),
        [(".", "directory"), ("", "directory"), ("nowhere/a", "no directory"), ("a\0b", "path"), (b"a", "path"),
         (None, "path"), ("a\ud800", "path"), ("n" * 256, "path"), ("taken", "there already"), ("dangling", "there already")],
    )  # fmt: skip
    async def test_bad_path(self, cellar, service, tmp_path, monkeypatch, path, match):
        """A path that cannot be written to is refused before anything is sent."""
        monkeypatch.chdir(tmp_path)
        (tmp_path / "taken").write_text("mine")
        (tmp_path / "dangling").symlink_to("gone")
        with pytest.raises(InvalidParameterError, match=match):
            await cellar.files.download(1).to(path)
        assert [] == service.requests
        assert "mine" == (tmp_path / "taken").read_text()

    @pytest.mark.parametrize("path", ["a\ud800", "a\0b", "a\0b/c", "n" * 256, "n" * 256 + "/a"])
    async def test_no_path_at_all(self, cellar, service, tmp_path, path):
        """A name that no file can have is refused before anything is sent, also where a file may be replaced."""
        with pytest.raises(InvalidParameterError):
            await cellar.files.download(1).to(tmp_path / path, overwrite=True)
        assert [] == service.requests

    @pytest.mark.parametrize("name", ["n" * 244, "n" * 245, "n" * 255, "ü" * 127])
    async def test_a_long_name(self, cellar, service, tmp_path, name):
        """A name of any length that a file can have will do, and is gone on with as others are."""
        service.breaks = [2_000_000, 0]
        with pytest.raises(ResponseIntegrityError, match="cut short"):
            await cellar.files.download(1).to(tmp_path / name)
        assert 2 == len(names(tmp_path / name))
        await cellar.files.download(1).to(tmp_path / name)
        assert "bytes=2000000-" == service.ranges[-1]
        assert ([name], FILE) == (names(tmp_path / name), (tmp_path / name).read_bytes())

    async def test_two_long_names(self, cellar, service, tmp_path):
        """Long names that differ only at their ends do not share what is on the way."""
        first, second = tmp_path / ("n" * 250 + "1"), tmp_path / ("n" * 250 + "2")
        for target in (first, second):
            service.breaks = [2_000_000, 0]
            with pytest.raises(ResponseIntegrityError, match="cut short"):
                await cellar.files.download(1).to(target)
        assert 4 == len(names(first))

    async def test_overwrite(self, cellar, target):
        """With leave, another file is replaced."""
        target.write_text("old")
        await cellar.files.download(1).to(target, overwrite=True)
        assert (FILE, FRESH) == (target.read_bytes(), names(target))

    async def test_a_file_that_came_meanwhile(self, cellar, target):
        """A file that somebody else wrote in the meantime is not replaced."""
        with pytest.raises(InvalidParameterError, match="there already"):
            await cellar.files.download(1).to(target, progress=lambda *_: target.write_text("mine"))
        assert "mine" == target.read_text()

    async def test_a_part_of_it(self, cellar, service, target):
        """A window and the whole file are not asked for at once."""
        for settings in ({"offset": 1}, {"max_bytes": 5}):
            with pytest.raises(InvalidParameterError, match="window"):
                await cellar.files.download(1, **settings).to(target)
            with pytest.raises(InvalidParameterError, match="window"):
                await anext(cellar.files.download(1, **settings).pieces())
        assert [] == service.requests

    @pytest.mark.parametrize("settings", BAD_SETTINGS)
    async def test_bad_settings(self, cellar, service, target, settings):
        """Limits that let nothing through are refused."""
        with pytest.raises(InvalidParameterError, match="positive"):
            await cellar.files.download(1).to(target, **settings)
        assert [] == service.requests

    @pytest.mark.parametrize("settings", BAD_SETTINGS)
    async def test_bad_settings_of_pieces(self, cellar, service, settings):
        """Pieces are as strict."""
        with pytest.raises(InvalidParameterError):
            await anext(cellar.files.download(1).pieces(**settings))
        assert [] == service.requests

    async def test_progress_that_nobody_would_await(self, cellar, service, target):
        """What is told of progress is called and not awaited, so a coroutine function is refused."""

        async def tell(received, total): ...

        class Teller:
            async def __call__(self, received, total): ...

        for progress in (tell, partial(tell), Teller(), Teller().__call__, 5):
            with pytest.raises(ConfigurationError, match="progress"):
                await cellar.files.download(1).to(target, progress=progress)
        assert [] == service.requests

    async def test_missing_file(self, cellar, service, target):
        """A file that is not there leaves nothing."""
        service.status = 404
        with pytest.raises(NotFoundError):
            await cellar.files.download(1).to(target)
        assert [] == names(target)

    async def test_policy(self, cellar, service, target):
        """The policy is asked as for any call."""
        cellar.policy = Policy(deny=["files.download"])
        with pytest.raises(PolicyDeniedError):
            await cellar.files.download(1).to(target)
        with pytest.raises(PolicyDeniedError):
            await anext(cellar.files.download(1).pieces())
        assert ([], []) == (service.requests, names(target))

    @pytest.mark.parametrize("settings", [{"max_bytes": len(FILE) - 1}, {}])
    async def test_refused_for_its_size(self, cellar, service, target, settings):
        """A file that is too large, or not as large as was promised, leaves nothing."""
        service.size = None if settings else len(FILE) + 1
        with pytest.raises(ResponseIntegrityError):
            await cellar.files.download(1).to(target, **settings)
        assert [] == names(target)

    async def test_no_other_download(self, cellar, service, target):
        """Two downloads to one path do not write into one file."""
        second = []

        def meanwhile(received, total):
            if not second:
                second.append(asyncio.create_task(other()))

        async def other():
            with pytest.raises(ConflictError, match="under way"):
                await cellar.files.download(1).to(target)

        await cellar.files.download(1).to(target, progress=meanwhile)
        await second[0]
        assert (FILE, FRESH) == (target.read_bytes(), names(target))

    async def test_a_full_disk(self, cellar, target):
        """What the disk refuses is named, is not taken for the network's fault, and can be gone on with."""
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, limits[1]))
        try:
            with pytest.raises(PlugbayError, match="could not be written: File too large") as caught:
                await cellar.files.download(1).to(target)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert str(target) == caught.value.details["path"]
        assert LEFT == names(target)
        await cellar.files.download(1).to(target)
        assert FILE == target.read_bytes()


class TestResuming:
    @pytest.fixture
    async def left(self, cellar, service, target):
        """The beginning of a file that a download left."""
        service.breaks = [2_000_000, 0]
        with pytest.raises(ResponseIntegrityError, match="cut short"):
            await cellar.files.download(1).to(target)
        assert LEFT == names(target)
        assert FILE[:2_000_000] == (target.parent / LEFT[0]).read_bytes()
        service.requests.clear()
        return target.parent / LEFT[0]

    async def test_gone_on_with(self, cellar, service, target, left):
        """The next download asks for the rest, and its hash is of all of it."""
        saved = await cellar.files.download(1).to(target)
        assert ["bytes=2000000-"] == service.ranges
        assert (FILE, FRESH) == (target.read_bytes(), names(target))
        assert sha256(FILE).hexdigest() == saved["sha256"]

    async def test_private(self, left):
        """What is left is for its owner alone, and does not hold the address of the day."""
        note = left.with_name(LEFT[1])
        assert [0o600, 0o600] == [stat.S_IMODE(file.stat().st_mode) for file in (left, note)]
        assert {"of", "validator", "total"} == set(json.loads(note.read_text()))
        assert "raw" not in note.read_text()

    async def test_a_changed_file(self, cellar, service, target, left):
        """If the file has changed meanwhile, it is read from its start."""
        service.data, service.tag = OTHER, '"2"'
        await cellar.files.download(1).to(target)
        assert (OTHER, FRESH) == (target.read_bytes(), names(target))

    async def test_a_shorter_file(self, cellar, service, target):
        """A file that begins anew has nothing left of the longer one before it."""
        service.size, service.breaks = "unknown", [2_000_000, 0]
        with pytest.raises(ResponseIntegrityError, match="cut short"):
            await cellar.files.download(1).to(target)
        service.data, service.tag = b"short", '"2"'
        await cellar.files.download(1).to(target)
        assert b"short" == target.read_bytes()

    async def test_a_changed_size(self, cellar, service, target, left):
        """If the record has another size, nothing is gone on with, whatever the validator says."""
        service.data = OTHER[:-1]
        await cellar.files.download(1).to(target)
        assert [None] == service.ranges
        assert OTHER[:-1] == target.read_bytes()

    async def test_another_file(self, cellar, service, target, left):
        """What is left of one file is not gone on with for another, though it has the same validator."""
        service.data = OTHER
        await cellar.files.download(2).to(target)
        assert [None] == service.ranges
        assert OTHER == target.read_bytes()

    @pytest.mark.parametrize(
        "note",
        [None, "", "[1]", "{", "[" * 4000, '{"of": 1}', {"validator": 5}, {"validator": '"1"\r\nx: y'}, {"total": -1},
         {"total": "9"}, {"total": True}],
    )  # fmt: skip
    async def test_a_broken_note(self, cellar, service, target, left, note):
        """Without a note that can be believed it is read from its start."""
        file = left.with_name(LEFT[1])
        if isinstance(note, dict):
            note = json.dumps(json.loads(file.read_text()) | note)
        file.unlink() if note is None else file.write_text(note)
        await cellar.files.download(1).to(target)
        assert [None] == service.ranges
        assert FILE == target.read_bytes()

    @pytest.mark.parametrize("extra", [0, 5])
    async def test_a_whole_one(self, cellar, service, target, left, extra):
        """A process that was killed before it could rename the file has the last byte asked for again."""
        left.write_bytes(FILE + b"x" * extra)
        await cellar.files.download(1).to(target)
        assert [f"bytes={len(FILE) - 1}-"] == service.ranges
        assert (FILE, FRESH) == (target.read_bytes(), names(target))

    async def test_not_wanted(self, cellar, service, target, left):
        """Without leave to resume, nothing is gone on with and nothing is left."""
        service.breaks = [2_000_000, 0]
        with pytest.raises(ResponseIntegrityError, match="cut short"):
            await cellar.files.download(1).to(target, resume=False)
        assert None is service.ranges[0]
        assert [] == names(target)

    async def test_without_a_validator(self, cellar, service, target):
        """What could not be gone on with is not left."""
        service.tag, service.breaks = "", [2_000_000, 0]
        with pytest.raises(ResponseIntegrityError, match="cut short"):
            await cellar.files.download(1).to(target)
        assert [] == names(target)

    async def test_cancelled(self, cellar, service, target):
        """A cancelled download leaves its beginning and no open file."""
        before = open_files()
        arrived = asyncio.Event()
        download = asyncio.create_task(cellar.files.download(1).to(target, progress=lambda *_: arrived.set()))
        await arrived.wait()
        download.cancel()
        with pytest.raises(asyncio.CancelledError):
            await download
        assert before == open_files()
        assert LEFT == names(target)
        await cellar.files.download(1).to(target)
        assert FILE == target.read_bytes()

    async def test_cancelled_while_it_writes(self):
        """Who is cancelled, and cancelled again, leaves when the disk has done its work, so that nothing is cut off."""
        started, may_end = threading.Event(), threading.Event()
        work = asyncio.create_task(in_thread(lambda: started.set() or may_end.wait()))
        await asyncio.to_thread(started.wait)
        for _ in range(2):
            work.cancel()
            for _ in range(10):
                await asyncio.sleep(0)
            assert not work.done()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await work

    async def test_a_link_in_its_place(self, cellar, tmp_path, target):
        """A link where the part should be is not followed."""
        victim = tmp_path.parent / f"{tmp_path.name}-victim"
        victim.write_text("mine")
        (tmp_path / LEFT[0]).symlink_to(victim)
        with pytest.raises(PlugbayError, match="could not be written"):
            await cellar.files.download(1).to(target)
        assert "mine" == victim.read_text()

    @pytest.mark.parametrize("kind", ["hard link", "others", "pipe"])
    async def test_a_strange_file_in_its_place(self, cellar, tmp_path, target, kind):
        """A file that somebody else may write to as well is put away, and what it is linked to left alone."""
        victim, part = tmp_path.parent / f"{tmp_path.name}-victim", tmp_path / LEFT[0]
        victim.write_text("mine")
        if kind == "hard link":
            part.hardlink_to(victim)
        elif kind == "pipe":
            os.mkfifo(part, 0o600)
        else:
            part.write_text("theirs")
            part.chmod(0o666)
        await cellar.files.download(1).to(target)
        assert (FILE, FRESH) == (target.read_bytes(), names(target))
        assert "mine" == victim.read_text()


class TestPieces:
    async def test_all(self, cellar, service):
        """The pieces are the file, whatever breaks."""
        service.breaks = [100_000, 1_000_000]
        pieces = [piece async for piece in cellar.files.download(1).pieces()]
        assert FILE == b"".join(pieces)
        assert 65_536 >= max(map(len, pieces))
        assert 3 == len(service.ranges)

    async def test_an_error_comes_behind_what_came(self, cellar, service):
        """What arrived is given first, and then the error raised."""
        service.breaks = [100_000, 0]
        found = []

        async def read():
            async for piece in cellar.files.download(1).pieces():
                found.append(piece)  # noqa: PERF401 - what came before the error is what counts

        with pytest.raises(ResponseIntegrityError, match="cut short"):
            await read()
        assert FILE[:100_000] == b"".join(found)

    async def test_one_at_a_time(self, cellar, service):
        """No more is read than the reader has room for."""
        sent = []
        body = service._body

        def watched(start):
            inner = body(start)

            class Watched(httpx.AsyncByteStream):
                async def __aiter__(self):
                    async for piece in inner:
                        sent.append(len(piece))
                        yield piece

            return Watched()

        service._body = watched
        async with aclosing(cellar.files.download(1).pieces()) as pieces:
            await anext(pieces)
            for _ in range(100):
                await asyncio.sleep(0)
            assert len(sent) <= 4

    async def test_closing_the_connector(self, cellar):
        """A reader whose connector is closed meanwhile gets a named error."""
        pieces = cellar.files.download(1).pieces()
        await anext(pieces)
        await cellar.close()
        with pytest.raises(NetworkError, match="closed"):
            async for _ in pieces:
                pass

    async def test_cancelled_reader(self, cellar):
        """A reader that is cancelled leaves no task behind."""

        async def read():
            async for _ in cellar.files.download(1).pieces():
                await asyncio.Event().wait()

        reader = asyncio.create_task(read())
        for _ in range(50):
            await asyncio.sleep(0)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        gc.collect()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*left, return_exceptions=True)
        assert {asyncio.current_task()} == asyncio.all_tasks()


class TestEvents:
    async def test_one_call(self, service, world, target):
        """A whole file is one call to those who listen, with all its tries."""
        events = []
        transport = Transport(
            "https://cellar.example.com",
            BasicToken("me", "s3cret"),
            read_error=read_error,
            retry=RetryPolicy(sleep=no_wait),
            http=httpx.MockTransport(service),
        )
        service.breaks = [100_000]
        async with world.Cellar(LocalExecutor(transport), on_event=events.append) as cellar:
            await cellar.files.download(1).to(target)
            kinds = [event.kind for event in events]
            assert ["call", "attempt", "attempt", "wait", "attempt", "call"] == kinds
            assert ("ok", 3) == (events[-1].outcome, events[-1].attempts)
            assert 1 == len({event.call for event in events})
            events.clear()
            async for _ in cellar.files.download(1).pieces():
                pass
            assert ["started", "ended"] == [event.phase for event in events if event.kind == "call"]


class TestSync:
    def test_window(self, service, world):
        """The synchronous face gives the window."""
        assert len(FILE) == world.cellar(service).sync.files.download(1)["size"]

    @pytest.mark.parametrize("by_name", [True, False])
    def test_to(self, service, world, target, by_name):
        """It writes to a path: the action's arguments, then the path."""
        files = world.cellar(service).sync.files
        values, named = ((), {"file_id": 1, "path": target}) if by_name else ((1, target), {})
        saved = files.download_to(*values, **named, max_bytes=10**7)
        assert (FILE, str(target)) == (target.read_bytes(), saved["path"])
        with pytest.raises(InvalidParameterError, match="there already"):
            files.download_to(*values, **named)

    def test_without_a_path(self, service, world):
        """A path must be given, and the arguments must fit."""
        files = world.cellar(service).sync.files
        with pytest.raises(InvalidParameterError, match="path"):
            files.download_to()
        with pytest.raises(InvalidParameterError):
            files.download_to("a.bin")
        assert [] == service.requests

    def test_only_of_downloads(self, service, world):
        """Other actions have no such thing."""
        for name in ("get_to", "_to", "list_to"):
            with pytest.raises(AttributeError):
                getattr(world.cellar(service).sync.boxes, name)
