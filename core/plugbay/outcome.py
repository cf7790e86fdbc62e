"""What running an operation gave, before it is shaped for anybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from plugbay.errors import PlugbayError
from plugbay.result import Meta

__all__ = ["Outcome", "is_unknown"]


class Outcome(NamedTuple):
    """What running an operation gave.

    Attributes:
        data: A record, or the records of a list.
        meta: What is known beside it.
        resume_at: For a list: from a number of its records to the cursor that continues behind them.
    """

    data: Any
    meta: Meta
    resume_at: Callable[[int], str] | None = None


def is_unknown(error: BaseException) -> bool:
    """Whether the error says of a write that it may have been done all the same."""
    return isinstance(error, PlugbayError) and (error.details or {}).get("fate") == "unknown"
