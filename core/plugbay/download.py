"""A file of a service that is not read yet: a window of it, all of it to a path, or piece by piece."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from functools import partial
from types import UnionType
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar, get_args

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema
from typing_extensions import TypedDict

from plugbay.errors import InvalidParameterError, ResponseIntegrityError
from plugbay.finishing import in_thread, outlast
from plugbay.sink import Described, Held, Sink, Source, Tell, check_told

if TYPE_CHECKING:
    import asyncio

__all__ = ["LARGEST", "Download", "SavedFile", "Stream", "Streamed"]

T = TypeVar("T")

LARGEST = 2**30
"""The most bytes of a file that are taken when the caller does not say."""


class Streamed(TypedDict):
    """A file of which all bytes have come."""

    file_name: str | None
    content_type: str | None
    size: int
    sha256: str


class SavedFile(Streamed):
    """A file that was written to a path."""

    path: str


class Stream(Protocol):
    """Brings the whole file to a sink."""

    async def __call__(
        self,
        sink: Sink,
        *,
        max_bytes: int,
        timeout: float | None,  # noqa: ASYNC109 - it also covers what is no part of a block
        tell: Tell | None,
    ) -> Streamed:
        """What came."""
        ...


Work: TypeAlias = Callable[[Stream], Awaitable[Mapping[str, Any]]]


class Download(Generic[T]):
    """A file that is not read yet.

    `part = await zd.attachments.download(1)` reads a window of it as JSON, which is what a model gets.
    `await zd.attachments.download(1).to("report.pdf")` writes all of it to a path.
    `async for piece in zd.attachments.download(1).pieces()` gives all its bytes. Both take the memory of a few MiB,
    whatever the file's size, and go on where a connection broke.

    Args:
        read: Reads the window.
        run: Does a piece of work with the whole file as one call of the action.
        is_part: Whether a window was asked for.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[T]],
        run: Callable[[Work], Awaitable[Any]],
        *,
        is_part: bool,
    ) -> None:
        self._read = read
        self._run = run
        self._is_part = is_part

    def __await__(self) -> Generator[Any, Any, T]:
        return self._read().__await__()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler(get_args(source)[0])  # what it is to a model

    async def to(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        max_bytes: int = LARGEST,
        resume: bool = True,
        timeout: float | None = None,  # noqa: ASYNC109 - it leaves out the time that the disk takes
        progress: Tell | None = None,
    ) -> SavedFile:
        """Writes the whole file to a path, which it has only once it is whole; its owner alone may read it.

        Until then it is `.name.part` in the same directory, with a hash for a name that leaves no room for the rest.
        That is kept when the download fails in its midst, for the next one to go on from if the service's file is still
        the same.

        Args:
            path: Where the file is to be, in a directory that is there.
            overwrite: Whether it may replace another file.
            max_bytes: The most it may have.
            resume: Whether to go on with what an earlier download left, and to leave something to go on with.
            timeout: The most all of it may take, in seconds. Without it the file may take as long as each MiB comes
                within the time of one call.
            progress: Is told the bytes received and the bytes in all, or None if nobody knows, after each MiB and at
                the end. It must not block; what it raises ends the download.

        Raises:
            InvalidParameterError: The path is a directory, in use, or none that can be written to; a setting makes no
                sense; or `download` was asked for a window.
            ConfigurationError: `progress` is no function, or a coroutine function.
            ConflictError: Another download to the same path is under way.
            ResponseIntegrityError: It is too large, not of the size that was promised, or changed meanwhile.
            PlugbayError: It cannot be written, or any other failure.
        """
        from plugbay.part_file import PartFile, target_of  # noqa: PLC0415 - most programs write no files

        self._check(max_bytes, timeout)
        if progress is not None:
            check_told(progress, "progress", "the bytes received and the bytes in all")
        target = await in_thread(partial(target_of, path, overwrite=overwrite))
        part = PartFile(target, overwrite=overwrite, resume=resume)

        async def save(stream: Stream) -> Mapping[str, Any]:
            came = await stream(part, max_bytes=max_bytes, timeout=timeout, tell=progress)
            await part.finish()
            return SavedFile(path=str(target), **came)

        try:
            saved: SavedFile = await self._run(save)
        except GeneratorExit:  # the loop is gone, and nothing can be waited for
            raise
        except BaseException as error:
            await part.abandon(keep=not isinstance(error, ResponseIntegrityError) or error.retryable)
            raise
        finally:
            part.close()
        return saved

    async def into(
        self,
        sink: Sink,
        *,
        max_bytes: int = LARGEST,
        timeout: float | None = None,  # noqa: ASYNC109 - it leaves out the time that the sink takes
    ) -> Streamed:
        """Brings the whole file to a sink of the caller's own, which says what it has of it already.

        Args:
            sink: Where the bytes go.
            max_bytes: The most the file may have.
            timeout: The most all of it may take, in seconds. Without it the file may take as long as each MiB comes
                within the time of one call.

        Raises:
            InvalidParameterError: A setting makes no sense, or `download` was asked for a window.
            ResponseIntegrityError: It is too large, not of the size that was promised, or changed meanwhile.
            PlugbayError: Any other failure. What the sink raises is raised as it is.
        """
        self._check(max_bytes, timeout)

        async def bring(stream: Stream) -> Streamed:
            return await stream(sink, max_bytes=max_bytes, timeout=timeout, tell=None)

        came: Streamed = await self._run(bring)
        return came

    async def pieces(
        self,
        *,
        max_bytes: int = LARGEST,
        timeout: float | None = None,  # noqa: ASYNC109 - it leaves out the time between two pieces
    ) -> AsyncGenerator[bytes]:
        """The bytes of the whole file, in pieces of at most 64 KiB.

        The time between two pieces is the caller's own and does not count. A loop that may be left early is best
        written with `contextlib.aclosing`, which lets go of the connection at once.

        Args:
            max_bytes: The most the file may have.
            timeout: The most all of it may take, in seconds. Without it the file may take as long as each MiB comes
                within the time of one call.

        Raises:
            InvalidParameterError: A setting makes no sense, or `download` was asked for a window.
            ResponseIntegrityError: It is too large, not of the size that was promised, or changed meanwhile; what was
                given before is then not to be used.
            PlugbayError: Any other failure.
        """
        import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

        self._check(max_bytes, timeout)
        handover = _Handover()

        async def hand_over(stream: Stream) -> Mapping[str, Any]:
            return await stream(handover, max_bytes=max_bytes, timeout=timeout, tell=None)

        # A task of its own: a timer in a generator would go off in whatever its caller does meanwhile.
        task = asyncio.ensure_future(self._run(hand_over))
        task.add_done_callback(handover.end)
        try:
            while piece := await handover.next():
                yield piece
            await task
        finally:
            task.cancel()
            await outlast(task)

    def _check(self, max_bytes: int, timeout: float | None) -> None:
        if self._is_part:
            raise InvalidParameterError(
                "offset and max_bytes of download() choose a window, and here the whole file is meant.",
                hint="Leave them out.",
            )
        if not _is_number(max_bytes, int) or max_bytes < 1:
            raise InvalidParameterError("max_bytes must be a positive whole number.")
        if timeout is not None and not (_is_number(timeout, int | float) and timeout > 0):
            raise InvalidParameterError("timeout must be a positive number of seconds, or None.")


def _is_number(value: object, kind: type | UnionType) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


class _Handover:
    """A sink that holds one piece until it is taken."""

    def __init__(self) -> None:
        import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

        self._room = asyncio.Semaphore(1)
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self._has_given = False

    async def open(self, file: Described) -> Held | None:  # noqa: ARG002 - the protocol's
        return None

    async def begin(self, source: Source) -> bool:  # noqa: ARG002 - the protocol's
        return not self._has_given

    async def take(self, piece: bytes) -> None:
        await self._room.acquire()
        self._has_given = True
        self._pieces.put_nowait(piece)

    async def next(self) -> bytes:
        """The next piece; empty at the end."""
        piece = await self._pieces.get()
        self._room.release()
        return piece

    def end(self, _: asyncio.Future[Any]) -> None:
        self._pieces.put_nowait(b"")
