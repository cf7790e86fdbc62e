"""A host of metadata documents on loopback, which counts who comes."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, suppress

from .office import REDIRECT


class Host:
    """Answers every request with the same.

    Attributes:
        url: The address of the document.
        asked: How often somebody came.
        raw: The whole answer, as bytes on the wire; None for `document` as JSON.
        document: What it says.
    """

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}/client.json"
        self.asked = 0
        self.raw = None
        self.headers = "Content-Type: application/json\r\n"
        self.document = {
            "client_id": self.url,
            "client_name": "Document client",
            "redirect_uris": [REDIRECT],
            "token_endpoint_auth_method": "none",
        }

    def answer(self):
        """The bytes of the answer."""
        if self.raw is not None:
            return self.raw
        body = json.dumps(self.document).encode()
        head = f"HTTP/1.1 200 OK\r\n{self.headers}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        return head.encode() + body


@asynccontextmanager
async def hosting():
    """A host for the block."""
    host, serving = None, []

    async def serve(reader, writer):
        serving.append(asyncio.current_task())
        await reader.readuntil(b"\r\n\r\n")
        host.asked += 1
        writer.write(host.answer())
        await writer.drain()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        host = Host(server.sockets[0].getsockname()[1])
        yield host
        await asyncio.gather(*serving)
