"""What all connectors of one tenant share within a process: its budgets, and the quota of retries."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from plugbay.transport.limiter import RateLimiter
from plugbay.transport.quota import RetryQuota

__all__ = ["Tenant", "apart", "tenant"]

_holder: ContextVar[Hashable] = ContextVar("plugbay_tenancy_holder", default=None)


class Tenant:
    """One tenant of a service."""

    __slots__ = ("__weakref__", "limiter", "quota")

    def __init__(self) -> None:
        self.limiter = RateLimiter()
        self.quota = RetryQuota()


_lock = threading.Lock()
_known: weakref.WeakValueDictionary[tuple[str, int, Callable[[], float], Hashable], Tenant]
_known = weakref.WeakValueDictionary()


@contextmanager
def apart(holder: Hashable) -> Generator[None]:
    """Lets the transports that are made in the block share with this holder's alone.

    In a program all credentials of a tenant are its own, and what one of them is told helps the others. A process that
    has the credentials of several parties must not let one of them hold up the next: some of a service's limits are a
    user's own, and he can use them up on purpose.

    Args:
        holder: Whose the credentials are.
    """
    token = _holder.set(holder)
    try:
        yield
    finally:
        _holder.reset(token)


def tenant(base_url: str, http: Any, clock: Callable[[], float]) -> Tenant:
    """The tenant that a transport made now belongs to; it lives as long as one of its transports does.

    Args:
        base_url: The tenant's own root.
        http: What requests go through instead of the network: what it leads to is another service.
        clock: What the times of the budgets are measured by.
    """
    key = (base_url, id(http), clock, _holder.get())
    with _lock:
        found = _known.get(key)
        if found is None:
            found = _known[key] = Tenant()
        return found
