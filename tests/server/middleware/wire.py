"""A client that sends bytes as it likes, over a real socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from tests.server.serving import Running


@dataclass
class Wire:
    """A connection to a server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *pieces: bytes) -> None:
        """Sends pieces one after the other; a server that has hung up is no failure."""
        for piece in pieces:
            self.writer.write(piece)
            try:
                await self.writer.drain()
            except ConnectionError:
                return

    async def head(self) -> tuple[int, dict[str, str]]:
        """The status and the headers of an answer."""
        text = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = text.strip().split("\r\n")
        return int(first.split()[1]), dict(line.lower().split(": ", 1) for line in lines)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """A whole answer that has a length."""
        status, headers = await self.head()
        return status, headers, await self.reader.readexactly(int(headers.get("content-length", "0")))

    async def rest(self) -> bytes:
        """What comes until the server hangs up."""
        return await self.reader.read()


@asynccontextmanager
async def connected(running: Running, at_once: bytes = b"", address: str = "127.0.0.1") -> AsyncGenerator[Wire]:
    """A connection for the block.

    Args:
        running: To what.
        at_once: Is sent before the server can take the connection, so that none of its time has passed then.
        address: Of this machine, from which the connection comes.
    """
    # It runs in this very event loop, which is not let go before the connection waits to be taken with all of this.
    wire = socket.create_connection(("127.0.0.1", running.http.base_url.port or 0), source_address=(address, 0))
    wire.sendall(at_once)
    wire.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=wire)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
