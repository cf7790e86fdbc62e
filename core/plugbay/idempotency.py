"""Idempotency keys: a call that is repeated because nobody knows its fate has the key that it had.

A service that honours such keys makes one record of a call and of its repetitions. Each
call has a new key, except one with the arguments of a call that may have been done: it
is taken for the repetition that the error advised.
"""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from plugbay.errors import PlugbayError
from plugbay.operation import Operation

__all__ = ["IdempotencyKeys"]

BYTES = 16
MOST_DOUBTFUL = 1_000
"""Calls of unknown fate that are remembered; the oldest are forgotten first."""


class IdempotencyKeys:
    """The keys of one connector's calls; safe to use from any thread."""

    def __init__(self) -> None:
        self._doubtful: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def key_for(self, operation: Operation, arguments: Mapping[str, Any]) -> str | None:
        """The key to send, or None if the service knows no keys for the operation."""
        if operation.idempotency_header is None:
            return None
        mark = operation.fingerprint(arguments, BYTES)
        with self._lock:
            return self._doubtful.get(mark) or uuid.uuid4().hex

    def done(
        self, operation: Operation, arguments: Mapping[str, Any], key: str | None, error: PlugbayError | None
    ) -> None:
        """Notes how a call ended, so that a repetition has its key where the call may have been done.

        Args:
            operation: The operation.
            arguments: Its arguments.
            key: The key that was sent.
            error: How it failed, or None.
        """
        if key is None:
            return
        doubtful = error is not None and (error.details or {}).get("fate") == "unknown"
        mark = operation.fingerprint(arguments, BYTES)
        with self._lock:
            self._doubtful.pop(mark, None)
            if doubtful:
                self._doubtful[mark] = key
                if len(self._doubtful) > MOST_DOUBTFUL:
                    self._doubtful.popitem(last=False)
