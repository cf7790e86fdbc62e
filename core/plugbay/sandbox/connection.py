"""The connection beneath a request, for what no HTTP answer can express."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any, cast

from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

_EXTENSION = "plugbay.connection"
_GRACE = 0.05


class Connection(H11Protocol):
    """A connection that hands itself to the application with every request; see `of`.

    `lost` is set once the other side is gone, or the server has ended the connection.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.lost = asyncio.Event()
        application = self.app

        async def introduced(scope: Scope, receive: Receive, send: Send) -> None:
            scope["extensions"] = {**scope.get("extensions", {}), _EXTENSION: self}
            await application(cast("Any", scope), cast("Any", receive), cast("Any", send))

        self.app = cast("Any", introduced)

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone."""
        super().connection_lost(exc)
        self.lost.set()

    def shutdown(self) -> None:
        """The server stops: whoever still waits for an answer after a moment gets none."""
        super().shutdown()
        self.loop.call_later(_GRACE, self.transport.abort)

    async def pause(self, seconds: float) -> bool:
        """Wait, and say whether the other side is still there; it ends early when not."""
        self.flow.resume_reading()  # a paused transport would not notice the other side leaving
        try:
            async with asyncio.timeout(seconds):
                await self.lost.wait()
        except TimeoutError:
            return True
        return False

    async def gone(self) -> None:
        """Wait until the connection has ended."""
        self.flow.resume_reading()
        await self.lost.wait()

    async def reset(self) -> None:
        """End it at once with a RST: what closing does to a socket that must not linger (socket(7), SO_LINGER)."""
        bound = cast("socket.socket", self.transport.get_extra_info("socket"))
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
        await self.gone()

    async def close(self) -> None:
        """End it with a FIN, once everything written has been sent."""
        self.transport.close()
        await self.gone()

    async def write(self, data: bytes) -> bool:
        """Send raw bytes past HTTP, and say whether the other side is still there."""
        await self.flow.drain()
        if not self.lost.is_set():
            self.transport.write(data)
        await asyncio.sleep(0)
        return not self.lost.is_set()


def of(scope: Scope) -> Connection:
    """The connection that a request came by."""
    return cast("Connection", scope["extensions"][_EXTENSION])
