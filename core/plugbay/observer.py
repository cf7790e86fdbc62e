"""Watches a connector's calls: tells of their beginning and end, and notes how long they waited."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from plugbay.context import ToolCall, current_tool_call
from plugbay.errors import ApprovalRequiredError, PlugbayError, PolicyDeniedError
from plugbay.events import CallEvent, DeniedEvent, Listener, Trace, traced
from plugbay.operation import Effect, Operation
from plugbay.outcome import Outcome, is_unknown

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Self

__all__ = ["Observer", "Watch"]

WORTH_TELLING = 0.01
"""Seconds of waiting from which on a result tells of them."""

CHECK = "check"


class Observer:
    """Who is told of a connector's calls.

    Args:
        slug: The connector's.
        on_event: The user's own listener.
        record_content: Whether events hold arguments and results.
    """

    __slots__ = ("_listeners", "_record_content", "_slug")

    def __init__(self, slug: str, on_event: Listener | None, *, record_content: bool) -> None:
        self._slug = slug
        self._listeners = () if on_event is None else (on_event,)
        self._record_content = record_content

    def watch(self, operation: Operation, arguments: Mapping[str, Any], call: ToolCall | None) -> Watch:
        """A block that is one call of an operation."""
        return Watch(
            self._trace(operation.name, call), operation.effect, arguments if self._record_content else None
        )

    def watch_check(self) -> Watch:
        """A block that is one check of the credentials."""
        return Watch(self._trace(CHECK, current_tool_call()), Effect.READ, None)

    def _trace(self, operation: str, call: ToolCall | None) -> Trace:
        return Trace(
            self._slug,
            operation,
            self._listeners,
            tool=call.tool if call else None,
            tool_call_id=call.call_id if call else None,
        )


class Watch:
    """One call, from its beginning to its end.

    Args:
        trace: Under what it is told of.
        effect: What it does to data.
        arguments: What it is called with, if that is to be told.
    """

    __slots__ = ("_arguments", "_block", "_effect", "_outcome", "_started", "_trace")

    def __init__(self, trace: Trace, effect: Effect, arguments: Mapping[str, Any] | None) -> None:
        self._trace = trace
        self._effect = effect
        self._arguments = arguments
        self._outcome: Outcome | None = None
        self._block: AbstractContextManager[Trace] = traced(trace)
        self._started = 0.0

    def gave(self, outcome: Outcome) -> None:
        """Notes what the call gave, and in it how long it waited."""
        self._outcome = outcome
        if self._trace.waited >= WORTH_TELLING:
            outcome.meta["waited"] = round(self._trace.waited, 2)

    def __enter__(self) -> Self:
        self._block.__enter__()
        self._started = time.monotonic()
        if self._trace.listeners:
            self._trace.tell(CallEvent, phase="started", effect=self._effect, arguments=self._arguments)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._trace.listeners:
            if isinstance(error, PolicyDeniedError | ApprovalRequiredError):
                self._trace.tell(DeniedEvent, reason=error.code)
            self._end(error)
        self._block.__exit__(kind, error, trace)

    def _end(self, error: BaseException | None) -> None:
        asked = self._arguments is not None and self._outcome is not None
        self._trace.tell(
            CallEvent,
            phase="ended",
            effect=self._effect,
            outcome=_word(error),
            fate="unknown" if error is not None and is_unknown(error) else None,
            seconds=time.monotonic() - self._started,
            attempts=self._trace.attempts,
            waited=self._trace.waited,
            result=self._outcome.data if asked and self._outcome is not None else None,
        )


def _word(error: BaseException | None) -> str:
    if error is None:
        return "ok"
    if isinstance(error, PlugbayError):
        return error.code
    return "failed" if isinstance(error, Exception) else "cancelled"
