"""Watches a connector's calls: tells of their beginning and end, and notes how long they waited."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from plugbay.context import ToolCall, current_tool_call
from plugbay.errors import ApprovalRequiredError, InvalidParameterError, PlugbayError, PolicyDeniedError
from plugbay.json_safe import is_object, to_json
from plugbay.operation import Effect, Operation
from plugbay.outcome import Outcome, is_unknown
from plugbay.trace import Trace, enter, leave

if TYPE_CHECKING:
    from contextvars import Token
    from typing import Self

    from plugbay.events import Listener
    from plugbay.telemetry import Tracking

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
        trace = self._trace(operation.name, call)
        return Watch(trace, operation.effect, operation, arguments if self._record_content else None)

    def watch_check(self) -> Watch:
        """A block that is one check of the credentials."""
        return Watch(self._trace(CHECK, current_tool_call()), Effect.READ)

    def refused(self, operation: Operation, arguments: Any, error: InvalidParameterError) -> None:
        """Tells of a call that ended before it was one, since its arguments do not fit.

        Args:
            operation: What was to be called.
            arguments: What it was given, whatever that is.
            error: What does not fit.
        """
        watch = self.watch(operation, arguments if is_object(arguments) else {}, current_tool_call())
        watch.__enter__()
        watch.__exit__(type(error), error, None)

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
        operation: What is called, if it is an operation.
        arguments: What it is called with, if that is to be told.
    """

    __slots__ = ("_arguments", "_effect", "_outcome", "_started", "_token", "_trace", "_tracking")

    def __init__(
        self,
        trace: Trace,
        effect: Effect,
        operation: Operation | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        self._trace = trace
        self._effect = effect
        self._arguments = arguments
        self._outcome: Outcome | None = None
        self._token: Token[Trace | None] | None = None
        self._started = 0.0
        self._tracking = _tracking(trace, effect, operation)

    def gave(self, outcome: Outcome) -> None:
        """Notes what the call gave, and in it how long it waited."""
        self._outcome = outcome
        if self._trace.waited >= WORTH_TELLING:
            outcome.meta["waited"] = round(self._trace.waited, 2)

    def __enter__(self) -> Self:
        self._token = enter(self._trace)
        self._started = time.monotonic()
        if self._tracking is not None:
            self._tracking.open()
            self._trace.listeners = (*self._trace.listeners, self._tracking)
        if self._trace.listeners:
            # A copy: who listens may keep it, and must not change the call.
            content = None if self._arguments is None else to_json(self._arguments)
            self._trace.tell("call", phase="started", effect=self._effect.value, arguments=content)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._trace.listeners:
                if isinstance(error, PolicyDeniedError | ApprovalRequiredError):
                    self._trace.tell("denied", reason=error.code)
                self._end(error)
        finally:
            here = self._token is not None and leave(self._token)
            if self._tracking is not None:
                self._tracking.close(here=here)

    def _end(self, error: BaseException | None) -> None:
        asked = self._arguments is not None and self._outcome is not None
        self._trace.tell(
            "call",
            phase="ended",
            effect=self._effect.value,
            outcome=_word(error),
            fate=self._fate(error),
            seconds=time.monotonic() - self._started,
            attempts=self._trace.attempts,
            waited=self._trace.waited,
            result=to_json(self._outcome.data) if asked and self._outcome is not None else None,
        )

    def _fate(self, error: BaseException | None) -> str | None:
        if error is None:
            return None
        cut_off = self._trace.cut_off and not isinstance(error, PlugbayError)
        return "unknown" if cut_off or is_unknown(error) else None


def _word(error: BaseException | None) -> str:
    if error is None:
        return "ok"
    if isinstance(error, PlugbayError):
        return error.code
    return "failed" if isinstance(error, Exception) else "cancelled"


def _tracking(trace: Trace, effect: Effect, operation: Operation | None) -> Tracking | None:
    # Whoever sets a provider has imported it, so a program without OpenTelemetry pays for nothing of it.
    if "opentelemetry" not in sys.modules:
        return None
    from plugbay.telemetry import tracking  # noqa: PLC0415 - only where it is of use

    return tracking(trace, effect, operation)
