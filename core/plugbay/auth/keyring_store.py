"""A token pair in the keyring of the desktop."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from pydantic import SecretStr

from plugbay.auth.process_lock import process_lock
from plugbay.auth.state import lock_file
from plugbay.auth.token_text import read_text, write_text
from plugbay.auth.tokens import LockingTokenStore, Tokens
from plugbay.auth.waiting import LOCK_SECONDS
from plugbay.errors import ConfigurationError
from plugbay.finishing import in_thread

__all__ = ["KeyringTokenStore"]

T = TypeVar("T")


class KeyringTokenStore(LockingTokenStore):
    """Keeps the pair where the system keeps passwords, by the package `keyring`; needs the extra `keyring`.

    Its lock is a file in the user's state directory, as keyrings have none.

    Args:
        service: The name under which the keyring shows it.
        username: Whose pair it is, such as the tenant's name.
        backend: A `keyring.backend.KeyringBackend`; None for the one that `keyring` chooses.
        lock_timeout: Seconds to wait for the renewals of others.

    Raises:
        ConfigurationError: `keyring` is not installed, or a name is empty.
    """

    def __init__(self, service: str, username: str, *, backend: Any = None, lock_timeout: float = LOCK_SECONDS) -> None:
        if not service or not username:
            raise ConfigurationError("A keyring needs a service and a username.")
        try:
            import keyring  # noqa: PLC0415 - it is an extra
        except ImportError:
            raise ConfigurationError(
                "KeyringTokenStore needs the package keyring.", hint='Run: pip install "plugbay[keyring]"'
            ) from None
        self._keyring: Any = backend or keyring
        self._service = service
        self._username = username
        self._lock_timeout = lock_timeout

    def __repr__(self) -> str:
        return f"KeyringTokenStore({self._service!r}, {self._username!r})"

    async def load(self) -> Tokens | None:
        """The pair in the keyring; None if there is none.

        Raises:
            ConfigurationError: The keyring cannot be read, or holds something else under these names.
        """
        text = await in_thread(lambda: self._told("read", self._read))
        return self._tokens(text) if text else None

    async def save(self, tokens: Tokens) -> None:
        """Keep the pair.

        Raises:
            ConfigurationError: The keyring cannot be written, or does not keep what it is given.
        """
        await in_thread(lambda: self._told("written", lambda: self._write(write_text(tokens))))

    @asynccontextmanager
    async def lock(self) -> AsyncGenerator[None]:
        """Holds the lock inside the block; it ends with the process, however that ends.

        Raises:
            DeadlineExceededError: Others held it for `lock_timeout` seconds.
            ConfigurationError: The lock file cannot be made or locked.
        """
        path = await in_thread(lambda: lock_file(self._service, self._username))
        async with process_lock(path, timeout=self._lock_timeout):
            yield

    @property
    def _entry(self) -> str:
        return f"{self._service}/{self._username}"

    def _tokens(self, text: SecretStr) -> Tokens:
        return read_text(text, f"The keyring entry {self._entry}")

    def _read(self) -> SecretStr | None:
        text = self._keyring.get_password(self._service, self._username)
        return SecretStr(text) if text else None

    def _write(self, text: SecretStr) -> None:
        if old := self._read():
            self._tokens(old)  # what is not ours is not written over
        self._keyring.set_password(self._service, self._username, text.get_secret_value())
        # The null backend takes everything and keeps nothing.
        if self._read() != text:
            raise ConfigurationError(
                f"The keyring did not keep the entry {self._entry}.",
                hint="`keyring --list-backends` shows which backends there are.",
            )

    def _told(self, what: str, work: Callable[[], T]) -> T:
        try:
            return work()
        except ConfigurationError:
            raise
        except Exception as error:  # noqa: BLE001 - any backend, any error
            reason = type(error).__name__
        # Raised here, as the frames of the backend's own error have the pair among their locals.
        raise ConfigurationError(
            f"The keyring entry {self._entry} could not be {what}: {reason}.",
            hint="Is the keyring there and unlocked? `keyring diagnose` shows which one is used.",
        )
