"""Makes sure that a trusted name leads to a public address, and not to this machine or its neighbours.

Who owns a name may let it lead anywhere, and elsewhere a moment later. So a name is looked up before it is
connected to, and the address of the connection that was made is looked at before anything is taken from it.
"""

from __future__ import annotations

import socket
from typing import Any

import httpx

from plugbay.errors import ResponseIntegrityError
from plugbay.transport.address import is_public
from plugbay.transport.body import BodyReader

__all__ = ["FromOutside", "is_proxied", "look_up"]


class FromOutside:
    """Reads a body that came from a public address.

    Args:
        reader: What reads it.
        host: Where it comes from.
    """

    __slots__ = ("_host", "_reader")

    def __init__(self, reader: BodyReader, host: str) -> None:
        self._reader = reader
        self._host = host

    async def read(self, response: httpx.Response) -> bytes:
        """What the reader makes of it.

        Raises:
            ResponseIntegrityError: The connection is to an address that is not public.
        """
        stream: Any = response.extensions.get("network_stream")
        address: Any = None if stream is None else stream.get_extra_info("server_addr")
        if address is None or not is_public(str(address[0])):
            raise _not_public(self._host)
        return await self._reader.read(response)


async def look_up(url: httpx.URL) -> None:
    """Looks the URL's host up.

    Raises:
        ResponseIntegrityError: One of its addresses is not public.
    """
    import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

    try:
        found = await asyncio.get_running_loop().getaddrinfo(url.host, url.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return  # connecting will fail by the same, and be tried again
    if not all(is_public(str(address[0])) for *_, address in found):
        raise _not_public(url.host)


def is_proxied(url: httpx.URL) -> bool:
    """Whether the environment names a proxy for this URL, which then looks the host up and connects to it."""
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415 - only needed where files come from elsewhere

    proxies = getproxies()
    return bool(proxies.get(url.scheme) or proxies.get("all")) and not proxy_bypass(url.host)


def _not_public(host: str) -> ResponseIntegrityError:
    return ResponseIntegrityError(
        f"{host} leads to an address that is not public; files do not come from there.", details={"host": host}
    )
