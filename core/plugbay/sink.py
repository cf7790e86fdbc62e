"""Where a file's bytes go, what is known of them on the way, and who is told: words that many modules share."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

from plugbay.errors import ConfigurationError

__all__ = ["Arrived", "Described", "Digest", "Held", "Sink", "Source", "Tell", "check_told"]

Tell: TypeAlias = Callable[[int, int | None], object]
"""Is told the bytes received and the bytes there are in all, None if nobody says so."""


def check_told(tell: object, name: str, of: str) -> None:
    """Refuses what cannot be told of something by being called.

    Args:
        tell: What is to be called.
        name: What the caller knows it as.
        of: What it is called with.

    Raises:
        ConfigurationError: It is no function, or a coroutine function, whose coroutine nobody would await.
    """
    if not callable(tell):
        raise ConfigurationError(f"{name} must be a function of {of}.")
    # An object is as good as its class's __call__, which `inspect` does not look at.
    if inspect.iscoroutinefunction(tell) or inspect.iscoroutinefunction(type(tell).__call__):
        raise ConfigurationError(
            f"{name} is called and not awaited, so it must not be a coroutine function.",
            hint="Write it with def; it may start a task.",
        )


class Digest(Protocol):
    """A hash that is being worked out."""

    def update(self, data: bytes, /) -> object:
        """Takes the next bytes."""
        ...

    def digest(self) -> bytes:
        """The hash of what was taken so far."""
        ...

    def hexdigest(self) -> str:
        """The same in hexadecimal."""
        ...


class Described(NamedTuple):
    """A file as the service's own record of it tells, before any byte has come.

    Attributes:
        identity: What tells the file from others, whatever its address of the day is.
        size: In bytes, if that is known.
        file_name: Its name, if it has one.
        content_type: Its media type, if that is known.
    """

    identity: str
    size: int | None
    file_name: str | None = None
    content_type: str | None = None


class Source(NamedTuple):
    """A file as one answer of a server describes it.

    Attributes:
        validator: What `If-Range` may ask by whether it is still the same file; None if there is no such thing.
        total: Its size in bytes, if that is known.
    """

    validator: str | None
    total: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """The beginning of a file that an earlier attempt left.

    Attributes:
        size: Bytes that are there.
        source: The file they are of.
        digest: The SHA-256 of these bytes, to be gone on with.
    """

    size: int
    source: Source
    digest: Digest


class Arrived(NamedTuple):
    """A file of which all bytes have come.

    Attributes:
        size: In bytes.
        sha256: Of the bytes, in hexadecimal.
        content_type: As the server said it.
        file_name: The name the server gave it, without any path.
    """

    size: int
    sha256: str
    content_type: str | None
    file_name: str | None


class Sink(Protocol):
    """Takes the bytes of one file, in order."""

    async def open(self, file: Described) -> Held | None:
        """Gets ready.

        Args:
            file: What is to come.

        Returns:
            What is there of the file already, if anything.
        """
        ...

    async def begin(self, source: Source) -> bool:
        """The file begins, perhaps anew: what came before is void.

        Returns:
            Whether that was forgotten; False if it was given out and cannot be taken back.
        """
        ...

    async def take(self, piece: bytes) -> None:
        """The next bytes, at most 64 KiB."""
        ...
