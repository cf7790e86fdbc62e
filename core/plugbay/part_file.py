"""A file on its way to a path: under another name until it is whole, so that nobody finds half a file.

`report.pdf` grows as `.report.pdf.part`, which only its owner may read, beside `.report.pdf.part.json`, which says
what file it is the beginning of. Both outlive a process that was killed, and the next one goes on from them. A name
that leaves no room for the rest is replaced by a hash there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from plugbay.disk import sync_directory
from plugbay.errors import ConflictError, InvalidParameterError, PlugbayError
from plugbay.finishing import in_thread
from plugbay.json_safe import is_object
from plugbay.sink import Described, Digest, Held, Source

__all__ = ["PartFile", "target_of"]

T = TypeVar("T")

CHUNK = 2**20
"""Bytes that are written at once, which is the memory that a file takes."""

LARGEST_NOTE = 4_096
LONGEST_NAME = 255
"""In bytes, on the file systems that most people have."""

OWNERS_ALONE = 0o600
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_NO_WAITING = getattr(os, "O_NONBLOCK", 0)
"""A named pipe would be waited for."""
_VALIDATOR = re.compile(r"[\x20-\x7e]{1,600}")

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        # Behind all content, which a lock would keep others from reading.
        os.lseek(descriptor, 2**62, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def target_of(path: str | os.PathLike[str], *, overwrite: bool) -> Path:
    """The path as one that a file can be written to.

    Args:
        path: Where the file is to be.
        overwrite: Whether it may replace another.

    Raises:
        InvalidParameterError: It is a directory, in none that is there, in use, or no name that a file can have.
    """
    try:
        if "\0" in os.fspath(path):
            raise InvalidParameterError("The path cannot be written to: there is a null character in it.")
        target = Path(path).absolute()
        if target.is_dir():
            raise InvalidParameterError(f"{path} is a directory.", hint="Name a file in it.")
        if not target.parent.is_dir():
            raise InvalidParameterError(f"There is no directory {target.parent}.", hint="Make it first.")
        if _is_there(target) and not overwrite:
            raise _in_use(target)
    except (TypeError, ValueError, OSError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        raise InvalidParameterError(f"The path cannot be written to ({reason}).") from None
    return target


class PartFile:
    """A sink that writes to a path, on threads.

    Args:
        target: Where the file is to be, as `target_of` gives it.
        overwrite: Whether it may replace another.
        resume: Whether to go on with what an earlier attempt left.
    """

    def __init__(self, target: Path, *, overwrite: bool, resume: bool) -> None:
        self._target = target
        self._part, self._note = _on_the_way(target)
        self._overwrite = overwrite
        self._resume = resume
        self._identity = ""
        self._source = Source(None, None)
        self._descriptor = -1
        self._buffer = bytearray()
        self._written = 0

    async def open(self, file: Described) -> Held | None:
        """Opens the file under its other name.

        Raises:
            ConflictError: Another download writes to it just now.
            PlugbayError: It cannot be opened.
        """
        self._identity = file.identity
        return await self._work(self._open, file.size)

    async def begin(self, source: Source) -> bool:
        """Empties the file and notes of what it is to be the beginning."""
        self._buffer.clear()
        await self._work(self._begin, source)
        return True

    async def take(self, piece: bytes) -> None:
        """Writes, when enough has come together."""
        self._buffer += piece
        if len(self._buffer) >= CHUNK:
            await self._work(self._flush)

    async def finish(self) -> None:
        """Gives the file its name, once all of it is on the disk.

        Raises:
            InvalidParameterError: There is another file by now.
        """
        await self._work(self._finish)

    async def abandon(self, *, keep: bool) -> None:
        """Lets go of the file, and deletes it unless it is to be kept and can be gone on with."""
        await in_thread(partial(self._abandon, keep))

    def close(self) -> None:
        """Lets go of the file as it is; harmless when called twice."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    async def _work(self, function: Callable[..., T], *values: Any) -> T:
        try:
            return await in_thread(partial(function, *values))
        except OSError as error:
            reason, number = error.strerror or type(error).__name__, error.errno
        raise PlugbayError(
            f"{self._target} could not be written: {reason}.", details={"path": str(self._target), "errno": number}
        )

    def _open(self, size: int | None) -> Held | None:
        while self._descriptor < 0:
            self._descriptor = self._opened()
        if _NO_WAITING:
            os.set_blocking(self._descriptor, True)
        held = self._held(size) if self._resume else None
        self._written = 0 if held is None else held.size
        self._source = Source(None, None) if held is None else held.source
        os.ftruncate(self._descriptor, self._written)
        os.lseek(self._descriptor, 0, os.SEEK_END)
        return held

    def _opened(self) -> int:
        """The file, locked; -1 if it was not the right one, which is gone now."""
        descriptor = os.open(self._part, _FLAGS | _NO_WAITING, OWNERS_ALONE)
        try:
            _lock(descriptor)
            status = os.fstat(descriptor)
            # Whoever had the lock before may have given the file its name.
            is_same = os.path.lexists(self._part) and os.path.samestat(status, self._part.lstat())
            if is_same and _is_ours(status):
                return descriptor
            if is_same:
                self._part.unlink()
        except (BlockingIOError, PermissionError):
            os.close(descriptor)
            raise ConflictError(
                f"Another download to {self._target} is under way.", hint="Wait for it, or name another file."
            ) from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return -1

    def _held(self, size: int | None) -> Held | None:
        """What is there of the file already, if it is known to be of this one."""
        there = os.fstat(self._descriptor).st_size
        source = self._noted() if there else None
        if source is None or (size is not None and source.total != size):
            return None
        # The last byte is asked for again where nothing is missing, to hear that it is still the same file.
        length = there if source.total is None else min(there, source.total - 1)
        return Held(length, source, self._digest(length)) if length > 0 else None

    def _noted(self) -> Source | None:
        try:
            with self._note.open("rb") as file:
                note: Any = json.loads(file.read(LARGEST_NOTE))
        except (OSError, ValueError, RecursionError):
            return None
        if not is_object(note) or note.get("of") != self._identity:
            return None
        validator, total = note.get("validator"), note.get("total")
        is_text = isinstance(validator, str) and _VALIDATOR.fullmatch(validator) is not None
        is_size = total is None or (type(total) is int and total > 0)
        return Source(validator, total) if is_text and is_size else None

    def _digest(self, length: int) -> Digest:
        digest = hashlib.sha256()
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        while length > 0 and (piece := os.read(self._descriptor, min(length, CHUNK))):
            digest.update(piece)
            length -= len(piece)
        return digest

    def _begin(self, source: Source) -> None:
        # The note last: what it says must never be said of other bytes.
        self._forget()
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        self._written, self._source = 0, source
        if self._resume and source.validator is not None:
            note = {"of": self._identity, "validator": source.validator, "total": source.total}
            descriptor = os.open(self._note, _FLAGS | os.O_EXCL, OWNERS_ALONE)
            with os.fdopen(descriptor, "w") as file:
                json.dump(note, file)

    def _flush(self) -> None:
        rest = memoryview(bytes(self._buffer))
        self._buffer.clear()
        while rest:
            count = os.write(self._descriptor, rest)
            self._written += count
            rest = rest[count:]

    def _finish(self) -> None:
        self._flush()
        os.fsync(self._descriptor)
        if sys.platform == "win32":  # which does not rename what is open
            self.close()
        self._name()
        self._forget()
        self.close()
        sync_directory(self._target.parent)

    def _name(self) -> None:
        if self._overwrite:
            self._part.replace(self._target)
            return
        try:
            self._target.hardlink_to(self._part)  # unlike renaming, it never replaces
        except FileExistsError:
            raise _in_use(self._target) from None
        except OSError:  # not every file system has links
            if os.path.lexists(self._target):
                raise _in_use(self._target) from None
            self._part.replace(self._target)
        else:
            self._part.unlink()

    def _abandon(self, keep: bool) -> None:
        if self._descriptor < 0:  # it was never ours
            return
        with contextlib.suppress(OSError):
            if keep and self._resume and self._source.validator is not None:
                self._flush()
                os.fsync(self._descriptor)
            if not keep or not self._resume or self._source.validator is None or self._written == 0:
                self._forget()
                if sys.platform == "win32":  # which does not delete what is open
                    self.close()
                self._part.unlink()
        self.close()

    def _forget(self) -> None:
        self._note.unlink(missing_ok=True)


def _is_there(target: Path) -> bool:
    """Whether something has the name already; raises if nothing ever could."""
    try:
        target.lstat()
    except FileNotFoundError:
        return False
    return True


def _on_the_way(target: Path) -> tuple[Path, Path]:
    """The part and its note."""
    part = f".{target.name}.part"
    if len(os.fsencode(f"{part}.json")) > LONGEST_NAME:
        part = f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()}.part"
    return target.with_name(part), target.with_name(f"{part}.json")


def _is_ours(status: os.stat_result) -> bool:
    """Whether a file was made by us, rather than put there by somebody whose directory it is as well."""
    if sys.platform == "win32":
        return stat.S_ISREG(status.st_mode)
    mode = stat.S_IMODE(status.st_mode)
    is_own = status.st_uid == os.geteuid() and status.st_nlink == 1 and not mode & 0o077
    return is_own and stat.S_ISREG(status.st_mode)


def _in_use(target: Path) -> InvalidParameterError:
    return InvalidParameterError(f"{target} is there already.", hint="Pass overwrite=True to replace it.")
