"""Limits on tries to guess a secret, counted by where they come from.

They are not counted by whom they aim at: ids are no secrets, and whoever knows one could spend its owner's tries and
lock him out. What is guessed at has 256 random bits, or is the operator's to choose as long.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from plugbay.server.failures import ApiError

if TYPE_CHECKING:
    from starlette.requests import Request

    from plugbay.server.state import Server

__all__ = ["counted_tokens", "has_guessed_too_often", "origin_of", "spend_try"]

_TOKENS = "bearer"
_UNAUTHORIZED = 401

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
    return await server.rates.take(_name(request, purpose), server.settings.sign_in_per_minute)


@asynccontextmanager
async def counted_tokens(server: Server, request: Request) -> AsyncGenerator[None]:
    """Counts a token that the block refuses with 401 as a try to guess one.

    They count apart from sign-ins: a program whose token has ended must be able to get another. And it must learn that
    from a 401 however many others of its address guess; so what they have used up is a hint, and no other answer.

    Raises:
        ApiError: What the block raises.
    """
    try:
        yield
    except ApiError as refusal:
        wait = await spend_try(server, request, _TOKENS) if refusal.status == _UNAUTHORIZED else None
        if wait is not None:
            refusal.error.hint = (
                "Too many tokens that are not good came from this address: "
                f"the operator's is not looked at for {math.ceil(wait)} seconds."
            )
        raise


def has_guessed_too_often(server: Server, request: Request) -> bool:
    """Whether this process has refused tokens of the request's address because there were too many in this minute."""
    return server.rates.is_spent(_name(request, _TOKENS))


def _name(request: Request, purpose: str) -> str:
    address = origin_of(request.client.host if request.client else "")
    return sha256(f"{purpose}:{address}".encode()).hexdigest()[:36]


def origin_of(address: str) -> str:
    """What of an address tells one holder from another."""
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(known, IPv6Address):
        return address
    return str(known.ipv4_mapped or ip_network((known, _ONE_HOLDER), strict=False))
