"""A lock that processes share by a file: one holder at a time, and none once the holder's process has ended.

The operating system holds it, `flock` on POSIX and `LockFile` on Windows, so that a process that is killed
leaves nothing behind but the empty file, which is never deleted: whoever waits has it open.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from plugbay.auth.waiting import poll
from plugbay.errors import ConfigurationError
from plugbay.finishing import in_thread

__all__ = ["process_lock"]

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def _free(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _take(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _free(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


class _Grip:
    """An open lock file, for as long as it is open."""

    __slots__ = ("_descriptor", "_loop", "path")

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self.path = path
        self._loop = loop
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        self._descriptor = os.open(path, flags, 0o600)
        with _mutex:
            _grips.add(self)

    def take(self) -> bool:
        """Whether nobody else has the lock, and the file was not replaced meanwhile."""
        if not _take(self._descriptor):
            return False
        try:
            return os.path.samestat(os.fstat(self._descriptor), self.path.stat())
        except FileNotFoundError:
            return False

    def lost(self) -> bool:
        """Whether the event loop that should let go has stopped."""
        return not self._loop.is_running()

    def release(self) -> None:
        """Let go of the lock; harmless when called twice."""
        if (descriptor := self._detach()) is not None:
            # Said in so many words, as a process forked off meanwhile may have the file open too.
            _free(descriptor)
            os.close(descriptor)

    def close(self) -> None:
        """Close the file without letting go of a lock that another process has on it."""
        if (descriptor := self._detach()) is not None:
            os.close(descriptor)

    def _detach(self) -> int | None:
        with _mutex:
            descriptor, self._descriptor = self._descriptor, -1
            _grips.discard(self)
        return None if descriptor < 0 else descriptor


# Reentrant, as the garbage collector may end a coroutine that has the lock at any moment.
_mutex = threading.RLock()
_grips: set[_Grip] = set()


@asynccontextmanager
async def process_lock(path: Path, *, timeout: float) -> AsyncGenerator[None]:  # noqa: ASYNC109 - it names the lock
    """Holds the lock inside the block; works from any thread and event loop.

    Args:
        path: The lock file, in a directory that is there; it is made if need be.
        timeout: Seconds to wait for others.

    Raises:
        DeadlineExceededError: Others held it all that time.
        ConfigurationError: The file cannot be opened or locked.
    """
    loop = asyncio.get_running_loop()

    async def attempt() -> _Grip | None:
        return await in_thread(partial(_attempt, path, loop), undo=_undo)

    grip = await poll(attempt, timeout=timeout, what=f"The lock {path}")
    try:
        yield
    finally:
        grip.release()


def _attempt(path: Path, loop: asyncio.AbstractEventLoop) -> _Grip | None:
    _release_lost(path)
    try:
        grip = _Grip(path, loop)
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        if grip.take():
            return grip
    except OSError as error:
        grip.close()
        raise _unusable(path, error) from error
    grip.close()
    return None


def _unusable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"The lock file {path} cannot be used: {error.strerror or type(error).__name__}.")


def _undo(grip: _Grip | None) -> None:
    if grip is not None:
        grip.release()


def _release_lost(path: Path) -> None:
    """A loop of this process that just stopped will never let go; the end of the process would be too late."""
    with _mutex:
        lost = [grip for grip in list(_grips) if grip.path == path and grip.lost()]
    for grip in lost:
        grip.release()


def _after_fork() -> None:
    """The files that a forked process inherits would hold the lock after its parent has died."""
    global _mutex  # noqa: PLW0603 - another thread may have had it at the fork
    _mutex = threading.RLock()
    for grip in list(_grips):
        grip.close()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_after_fork)
