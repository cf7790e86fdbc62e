"""A quota of retries for each host, so that a service in trouble is not made worse.

Each retry takes tokens and a success gives them back. While little fails, the quota never
shows; when a host fails for everybody, it runs dry, and calls fail at once instead of
three times. Source: the retry quota of the AWS SDKs' standard mode, with its figures.
"""

from __future__ import annotations

import threading

__all__ = ["RetryQuota"]

CAPACITY = 500
"""Tokens of a host that nothing failed at."""

RETRY_COST = 14
THROTTLED_COST = 5
"""A throttled request was answered in time by a service that works."""

CLEAN_SUCCESS = 1
"""What a success at the first try gives."""


class RetryQuota:
    """The quotas of the hosts that one tenant's calls go to; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: dict[str, int] = {}

    def take(self, host: str, *, throttled: bool) -> int | None:
        """The tokens that a retry costs, which are taken; None if there are too few, and none are taken.

        Args:
            host: Where the retry goes.
            throttled: Whether it follows a 429.
        """
        cost = THROTTLED_COST if throttled else RETRY_COST
        with self._lock:
            left = self._left.get(host, CAPACITY)
            if left < cost:
                return None
            self._left[host] = left - cost
        return cost

    def succeeded(self, host: str, taken: int) -> None:
        """Gives back the tokens of the retry that succeeded, or a little for a success without one."""
        with self._lock:
            left = self._left.get(host)
            if left is None:
                return
            left += taken or CLEAN_SUCCESS
            if left >= CAPACITY:
                del self._left[host]
            else:
                self._left[host] = left
