"""What one call may take."""

from __future__ import annotations

import math
from typing import Any

from typing_extensions import TypedDict

from plugbay.errors import ConfigurationError
from plugbay.transport.retry import RetryPolicy

__all__ = ["Bounds", "check_bounds"]


class Bounds(TypedDict):
    """What a call may take, and what it is sent with: the settings that a user chooses for a transport."""

    timeout: float
    max_attempts: int
    max_bytes: int
    retry: RetryPolicy | None
    http: Any


def check_bounds(timeout: float, max_attempts: int, max_bytes: int) -> None:
    """Refuses bounds of a call that make no sense.

    Raises:
        ConfigurationError: One of them is not positive and finite.
    """
    numbers = (timeout, max_attempts, max_bytes)
    if not all(isinstance(number, int | float) and 0 < number < math.inf for number in numbers):  # pyright: ignore[reportUnnecessaryIsInstance] - not all callers are checked
        raise ConfigurationError("timeout, max_attempts and max_bytes must be positive and finite.")
