"""Reading a body within a cap on its decoded size.

The HTTP library's own decoder is not used: it inflates each piece that arrives in one go, and a
piece of 64 KiB can hold 64 MiB.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Protocol, cast

import httpx

from plugbay.errors import ResponseIntegrityError

__all__ = [
    "PARTIAL",
    "PIECE",
    "BodyReader",
    "CutShortError",
    "Decoder",
    "Whole",
    "Window",
    "decoder_of",
    "raw_of",
    "read_error_body",
]

PIECE = 65_536
"""The most that is decoded at a time, in bytes."""

ERROR_BYTES = 65_536
"""The most that is read of an error's body, in bytes."""

PARTIAL = 206


class CutShortError(Exception):
    """A body that ended before its end."""


class BodyReader(Protocol):
    """How much of a successful answer's body to read."""

    async def read(self, response: httpx.Response) -> bytes:
        """The decoded body, or the part of it that is wanted."""
        ...


class Whole:
    """All of the body, up to a cap.

    Args:
        max_bytes: The most it may be, decoded.
    """

    __slots__ = ("_max_bytes",)

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes

    async def read(self, response: httpx.Response) -> bytes:
        """The decoded body.

        Raises:
            ResponseIntegrityError: It is longer than the cap, or its encoding is broken or unknown.
            CutShortError: It ended early.
        """
        decoder = decoder_of(response)
        pieces: list[bytes] = []
        room = self._max_bytes
        async for raw in raw_of(response):
            for piece in decoder.feed(raw):
                room -= len(piece)
                if room < 0:
                    raise ResponseIntegrityError(
                        f"The answer is larger than {self._max_bytes} bytes.",
                        hint="Ask for less: a smaller page, fewer fields, or a narrower filter.",
                        details={"status": response.status_code, "max_bytes": self._max_bytes},
                    )
                pieces.append(piece)
        decoder.finish()
        return b"".join(pieces)


class Window:
    """A part of the body, read without keeping what comes before it and without reading what comes after it.

    Args:
        offset: Where the part begins, in bytes of the whole file.
        max_bytes: The most to read.
    """

    __slots__ = ("_max_bytes", "_offset")

    def __init__(self, offset: int, max_bytes: int) -> None:
        self._offset = offset
        self._max_bytes = max_bytes

    async def read(self, response: httpx.Response) -> bytes:
        """The part that is wanted, whether or not the server honoured the range it was asked for.

        Raises:
            ResponseIntegrityError: The server sent a later part, or its encoding is broken or unknown.
            CutShortError: It ended early.
        """
        decoder = decoder_of(response)
        skip = self._offset - _start(response, self._offset)
        data = bytearray()
        async for raw in raw_of(response):
            for piece in decoder.feed(raw):
                if len(data) == self._max_bytes:
                    return bytes(data)
                data += piece[skip : skip + self._max_bytes - len(data)]
                skip = max(0, skip - len(piece))
            # A part that was asked for ends by itself, and leaves the connection fit for use.
            if len(data) == self._max_bytes and response.status_code != PARTIAL:
                return bytes(data)
        decoder.finish()
        return bytes(data)


async def read_error_body(response: httpx.Response) -> bytes:
    """The beginning of an error's body: as much as came, was readable and is wanted."""
    data = bytearray()
    try:
        decoder = decoder_of(response)
        async for raw in raw_of(response):
            for piece in decoder.feed(raw):
                data += piece[: ERROR_BYTES - len(data)]
                if len(data) == ERROR_BYTES:
                    return bytes(data)
    except (httpx.TransportError, ResponseIntegrityError):
        pass  # the status says what went wrong; the body only adds to it
    return bytes(data)


class Decoder(Protocol):
    """Undoes a body's encoding."""

    def feed(self, raw: bytes) -> Iterator[bytes]:
        """What the next bytes of the wire decode to, in pieces.

        Raises:
            ResponseIntegrityError: They are not what the encoding says.
        """
        ...

    def finish(self) -> None:
        """The end of the body.

        Raises:
            CutShortError: It is not where the encoding ends.
        """
        ...


class _Plain:
    """A body that is not encoded."""

    def feed(self, raw: bytes) -> Iterator[bytes]:
        yield raw

    def finish(self) -> None:
        pass


class _Inflating:
    """A gzip or deflate body, decoded piece by piece (RFC 1952, RFC 1950, RFC 1951)."""

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16 if gzip else zlib.MAX_WBITS)
        self._started = False

    def feed(self, raw: bytes) -> Iterator[bytes]:
        while raw:
            if self._inflate.eof:
                # Zeros may fill up a block behind a member, as gzip(1) has it.
                raw = raw.lstrip(b"\0") if self._gzip else b""
                if not raw:
                    return
                self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)  # a gzip file may have several members
            while piece := self._decode(raw):
                yield piece
                raw = self._inflate.unconsumed_tail
            raw = self._inflate.unused_data

    def finish(self) -> None:
        if self._started and not self._inflate.eof:
            raise CutShortError

    def _decode(self, raw: bytes) -> bytes:
        first, self._started = not self._started, True
        try:
            return self._inflate.decompress(raw, PIECE)
        except zlib.error:
            if not first or self._gzip:
                raise ResponseIntegrityError("The answer's compression is broken.") from None
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)  # many servers mean raw deflate
        return self._decode(raw)


def decoder_of(response: httpx.Response) -> Decoder:
    """What undoes the encoding of the answer's body.

    Raises:
        ResponseIntegrityError: It is one that was not asked for.
    """
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return _Plain()
    if encoding in ("gzip", "x-gzip", "deflate") and response.status_code != PARTIAL:
        return _Inflating(gzip=encoding != "deflate")
    raise ResponseIntegrityError(
        "The answer is encoded in a way that was not asked for.",
        details={"status": response.status_code, "content_encoding": encoding[:50]},
    )


def raw_of(response: httpx.Response) -> httpx.AsyncByteStream:
    """The body as it is on the wire."""
    return cast("httpx.AsyncByteStream", response.stream)


def _start(response: httpx.Response, wanted: int) -> int:
    """The file's byte at which the body begins (RFC 9110 section 14.4)."""
    if response.status_code != PARTIAL:
        return 0
    match = re.match(r"bytes (\d{1,18})-", response.headers.get("content-range", ""))
    if match and int(match[1]) <= wanted:
        return int(match[1])
    raise ResponseIntegrityError(
        "The server sent another part of the file than was asked for.", details={"status": PARTIAL}
    )
