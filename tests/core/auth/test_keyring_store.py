"""A pair in a keyring, over real backends of the package keyring."""

from __future__ import annotations

import asyncio
import stat
import sys
import traceback

import pytest
from pydantic import SecretStr

from plugbay.auth import KeyringTokenStore, OAuth2, Tokens
from plugbay.errors import ConfigurationError, DeadlineExceededError

keyring = pytest.importorskip("keyring")

from keyring.backend import KeyringBackend  # noqa: E402 - it is an extra
from keyring.backends import fail, null  # noqa: E402
from keyring.errors import KeyringLocked  # noqa: E402

PAIR = Tokens(SecretStr("a-secret"), SecretStr("r-secret"), 1.5, "read")


class Memory(KeyringBackend):
    """A backend that keeps everything in memory."""

    priority = 1

    def __init__(self):
        super().__init__()
        self.kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password


class Locked(Memory):
    """A backend that does not open."""

    def get_password(self, service, username):
        return None

    def set_password(self, service, username, password):
        raise KeyringLocked(f"will not take {password}")


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """A state directory of its own for each test."""
    for name in ("XDG_STATE_HOME", "HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path


async def test_pair_is_kept():
    """What is saved is loaded, by another store of the same names too, and by no other."""
    backend = Memory()
    store = KeyringTokenStore("plugbay", "acme", backend=backend)
    assert await store.load() is None
    await store.save(PAIR)
    assert PAIR == await KeyringTokenStore("plugbay", "acme", backend=backend).load()
    assert await KeyringTokenStore("plugbay", "other", backend=backend).load() is None


async def test_backend_that_keyring_chose_is_the_default():
    """Without a backend of its own a store uses the one that is set for the process."""
    before, backend = keyring.get_keyring(), Memory()
    keyring.set_keyring(backend)
    try:
        await KeyringTokenStore("plugbay", "acme").save(PAIR)
    finally:
        keyring.set_keyring(before)
    assert [("plugbay", "acme")] == list(backend.kept)


async def test_password_of_others_is_left_alone():
    """An entry that holds something else is neither read nor written over, and not shown."""
    backend = Memory()
    backend.set_password("mail", "me", "my-password")
    store = KeyringTokenStore("mail", "me", backend=backend)
    for work in (store.load, lambda: store.save(PAIR)):
        with pytest.raises(ConfigurationError, match="mail/me") as caught:
            await work()
        assert "my-password" not in str(caught.value.payload())
    assert {("mail", "me"): "my-password"} == backend.kept


async def test_backend_that_keeps_nothing_is_found_out():
    """A backend that takes a pair and forgets it must not pass for a store."""
    with pytest.raises(ConfigurationError, match="did not keep"):
        await KeyringTokenStore("plugbay", "acme", backend=null.Keyring()).save(PAIR)


@pytest.mark.parametrize(("backend", "told"), [(fail.Keyring(), "NoKeyringError"), (Locked(), "KeyringLocked")])
async def test_failing_backend_is_named_without_its_secrets(backend, told):
    """What a backend raises is named in a configuration error, which carries nothing of the pair."""
    with pytest.raises(ConfigurationError, match=told) as caught:
        await KeyringTokenStore("plugbay", "acme", backend=backend).save(PAIR)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "a-secret" not in shown
    assert "r-secret" not in shown


async def test_lock_is_one_for_the_names(state):
    """Stores of the same names share a lock, in a file that shows neither name; other names have another."""
    stores = [KeyringTokenStore("plugbay", name, backend=Memory(), lock_timeout=0) for name in ("acme", "acme", "else")]
    async with stores[0].lock():
        with pytest.raises(DeadlineExceededError):
            await stores[1].lock().__aenter__()
        async with stores[2].lock():
            pass
    files = [file for file in state.rglob("*.lock") if file.is_file()]
    assert 2 == len(files)
    assert not any("acme" in file.name for file in files)
    if sys.platform != "win32":
        assert {0o600} == {stat.S_IMODE(file.stat().st_mode) for file in files}
        assert 0o700 == stat.S_IMODE(files[0].parent.stat().st_mode)


@pytest.mark.skipif(sys.platform != "linux", reason="XDG's directories are Linux's")
async def test_state_directory(state, monkeypatch):
    """The lock is in XDG_STATE_HOME, or where that points by default if it is relative; with no place it is an error."""
    store = KeyringTokenStore("plugbay", "acme", backend=Memory())
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    async with store.lock():
        assert 1 == len(list((state / ".local" / "state" / "plugbay" / "locks").iterdir()))
    (state / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(state / "file"))
    with pytest.raises(ConfigurationError) as caught:
        await store.lock().__aenter__()
    assert "XDG_STATE_HOME" in caught.value.hint


def test_extra_is_named_when_it_is_missing(monkeypatch):
    """Without the package, making a store says which extra brings it."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigurationError) as caught:
        KeyringTokenStore("plugbay", "acme")
    assert 'pip install "plugbay[keyring]"' in caught.value.hint


@pytest.mark.parametrize("names", [("", "acme"), ("plugbay", "")])
def test_empty_names_are_refused(names):
    """A keyring cannot keep what has no name."""
    with pytest.raises(ConfigurationError):
        KeyringTokenStore(*names, backend=Memory())


async def test_one_exchange_for_all(endpoint):
    """Credentials that share an entry renew once."""
    backend = Memory()
    parts = {"access_token": "a0", "refresh_token": "r0", "client_id": "c"}
    all_of_them = [OAuth2(**parts, token_store=KeyringTokenStore("plugbay", "acme", backend=backend)) for _ in range(4)]
    old = [await credentials.headers(endpoint) for credentials in all_of_them]
    new = await asyncio.gather(*[each.renew(failed, endpoint) for each, failed in zip(all_of_them, old, strict=True)])
    assert [{"authorization": "Bearer a1"}] * 4 == new
    assert 1 == len(endpoint.bodies)
    assert "secret" not in repr(KeyringTokenStore("plugbay", "acme", backend=backend))
