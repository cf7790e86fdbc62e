"""Files that only their owner can read, and that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import sys
import time
from pathlib import Path

from pydantic import SecretBytes, SecretStr

from plugbay.disk import sync_directory
from plugbay.errors import ConfigurationError

__all__ = ["make_directory", "read_private", "write_private"]

MAX_BYTES = 2**20
"""More is no file of tokens or keys."""

LEFTOVER_SECONDS = 3600.0
"""Age at which a temporary file can only be that of a process that was killed."""

_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def make_directory(directory: Path) -> None:
    """Makes a directory, for its owner alone, and those above it, unless they are there.

    Raises:
        OSError: It cannot be made.
    """
    if directory.is_dir():
        return
    make_directory(directory.parent)
    directory.mkdir(0o700, exist_ok=True)
    sync_directory(directory.parent)


def read_private(path: Path, *, what: str = "tokens", remedy: str = "authorize again") -> SecretBytes | None:
    """What is in the file; None if there is none.

    Args:
        path: The file.
        what: What is kept in it, for the messages.
        remedy: What to do if somebody may have read it.

    Raises:
        ConfigurationError: Others may read it, it is too long, or it is no file at all.
        OSError: It cannot be read.
    """
    try:
        # A named pipe without a writer would be waited for.
        descriptor = os.open(path, os.O_RDONLY | _FLAGS | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None
    try:
        _check(path, os.fstat(descriptor), what, remedy)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = SecretBytes(file.read(MAX_BYTES + 1))
    finally:
        os.close(descriptor)
    if len(content) > MAX_BYTES:
        raise ConfigurationError(f"{path} is too long for a file of {what}.", hint="Name another file.")
    return content


def _check(path: Path, status: os.stat_result, what: str, remedy: str) -> None:
    """Refuses what is no file, and what others may read: a secret that they have read is theirs too."""
    if not stat.S_ISREG(status.st_mode):
        raise ConfigurationError(f"{path} is not a file.", hint=f"Name a file for the {what}.")
    mode = stat.S_IMODE(status.st_mode)
    if sys.platform != "win32" and mode & 0o077:
        raise ConfigurationError(
            f"{path} is for {what}, and its mode {mode:04o} lets others at it.",
            hint=f"If nobody has read it: chmod 600 '{path}'. If somebody may have, {remedy}.",
        )


def write_private(path: Path, content: SecretStr) -> None:
    """Replaces the file by one with this content, in one step that a crash does not halve.

    Raises:
        OSError: It cannot be written; the old file is as it was.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.get_secret_value().encode())
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_directory(path.parent)
    _remove_leftovers(path)


def _remove_leftovers(path: Path) -> None:
    """What processes left that were killed while they wrote: it holds tokens too."""
    oldest = time.time() - LEFTOVER_SECONDS
    with contextlib.suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if entry.name.startswith(f".{path.name}.") and entry.name.endswith(".tmp"):
                with contextlib.suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_mtime < oldest:
                        Path(entry.path).unlink()
