"""A pair in a file: private from its first byte, whole or not there, and never written over by mistake."""

from __future__ import annotations

import asyncio
import os
import pickle
import stat
import sys
import time
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from plugbay.auth import FileTokenStore, OAuth2, Tokens
from plugbay.errors import ConfigurationError

PAIR = Tokens(SecretStr("a-secret"), SecretStr("r-secret"), 1_700_000_000.5, "read write")
NEXT = Tokens(SecretStr("a-newer"), SecretStr("r-newer"))

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "plugbay" / "tokens.json"


async def test_pair_is_kept(path):
    """What is saved is loaded, by another store of the same path too; the last one counts."""
    store = FileTokenStore(path)
    assert await store.load() is None
    await store.save(PAIR)
    assert PAIR == await FileTokenStore(str(path)).load()
    await store.save(NEXT)
    assert NEXT == await store.load()


async def test_constructor_and_load_make_nothing(path):
    """Until something is saved or locked nothing is made."""
    assert await FileTokenStore(path).load() is None
    assert not path.parent.exists()


@posix
async def test_only_the_owner_can_read(path):
    """The file, its lock and a directory that was missing are for their owner alone, whatever the umask."""
    old = os.umask(0)
    try:
        store = FileTokenStore(path)
        async with store.lock():
            await store.save(PAIR)
    finally:
        os.umask(old)
    assert [0o700, 0o600, 0o600] == [mode(path.parent), mode(path), mode(path.with_name("tokens.json.lock"))]


@posix
async def test_private_from_the_first_byte(path):
    """No file in which the pair is written is ever open to others, or there under the final name in part."""
    seen = []

    def watch(event, args):
        if event in ("open", "os.rename") and str(path.parent) in str(args[0]) and watching:
            seen.append((event, [(name.name.endswith(".tmp"), mode(name)) for name in path.parent.iterdir()]))

    watching = True
    sys.addaudithook(watch)
    old = os.umask(0)
    try:
        await FileTokenStore(path).save(PAIR)
    finally:
        os.umask(old)
        watching = False
    assert ("os.rename", [(True, 0o600)]) in seen


async def test_nothing_is_left_beside_the_file(path):
    """A save leaves no temporary file."""
    store = FileTokenStore(path)
    for pair in (PAIR, NEXT):
        await store.save(pair)
        assert [path] == list(path.parent.iterdir())


@posix
async def test_disk_that_is_full_changes_nothing(path):
    """A save that fails in the middle of writing leaves the old pair, and no part of the new one beside it."""
    import resource

    store = FileTokenStore(path)
    await store.save(PAIR)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(ConfigurationError, match=r"tokens\.json could not be written: File too large"):
            await store.save(NEXT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path] == list(path.parent.iterdir())
    assert PAIR == await store.load()


async def test_leftovers_of_killed_processes_are_removed(path):
    """A temporary file of a process that was killed goes with a later save; one that may be in use stays."""
    path.parent.mkdir()
    old, young = path.with_name(".tokens.json.0.tmp"), path.with_name(".tokens.json.1.tmp")
    other = path.with_name(".other.json.0.tmp")
    for each in (old, young, other):
        each.touch()
    for each in (old, other):
        os.utime(each, (time.time() - 7200,) * 2)
    await FileTokenStore(path).save(PAIR)
    assert [False, True, True] == [each.exists() for each in (old, young, other)]


@posix
@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o644, 0o666])
async def test_file_that_others_can_reach_is_refused(path, bits):
    """A file that others may read or write is not used, and the error says what to do."""
    store = FileTokenStore(path)
    await store.save(PAIR)
    path.chmod(bits)
    for work in (store.load, lambda: store.save(NEXT)):
        with pytest.raises(ConfigurationError, match=f"{bits:04o}") as caught:
            await work()
        assert "chmod 600" in caught.value.hint
    path.chmod(0o600)
    assert PAIR == await store.load()


@pytest.mark.parametrize("content", [b"{", b"a-secret", b'{"access_token": "a-secret"}', b"\xff\x00", b"\0" * 200])
async def test_foreign_file_is_left_alone(path, content):
    """A file that holds something else is neither read nor written over; the error names it and shows nothing of it."""
    path.parent.mkdir()
    path.touch(0o600)
    path.write_bytes(content)
    store = FileTokenStore(path)
    for work in (store.load, lambda: store.save(NEXT)):
        with pytest.raises(ConfigurationError, match=r"tokens\.json") as caught:
            await work()
        frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack
        told = f"{caught.value} {[frame.locals for frame in frames if frame.filename != __file__]}"
        assert not any(secret in told for secret in ("a-secret", "a-newer", "r-newer"))
    assert content == path.read_bytes()


@given(st.binary(min_size=1, max_size=64), st.integers(0, 200), st.booleans())
def test_damaged_file_is_told_from_a_whole_one(tmp_path_factory, noise, place, cut):
    """Bytes written over a file, or its end cut off, leave it readable as some pair or are an error; it stays as it is."""
    path = tmp_path_factory.mktemp("damaged") / "tokens.json"

    async def damage():
        store = FileTokenStore(path)
        await store.save(PAIR)
        whole = path.read_bytes()
        damaged = whole[:place] + noise + (b"" if cut else whole[place + len(noise) :])
        path.write_bytes(damaged)
        found = await asyncio.gather(store.load(), return_exceptions=True)
        if not isinstance(found[0], Tokens):
            assert "secret" not in str(found[0].payload())
            with pytest.raises(ConfigurationError):
                await store.save(NEXT)
            assert damaged == path.read_bytes()

    asyncio.run(damage())


async def test_empty_file_holds_nothing(path):
    """A file that was made beforehand is taken as one without a pair, and filled."""
    path.parent.mkdir()
    path.touch(0o600)
    store = FileTokenStore(path)
    assert await store.load() is None
    await store.save(PAIR)
    assert PAIR == await store.load()


async def test_too_long_a_file_is_refused(path):
    """A file that is far too long is not read into memory."""
    path.parent.mkdir()
    path.touch(0o600)
    os.truncate(path, 2**40)
    with pytest.raises(ConfigurationError, match="too long"):
        await FileTokenStore(path).load()


@posix
async def test_what_is_no_file_is_refused(tmp_path):
    """A directory or a named pipe is refused at once, rather than waited for."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ConfigurationError, match="not a file"):
            await FileTokenStore(path).load()


@posix
async def test_link_is_followed_and_stays(path, tmp_path):
    """A symbolic link stays one: the file it leads to is replaced, and locked beside it."""
    store, link = FileTokenStore(path), tmp_path / "link"
    await store.save(PAIR)
    link.symlink_to(path)
    linked = FileTokenStore(link, lock_timeout=0)
    await linked.save(NEXT)
    assert link.is_symlink()
    assert NEXT == await store.load() == await linked.load()
    async with store.lock():
        with pytest.raises(Exception, match=r"tokens\.json\.lock"):
            await linked.lock().__aenter__()


@posix
async def test_circle_of_links_is_refused(tmp_path):
    """Links that lead nowhere are an error with a name."""
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(ConfigurationError):
        await FileTokenStore(tmp_path / "a").load()


def test_paths_are_taken_from_now(tmp_path, monkeypatch):
    """`~` is the home directory, and a relative path does not move with the working directory."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    home, here = FileTokenStore("~/t.json"), FileTokenStore("t.json")
    monkeypatch.chdir("/")
    assert tmp_path / "t.json" == home.path == here.path


@pytest.mark.parametrize("path", ["~nobody-of-that-name/t.json", "a\0b"])
def test_impossible_path_is_refused(path):
    """A path that can be no file's is refused when it is given."""
    with pytest.raises(ConfigurationError):
        FileTokenStore(path)


async def test_failures_of_the_disk_have_a_name(tmp_path):
    """What the system refuses is a configuration error that names the file and the reason."""
    (tmp_path / "file").touch()
    store = FileTokenStore(tmp_path / "file" / "tokens.json")
    for work in (store.load, lambda: store.save(PAIR), store.lock().__aenter__):
        with pytest.raises(ConfigurationError, match=r"tokens\.json could not be .*: (Not a directory|File exists)"):
            await work()


async def test_store_travels_without_secrets(path):
    """A store is its path: it can be pickled, and shows no secret."""
    store = FileTokenStore(path)
    await store.save(PAIR)
    data = pickle.dumps(store)
    assert b"secret" not in data
    assert "secret" not in f"{store!r} {vars(store)}"
    assert PAIR == await pickle.loads(data).load()


async def test_pair_outlives_the_credentials(path, endpoint):
    """Credentials made anew from the old configuration go on with the pair in the file."""

    def oauth():
        parts = {"access_token": "a0", "refresh_token": "r0", "client_id": "c"}
        return OAuth2(**parts, token_store=FileTokenStore(path))

    first = oauth()
    await first.renew(await first.headers(endpoint), endpoint)
    second = oauth()
    headers = await second.headers(endpoint)
    assert {"authorization": "Bearer a1"} == headers
    assert {"authorization": "Bearer a2"} == await second.renew(headers, endpoint)
    assert ["r0", "r1"] == [body["refresh_token"] for body in endpoint.bodies]
