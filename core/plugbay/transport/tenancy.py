"""What all connectors of one tenant share within a process: its budgets, and the quota of retries."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

from plugbay.transport.limiter import RateLimiter
from plugbay.transport.quota import RetryQuota

__all__ = ["Tenant", "tenant"]


class Tenant:
    """One tenant of a service."""

    __slots__ = ("__weakref__", "limiter", "quota")

    def __init__(self) -> None:
        self.limiter = RateLimiter()
        self.quota = RetryQuota()


_lock = threading.Lock()
_known: weakref.WeakValueDictionary[tuple[str, int, Callable[[], float]], Tenant] = weakref.WeakValueDictionary()


def tenant(base_url: str, http: Any, clock: Callable[[], float]) -> Tenant:
    """The tenant that a transport belongs to; it lives as long as one of its transports does.

    Args:
        base_url: The tenant's own root.
        http: What requests go through instead of the network: what it leads to is another service.
        clock: What the times of the budgets are measured by.
    """
    key = (base_url, id(http), clock)
    with _lock:
        found = _known.get(key)
        if found is None:
            found = _known[key] = Tenant()
        return found
