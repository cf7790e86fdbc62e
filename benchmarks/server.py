"""A service on loopback that costs next to nothing: fixed bytes, written by hand.

Run as a script it prints its root URL and serves until its standard input is closed.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from payloads import HEADERS, ONE, PAGE, packed

__all__ = ["FILE_BYTES", "FILE_ID", "serving"]

FILE_ID = 7
FILE_BYTES = 300 * 10**6
PIECE = bytes(range(256)) * 256
HIGH_WATER = 2**20

_RANGE = re.compile(rb"\r\nrange: bytes=(\d+)-(\d*)", re.IGNORECASE)


@contextmanager
def serving() -> Generator[str]:
    """The root of a server in a process of its own."""
    with subprocess.Popen([sys.executable, Path(__file__)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield process.stdout.readline().decode().strip()
        process.communicate()  # closes its input, at which it ends


class _Connection(asyncio.Protocol):
    """Answers one request after another; requests have no bodies."""

    def __init__(self, answers: dict[bytes, bytes]) -> None:
        self._answers = answers
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self._sending: asyncio.Task[None] | None = None
        self._may_write = asyncio.Event()
        self._may_write.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=HIGH_WATER)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's
        self._transport = None
        self._may_write.set()

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head, self._received = self._received[:end], self._received[end + 4 :]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        assert self._transport is not None
        path = head.split(b" ", 2)[1].partition(b"?")[0]
        if path == b"/file":
            self._sending = asyncio.ensure_future(self._send_file(head))
        else:
            self._transport.write(self._answers[path])

    async def _send_file(self, head: bytes) -> None:
        found = _RANGE.search(head)
        first = int(found[1]) if found else 0
        last = min(int(found[2]) if found and found[2] else FILE_BYTES, FILE_BYTES - 1)
        headers = {"content-type": "application/octet-stream", "accept-ranges": "bytes", "etag": '"fixed"'}
        if found:
            headers["content-range"] = f"bytes {first}-{last}/{FILE_BYTES}"
        self._write(_head("206 Partial Content" if found else "200 OK", headers, last + 1 - first))
        at = first
        while at <= last and self._transport is not None:
            start = at % len(PIECE)
            piece = PIECE[start : start + last + 1 - at]
            self._write(piece)
            at += len(piece)
            await self._may_write.wait()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


def _head(status: str, headers: dict[str, str], length: int) -> bytes:
    lines = [
        f"HTTP/1.1 {status}",
        *(f"{name}: {value}" for name, value in headers.items()),
        f"content-length: {length}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def _whole(body: bytes) -> bytes:
    body = packed(body)
    return _head("200 OK", {**HEADERS, "content-encoding": "gzip"}, len(body)) + body


def _attachment(root: str) -> bytes:
    described = {"id": FILE_ID, "file_name": "big.bin", "content_type": "application/octet-stream", "size": FILE_BYTES}
    return json.dumps({"attachment": {**described, "content_url": f"{root}/file", "inline": False}}).encode()


async def _main() -> None:
    answers = {b"/api/v2/tickets/1": _whole(ONE), b"/api/v2/tickets": _whole(PAGE)}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(answers), "127.0.0.1", 0)
    root = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    answers[f"/api/v2/attachments/{FILE_ID}".encode()] = _whole(_attachment(root))
    print(root, flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_main())
