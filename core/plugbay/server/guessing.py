"""Limits on tries to guess a secret, counted by where they come from.

They are not counted by whom they aim at: ids are no secrets, and whoever knows one could spend its owner's tries and
lock him out. What is guessed at has 256 random bits, or is the operator's to choose as long.
"""

from __future__ import annotations

from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request

    from plugbay.server.state import Server

__all__ = ["origin_of", "spend_try"]

_ONE_HOLDER = 64
"""Bits of an IPv6 address that its holder cannot choose (RFC 6177, RFC 7421): a household or a machine has the rest."""


async def spend_try(server: Server, request: Request, purpose: str = "") -> float | None:
    """Counts a try to get in.

    Args:
        server: The server.
        request: The try.
        purpose: What is counted apart; the API and the pages count together.

    Returns:
        None if it may be looked at, else the seconds to wait.
    """
    address = origin_of(request.client.host if request.client else "")
    name = sha256(f"{purpose}:{address}".encode()).hexdigest()[:36]
    return await server.rates.take(name, server.settings.sign_in_per_minute)


def origin_of(address: str) -> str:
    """What of an address tells one holder from another."""
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(known, IPv6Address):
        return address
    return str(known.ipv4_mapped or ip_network((known, _ONE_HOLDER), strict=False))
