"""What one client may have of a process, so that the others have something too: calls in a minute, and calls at once."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from plugbay.server.failures import ApiError, too_many

if TYPE_CHECKING:
    from plugbay.server.state import Drain, Server

__all__ = ["STRANGER", "count_request", "hold", "let_go", "make_room", "part_of"]

_CLIENT = "plugbay.client"
_HELD = "plugbay.held"

STRANGER = "address "
"""How the names of holders begin of whom only the address is known."""

_PART = 2
"""One client, or one address without one, may have this part of all requests that may run at once: downloads, say, or
bodies, whose other end takes its time."""

_PART_OF_A_CLIENT = 4
"""One workspace may have this part of what its client may have: its tokens are in the hands of the client's own
customers, and none of those must shut out the others."""

_SOON = 1.0
"""Seconds after which a client may try again that has too many requests under way."""


async def count_request(
    server: Server, scope: MutableMapping[str, Any], client: str, workspace_id: str | None = None
) -> None:
    """Counts a request as one of its client's, until it is answered.

    Args:
        server: The server.
        scope: The request's.
        client: Whose it is.
        workspace_id: The workspace that its token is bound to; the request is then one of the workspace's as well.

    Raises:
        ApiError: 429, the client or the workspace has too many, at once or in this minute.
    """
    scope[_CLIENT] = client
    settings = server.settings
    if not hold(server.drain, scope, _limits(client, workspace_id, part_of(settings.max_requests))):
        text = "The client has too many requests under way."
        raise ApiError(429, text, error_code="rate_limited", retry_after=_SOON)
    for name, limit in _limits(client, workspace_id, settings.rate_per_minute).items():
        wait = await server.rates.take(name, limit)
        if wait is not None:
            raise too_many(limit, wait)


def part_of(most: int) -> int:
    """Requests that one client, or one address without one, may have of those that may run at once."""
    return max(1, most // _PART)


def _limits(client: str, workspace_id: str | None, most: int) -> dict[str, int]:
    """A client's limit; and before it the workspace's, since what is beyond that is not to be counted for the client."""
    if workspace_id is None:
        return {client: most}
    bound = sha256(f"{client}:{workspace_id}".encode()).hexdigest()[:36]
    return {bound: max(1, most // _PART_OF_A_CLIENT), client: most}


def hold(drain: Drain, scope: MutableMapping[str, Any], limits: Mapping[str, int]) -> bool:
    """Counts a request as one of somebody's, in place of whoever it was counted for before.

    Args:
        drain: Where the counts are.
        scope: The request's.
        limits: Whose it is, a client's and its workspace's, or an address's as long as no client is known; with the
            requests that each of them may have under way.

    Returns:
        Whether it may run; not so if one of them has his part already.
    """
    if any(drain.by_holder[holder] >= most for holder, most in limits.items()):
        return False
    let_go(drain, scope)
    drain.by_holder.update(limits.keys())
    scope[_HELD] = tuple(limits)
    return True


def let_go(drain: Drain, scope: MutableMapping[str, Any]) -> None:
    """Ends what `hold` began; harmless if nothing was."""
    for holder in scope.pop(_HELD, ()):
        drain.by_holder[holder] -= 1
        if not drain.by_holder[holder]:
            del drain.by_holder[holder]


def make_room(drain: Drain, holder: str | None = None) -> bool:
    """Gives up the request that waits longest for its client: for the rest of its body, or for its answer to be read.

    Args:
        drain: Where the requests are.
        holder: Who needs the room, if it must be one of his own; see `hold`.

    Returns:
        Whether there was any.
    """
    mine = [each for each in drain.awaited if holder is None or holder in each.scope.get(_HELD, ())]
    if not mine:
        return False
    # Strangers before clients: nobody without a token ends the work of somebody who has one.
    longest = next((each for each in mine if _is_strangers(each.scope)), mine[0])
    del drain.awaited[longest]
    let_go(drain, longest.scope)
    longest.give_up()
    return True


def _is_strangers(scope: MutableMapping[str, Any]) -> bool:
    return all(holder.startswith(STRANGER) for holder in scope.get(_HELD, ()))
