"""Defects that are planted on purpose, to see that a run finds them."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import weakref
from collections.abc import Callable
from typing import Any

import httpx

__all__ = ["PLANTS"]

CREATED = "/api/v2/tickets"
MADE_UP = 987_654
LATE_SECONDS = 90.0


class _Through(httpx.AsyncBaseTransport):
    """Sends as the library would, with a pool of connections for each event loop."""

    def __init__(self) -> None:
        self._pools: weakref.WeakKeyDictionary[Any, httpx.AsyncHTTPTransport] = weakref.WeakKeyDictionary()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends a request."""
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop) or self._pools.setdefault(loop, httpx.AsyncHTTPTransport())
        return await pool.handle_async_request(request)

    async def aclose(self) -> None:
        """Closes the running loop's pool."""
        pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            await pool.aclose()


def _creates(request: httpx.Request) -> bool:
    return request.method == "POST" and request.url.raw_path.decode() == CREATED


class _Twice(_Through):
    """Sends a creation twice, the first time without its key."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if _creates(request):
            headers = [(name, value) for name, value in request.headers.items() if name != "idempotency-key"]
            first = httpx.Request("POST", httpx.URL(request.url), headers=headers, content=request.content)
            first.extensions = request.extensions
            answer = await super().handle_async_request(first)
            await answer.aread()
            await answer.aclose()
        return await super().handle_async_request(request)


class _Lie(_Through):
    """Makes a success of a creation that was not sent."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._count += _creates(request)
        if not _creates(request) or self._count % 3:
            return await super().handle_async_request(request)
        subject = json.loads(request.content)["ticket"]["subject"]
        return httpx.Response(201, json={"ticket": {"id": MADE_UP, "subject": subject}})


class _Sure(_Through):
    """Says of a write whose answer was lost that it was never sent."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super().handle_async_request(request)
        except (httpx.ReadError, httpx.RemoteProtocolError):
            if request.method == "GET":
                raise
            raise httpx.ConnectError("never sent") from None


class _Late(_Through):
    """Does not end when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._count += 1
        if self._count % 8 == 0:
            end = asyncio.get_running_loop().time() + LATE_SECONDS
            while (left := end - asyncio.get_running_loop().time()) > 0:
                try:
                    await asyncio.sleep(left)
                except asyncio.CancelledError:
                    continue
        return await super().handle_async_request(request)


class _Leak(_Through):
    """Leaves a socket open."""

    def __init__(self) -> None:
        super().__init__()
        self._left: list[socket.socket] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self._left:
            self._left.append(socket.socket())
        return await super().handle_async_request(request)


class _Tell(_Through):
    """Writes the credentials into the log."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        logging.getLogger("plugbay.transport").debug("sent %s", request.headers.get("authorization"))
        return await super().handle_async_request(request)


class _Unnamed(_Through):
    """Fails with an exception that is none of the library's."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._count += 1
        if self._count % 8 == 0:
            raise KeyError("unexpected")
        return await super().handle_async_request(request)


class _Skip(_Through):
    """Loses the first record of each page of tickets."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "GET" or request.url.raw_path.decode().partition("?")[0] != CREATED:
            return await super().handle_async_request(request)
        request.headers["accept-encoding"] = "identity"
        answer = await super().handle_async_request(request)
        try:
            page = json.loads(await answer.aread())
            del page["tickets"][0]
        except (ValueError, KeyError, IndexError, TypeError):
            return httpx.Response(500, request=request)
        finally:
            await answer.aclose()
        return httpx.Response(answer.status_code, json=page)


PLANTS: dict[str, Callable[[], httpx.AsyncBaseTransport]] = {
    "late": _Late,
    "leak": _Leak,
    "nothing": _Through,
    "lie": _Lie,
    "skip": _Skip,
    "sure": _Sure,
    "tell": _Tell,
    "twice": _Twice,
    "unnamed": _Unnamed,
}
"""By name: what is sent through instead of the network."""
