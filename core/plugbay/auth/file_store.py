"""A token pair in a file."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from plugbay.auth.private_file import make_directory, read_private, write_private
from plugbay.auth.process_lock import process_lock
from plugbay.auth.token_text import read_text, write_text
from plugbay.auth.tokens import LockingTokenStore, Tokens
from plugbay.auth.waiting import LOCK_SECONDS
from plugbay.errors import ConfigurationError
from plugbay.finishing import in_thread

__all__ = ["FileTokenStore"]

T = TypeVar("T")


class FileTokenStore(LockingTokenStore):
    """Keeps the pair in a file that only its owner can read; any number of processes may share it.

    The file is replaced in one step and is on the disk when `save` returns, so that a crash leaves the old
    pair or the new one. Beside it is its lock file, named like it with `.lock` at the end, which may stay.
    A directory that is missing is made at first use. A symbolic link is followed and stays one.

    The store holds only the path, and may be pickled.

    Args:
        path: The file; `~` is the home directory, and a relative path is taken from the directory of now.
        lock_timeout: Seconds to wait for the renewals of others.

    Raises:
        ConfigurationError: The path cannot be one, or there is no home directory.
    """

    def __init__(self, path: str | os.PathLike[str], *, lock_timeout: float = LOCK_SECONDS) -> None:
        try:
            self.path = Path(path).expanduser().absolute()
        except RuntimeError:
            raise ConfigurationError(f"{path} names a home directory that is not known.") from None
        if "\0" in str(self.path):
            raise ConfigurationError("A path cannot have a null character in it.")
        self._lock_timeout = lock_timeout

    def __repr__(self) -> str:
        return f"FileTokenStore({str(self.path)!r})"

    async def load(self) -> Tokens | None:
        """The pair in the file; None if there is no file, or an empty one.

        Raises:
            ConfigurationError: The file cannot be read, holds something else or only a part, or others may read it.
        """
        return await in_thread(lambda: self._told("read", self._load))

    async def save(self, tokens: Tokens) -> None:
        """Keep the pair.

        Raises:
            ConfigurationError: The file cannot be written, or holds something that `load` would refuse.
        """
        await in_thread(lambda: self._told("written", lambda: self._save(tokens)))

    @asynccontextmanager
    async def lock(self) -> AsyncGenerator[None]:
        """Holds the lock inside the block; it ends with the process, however that ends.

        Raises:
            DeadlineExceededError: Others held it for `lock_timeout` seconds.
            ConfigurationError: The lock file cannot be made or locked.
        """
        path = await in_thread(lambda: self._told("locked", self._lock_path))
        async with process_lock(path, timeout=self._lock_timeout):
            yield

    def _load(self) -> Tokens | None:
        content = read_private(path := self.path.resolve())
        return read_text(content, str(path)) if content else None

    def _save(self, tokens: Tokens) -> None:
        self._load()  # what is not ours is not written over
        path = self.path.resolve()
        make_directory(path.parent)
        write_private(path, write_text(tokens))

    def _lock_path(self) -> Path:
        # Beside the file itself, so that those who come by a link share it with those who do not.
        path = self.path.resolve()
        make_directory(path.parent)
        return path.with_name(f"{path.name}.lock")

    def _told(self, what: str, work: Callable[[], T]) -> T:
        try:
            return work()
        except (OSError, RuntimeError) as error:  # a RuntimeError is a circle of symbolic links
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise ConfigurationError(f"The token file {self.path} could not be {what}: {reason}.") from error
