"""A whole file in constant memory, gone on with where a connection broke, and never spliced of two.

A broken transfer is continued by a range (RFC 9110 section 14) under `If-Range` (section 13.1.5), so that a server
whose file has changed sends the new one from its start. Without a strong validator there is nothing to ask by, and
the file is read from its start again.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import TypeVar

import httpx

from plugbay.errors import DeadlineExceededError, ResponseIntegrityError
from plugbay.sink import Arrived, Digest, Held, Sink, Source, Tell
from plugbay.trace import current_trace
from plugbay.transport.body import PARTIAL, PIECE, CutShortError, decoder_of, raw_of
from plugbay.transport.call import Call
from plugbay.transport.deadline import Deadline
from plugbay.transport.failure import cut_short
from plugbay.transport.fetch import NOT_IN_RANGE, file_name_of, size_of
from plugbay.transport.message import Response
from plugbay.transport.retry import RetryPolicy

__all__ = ["Flow", "StreamDeadline", "carry"]

T = TypeVar("T")

logger = logging.getLogger("plugbay.transport")

STRIDE = 2**20
"""Bytes that have the time of one call, and after which progress is told."""

OK = 200

_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(?:(\d{1,18})|\*)")
_STRONG = re.compile(r'"[\x21\x23-\x7e]{0,500}"')


class StreamDeadline(Deadline):
    """The deadline of a stream: each MiB has the time of one call, and a stream that drips ends all the same.

    Args:
        seconds: How long a MiB may take, tries and waits included.
        monotonic: Seconds that never go back.
        whole: How long all of it may take; None for as long as it comes.
    """

    __slots__ = ("_end", "_whole")

    def __init__(self, seconds: float, monotonic: Callable[[], float], *, whole: float | None = None) -> None:
        super().__init__(seconds, monotonic)
        self._whole = whole
        self._end = None if whole is None else monotonic() + whole

    def exceeded(self, attempts: int) -> DeadlineExceededError:
        """The error of a stream that had no time left after so many attempts."""
        if self._whole is not None and self._end is not None and self._end <= self._until:
            told, allowed = "The file did not come", self._whole
        else:
            told, allowed = "No MiB of the file came", self.allowed
        return DeadlineExceededError(
            f"{told} within {allowed:g} seconds.", details={"timeout": allowed, "attempts": attempts}
        )

    def left(self) -> float:
        """The seconds left; zero when there are none."""
        left = super().left()
        return left if self._end is None else min(left, max(0.0, self._end - self._monotonic()))

    def renew(self) -> None:
        """Gives the next MiB its time."""
        self._until = self._monotonic() + self.allowed
        self._reschedule(self.left())

    @contextmanager
    def paused(self) -> Generator[None]:
        """A block whose time does not count: what a reader, or a disk, does with the bytes."""
        began = self._monotonic()
        self._reschedule(None)
        try:
            yield
        finally:
            spent = self._monotonic() - began
            self._until += spent
            if self._end is not None:
                self._end += spent
            self._reschedule(self.left())

    def _reschedule(self, left: float | None) -> None:
        import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

        if self._scope is None:
            return
        now, when = asyncio.get_running_loop().time(), self._scope.when()
        # One that has ended, be it because the transport was closed, must not be brought back to life.
        if when is None or when > now:
            self._scope.reschedule(None if left is None else now + left)


class Flow:
    """Reads the bodies of as many answers as it takes to make up one file.

    Args:
        sink: Where the bytes go.
        headers: Of the requests; in them stands from where the next one asks.
        deadline: Of the stream.
        max_bytes: The most the file may have.
        size: What it must have, if that is known.
        held: The beginning that is there already.
        max_restarts: How often it may begin anew.
        tell: Is told how far it is.

    Attributes:
        position: How many bytes of the file have come.
        is_done: Whether that is all of it.
    """

    def __init__(
        self,
        sink: Sink,
        headers: dict[str, str],
        deadline: StreamDeadline,
        *,
        max_bytes: int,
        size: int | None = None,
        held: Held | None = None,
        max_restarts: int,
        tell: Tell | None = None,
    ) -> None:
        self._sink = sink
        self._headers = headers
        self._deadline = deadline
        self._max_bytes = max_bytes
        self._size = size
        self._restarts_left = max_restarts
        self._tell = tell
        self._source = Source(None, size) if held is None else held.source
        self._digest: Digest = sha256() if held is None else held.digest
        self.position = 0 if held is None else held.size
        self._proof = (0, b"")
        self._unmeasured = 0
        self._kind: str | None = None
        self._name: str | None = None
        self.is_done = False
        self._check_size(self._source.total)
        self._ask()

    async def read(self, response: httpx.Response) -> bytes:
        """Hands the body on; nothing of it is left to return.

        Raises:
            ResponseIntegrityError: It is not the file that was promised, or not the rest of it.
            CutShortError: It broke off before anything had come.
        """
        end = await self._placed(response)
        decoder, start = decoder_of(response), self.position
        try:
            async for raw in raw_of(response):
                for piece in decoder.feed(raw):
                    for at in range(0, len(piece), PIECE):
                        await self._take(piece[at : at + PIECE])
            decoder.finish()
            self._ended(end)
        except (CutShortError, httpx.HTTPError, OSError):
            if self.position == start:
                raise
        finally:
            self._ask()
        return b""

    def out_of_range(self) -> None:
        """The server says that the file ends before the place that was asked for, so it must be another one.

        Raises:
            ResponseIntegrityError: No place was asked for.
        """
        if "range" not in self._headers:
            raise ResponseIntegrityError(
                "The server refused a range that was not asked for.", details={"status": NOT_IN_RANGE}
            )
        self._source = self._source._replace(validator=None)
        self._ask()

    def arrived(self) -> Arrived:
        """What came."""
        self._report()
        return Arrived(self.position, self._digest.hexdigest(), self._kind, self._name)

    def _ask(self) -> None:
        """Notes in the next request's headers what is missing."""
        self._headers.pop("range", None)
        self._headers.pop("if-range", None)
        if self.position and self._source.validator is not None:
            self._headers["range"] = f"bytes={self.position}-"
            self._headers["if-range"] = self._source.validator

    async def _placed(self, response: httpx.Response) -> int | None:
        """Where in the file the body ends, if that is known; the flow is then where it begins."""
        status, headers = response.status_code, response.headers
        self._kind = headers.get("content-type", self._kind)
        self._name = file_name_of(headers.get("content-disposition", "")) or self._name
        if status == OK:
            await self._begin(Source(_validator(headers), size_of(headers)))
            return self._source.total
        if status != PARTIAL or "range" not in self._headers:
            raise ResponseIntegrityError(
                f"The server answered HTTP {status} instead of the file.", details={"status": status}
            )
        start, end, total = _range(headers)
        if start != self.position or total not in (None, self._source.total or total) or self._is_other(headers):
            raise ResponseIntegrityError(
                "The server sent another part of the file than was asked for, or of another file.",
                details={"status": status, "asked": self.position},
            )
        self._check_size(total)
        self._source = self._source._replace(total=total or self._source.total)
        return end

    def _is_other(self, headers: Mapping[str, str]) -> bool:
        """Whether a part says that it is of another file than the bytes before it."""
        known = self._source.validator
        name = "etag" if known is not None and known.startswith('"') else "last-modified"
        return headers.get(name, known) != known

    async def _begin(self, source: Source) -> None:
        """The file begins, for the first time or anew."""
        self._check_size(source.total)
        if self.position:
            self._restarts_left -= 1
            if self._restarts_left < 0:
                raise cut_short(OK).error
        total = self._size if source.total is None else source.total
        source = Source(source.validator, total)
        if not await self._give(self._sink.begin(source)) and self.position >= self._proof[0]:
            # What was given out stays, if the new beginning is the same to the byte.
            self._proof = (self.position, self._digest.digest())
        self._source, self.position, self._digest = source, 0, sha256()

    async def _take(self, piece: bytes) -> None:
        proven = self._proof[0] - self.position
        if 0 < proven < len(piece):
            await self._take(piece[:proven])
            piece, proven = piece[proven:], 0
        end = self.position + len(piece)
        if end > self._max_bytes:
            raise self._too_large()
        if self._source.total is not None and end > self._source.total:
            raise _another_size(self._source.total, f"more than {end - 1}")
        self._digest.update(piece)
        if proven <= 0:
            await self._give(self._sink.take(piece))
        self.position = end
        if end == self._proof[0] and self._digest.digest() != self._proof[1]:
            raise ResponseIntegrityError("The file changed while it was read.", hint="Read it again from its start.")
        self._measure(len(piece))

    def _measure(self, count: int) -> None:
        self._unmeasured += count
        if self._unmeasured >= STRIDE:
            self._unmeasured = 0
            self._deadline.renew()
            self._report()

    def _report(self) -> None:
        if self._tell is None:
            return
        try:
            self._tell(self.position, self._source.total)
        except Exception as error:  # noqa: BLE001 - whose it is, only its caller knows
            raise _SinkError(error) from None

    def _ended(self, end: int | None) -> None:
        """A body came to an end in good order."""
        if end is not None and self.position < end:
            raise CutShortError
        total = self._source.total
        self.is_done = total is None or self.position >= total

    async def _give(self, handling: Awaitable[T]) -> T:
        """What the sink makes of it; its failures are not to be taken for the network's."""
        try:
            with self._deadline.paused():
                return await handling
        except Exception as error:  # noqa: BLE001 - whose it is, only the sink knows
            raise _SinkError(error) from None

    def _check_size(self, total: int | None) -> None:
        if None not in (total, self._size) and total != self._size:
            raise _another_size(self._size, str(total))
        if max(total or 0, self._size or 0) > self._max_bytes:
            raise self._too_large()

    def _too_large(self) -> ResponseIntegrityError:
        return ResponseIntegrityError(
            f"The file is larger than {self._max_bytes} bytes.",
            hint="Allow more with max_bytes.",
            details={"max_bytes": self._max_bytes},
        )


class _SinkError(Exception):
    """Carries what a sink raised past those who would take it for a failure of the network."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


async def carry(flow: Flow, call: Call, follow: Callable[[], Awaitable[Response]], policy: RetryPolicy) -> Arrived:
    """Brings a whole file, by as many requests as it takes while each brings something new.

    Args:
        flow: Takes the bodies.
        call: The call that it is.
        follow: Sends the request, follows where it leads, and tries again what brings nothing.
        policy: How long to wait before going on.

    Raises:
        PlugbayError: It did not come, or not whole.
    """
    link, stalled = call.url, 0
    try:
        while True:
            call.url = link  # what it led to before may have expired
            position = flow.position
            response = await follow()
            if response.status == NOT_IN_RANGE:
                flow.out_of_range()
            elif flow.is_done:
                return flow.arrived()
            stalled = 1 if flow.position > position else stalled + 1
            await _pause(call, policy, stalled, response.status)
    except _SinkError as error:
        failed = error.error
    raise failed


async def _pause(call: Call, policy: RetryPolicy, stalled: int, status: int) -> None:
    wait, trace = policy.wait(stalled), current_trace()
    if not call.deadline.has(wait, told=False):
        raise cut_short(status).error
    why = f"HTTP {status}" if status == NOT_IN_RANGE else "cut short"
    logger.info("%s %s: %s, next try in %.2f s", call.request.method, call.url, why, wait)
    trace.tell("wait", seconds=wait, reason="retry")
    await policy.sleep(wait)
    trace.waited += wait


def _validator(headers: Mapping[str, str]) -> str | None:
    """What may stand in `If-Range`: a strong entity tag, or without any a date that is strong (RFC 9110 8.8.2.2)."""
    if "content-encoding" in headers:
        return None  # a part of an encoded body could not be decoded
    tag = headers.get("etag")
    if tag is not None:
        return tag if _STRONG.fullmatch(tag) else None
    modified = headers.get("last-modified")
    return modified if modified is not None and _is_strong(modified, headers.get("date", "")) else None


def _is_strong(modified: str, date: str) -> bool:
    """Whether a file was changed for the last time at least a second before it was sent."""
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - seldom needed, and slow to import

    try:
        return (parsedate_to_datetime(date) - parsedate_to_datetime(modified)).total_seconds() >= 1
    except (ValueError, TypeError, OverflowError):
        return False


def _range(headers: Mapping[str, str]) -> tuple[int, int, int | None]:
    """The place behind the first and the last byte of a part, and the whole file's size (RFC 9110 section 14.4)."""
    match = _RANGE.fullmatch(headers.get("content-range", ""))
    if match is None:
        return -1, -1, None
    return int(match[1]), int(match[2]) + 1, int(match[3]) if match[3] else None


def _another_size(promised: int | None, came: str) -> ResponseIntegrityError:
    return ResponseIntegrityError(
        f"The file has not the size that was promised: {came} bytes instead of {promised}.",
        details={"size": promised},
    )
