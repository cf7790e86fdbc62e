"""What one client may have of a process, so that the others have something too: calls in a minute, and calls at once."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from plugbay.server.failures import ApiError

if TYPE_CHECKING:
    from plugbay.server.state import Drain, Server

__all__ = ["count_request", "hold", "let_go", "make_room"]

_CLIENT = "plugbay.client"
_HELD = "plugbay.held"

_PART = 2
"""One client, or one address without one, may have this part of all requests that may run at once: downloads, say, or
bodies, whose other end takes its time."""

_SOON = 1.0
"""Seconds after which a client may try again that has too many requests under way."""


async def count_request(server: Server, scope: MutableMapping[str, Any], client: str) -> None:
    """Counts a request as one of its client's, until it is answered.

    Args:
        server: The server.
        scope: The request's.
        client: Whose it is.

    Raises:
        ApiError: 429, the client has too many, at once or in this minute.
    """
    scope[_CLIENT] = client
    settings = server.settings
    if not hold(server.drain, scope, client, settings.max_requests):
        text = "The client has too many requests under way."
        raise ApiError(429, text, error_code="rate_limited", retry_after=_SOON)
    wait = await server.rates.take(client, settings.rate_per_minute)
    if wait is not None:
        text = f"There were more than {settings.rate_per_minute} requests in this minute."
        raise ApiError(429, text, error_code="rate_limited", retry_after=wait)


def hold(drain: Drain, scope: MutableMapping[str, Any], holder: str, most: int) -> bool:
    """Counts a request as one of somebody's, in place of whoever it was counted for before.

    Args:
        drain: Where the counts are.
        scope: The request's.
        holder: Whose it is: a client, or an address as long as no client is known.
        most: Requests that may run at once, of all together.

    Returns:
        Whether it may run; not so if he has his part already.
    """
    if drain.by_holder[holder] >= max(1, most // _PART):
        return False
    let_go(drain, scope)
    drain.by_holder[holder] += 1
    scope[_HELD] = holder
    return True


def let_go(drain: Drain, scope: MutableMapping[str, Any]) -> None:
    """Ends what `hold` began; harmless if nothing was."""
    holder = scope.pop(_HELD, None)
    if holder is None:
        return
    drain.by_holder[holder] -= 1
    if not drain.by_holder[holder]:
        del drain.by_holder[holder]


def make_room(drain: Drain, holder: str | None = None) -> bool:
    """Gives up the request whose body is awaited longest: whoever is served takes his time with the answer, not before.

    Args:
        drain: Where the requests are.
        holder: Who needs the room, if it must be one of his own; see `hold`.

    Returns:
        Whether there was any.
    """
    longest = next((each for each in drain.awaited if holder in (None, each.scope.get(_HELD))), None)
    if longest is None:
        return False
    del drain.awaited[longest]
    let_go(drain, longest.scope)
    longest.give_up()
    return True
