"""Idempotency keys: a call that is repeated has the key that it had, so that it makes one record.

A service that honours such keys makes one record of a call and of its repetitions. A key that the caller
was given for the call is used as it is, and whoever gave it knows of repetitions. Else two kinds are known:

- A framework runs a tool call again, in this process or, after a restart, in another: the key is
  derived from the framework's id of the tool call, the arguments, and which of the tool call's equal
  calls it is. An id that looks as if it were counted is not relied on, since another conversation
  may have the same.
- A call has the arguments of one that may have been done although it failed: it is taken for
  the repetition that the error advised, and has its key.

Any other call has a key of its own.
"""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plugbay.context import ToolCall, current_key, current_tool_call
from plugbay.errors import NotFoundError, PermissionDeniedError, PlugbayError, ValidationFailedError
from plugbay.operation import Operation
from plugbay.outcome import is_unknown

__all__ = ["IdempotencyKeys"]

BYTES = 16
SHORTEST_ID = 16
"""Characters from which on an id of a tool call is long enough to be random."""

MOST_DOUBTFUL = 1_000
"""Calls of unknown fate that are remembered; the oldest are forgotten first."""


class IdempotencyKeys:
    """The keys of one connector's calls; safe to use from any thread."""

    def __init__(self) -> None:
        self._doubtful: OrderedDict[str, _Doubt] = OrderedDict()
        self._lock = threading.Lock()

    def key_for(self, operation: Operation, arguments: Mapping[str, Any]) -> str | None:
        """The key to send, or None if the service knows no keys for the operation."""
        if operation.idempotency_header is None:
            return None
        if (given := current_key()) is not None:
            return given
        mark = operation.fingerprint(arguments, BYTES)
        call = current_tool_call()
        with self._lock:
            doubt = self._doubtful.get(mark)
            # Of two equal calls at once only one is the repetition.
            if doubt is not None and not doubt.repeated:
                doubt.repeated = True
                return doubt.key
            return uuid.uuid4().hex if call is None or not _is_unique(call.call_id) else _derived(call, mark)

    def done(
        self, operation: Operation, arguments: Mapping[str, Any], key: str | None, error: BaseException | None
    ) -> None:
        """Notes how a call ended, so that a repetition has its key where the call may have been done.

        Args:
            operation: The operation.
            arguments: Its arguments.
            key: The key that was sent.
            error: How it failed or was broken off, or None.
        """
        if key is None or key == current_key():
            return
        mark = operation.fingerprint(arguments, BYTES)
        with self._lock:
            doubt = self._doubtful.get(mark)
            if doubt is not None and doubt.key == key:
                # A repetition that never arrived leaves the doubt as it was.
                doubt.repeated = False
                if error is None or isinstance(error, _ANSWERS):
                    del self._doubtful[mark]
            elif error is not None and (not isinstance(error, PlugbayError) or is_unknown(error)):
                self._doubtful[mark] = _Doubt(key)
                if len(self._doubtful) > MOST_DOUBTFUL:
                    self._doubtful.popitem(last=False)


@dataclass(slots=True)
class _Doubt:
    """The key of a call that may have been done, and whether it is being repeated just now."""

    key: str
    repeated: bool = False


_ANSWERS = (ValidationFailedError, PermissionDeniedError, NotFoundError)
"""Refusals of the call itself: had it been done before, its key would have brought the record."""


def _is_unique(call_id: str | None) -> bool:
    """Whether no other tool call, of any conversation with the same account, can be thought to have the id."""
    return call_id is not None and len(call_id) >= SHORTEST_ID and any(char.isdigit() for char in call_id)


def _derived(call: ToolCall, mark: str) -> str:
    before = call.equal_calls.get(mark, 0)
    call.equal_calls[mark] = before + 1
    text = f"{call.call_id}\n{mark}\n{before}"
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=BYTES).hexdigest()
