"""Spans and metrics of calls, for OpenTelemetry where a program has set it up.

A call is the execution of a tool and an attempt is an HTTP client's request; attributes and metrics have the names of
the semantic conventions (open-telemetry/semantic-conventions-genai, `execute-tool.md`, and
open-telemetry/semantic-conventions, `http/http-spans.md`). What they have no name for begins with `plugbay.`.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any

from plugbay.events import AttemptEvent, CallEvent, Event, WaitEvent
from plugbay.json_safe import dumps
from plugbay.operation import Effect, Operation
from plugbay.trace import Trace

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

__all__ = ["MAX_CONTENT", "Tracking", "is_real", "tracking"]

logger = logging.getLogger("plugbay.telemetry")

MAX_CONTENT = 8_192
"""Characters of arguments or of a result that a span takes; collectors drop what is much longer."""

OPERATION = "execute_tool"
TOOL_TYPE = "extension"
"""The conventions' word for a tool that calls an external API itself."""

FIRST_FAILURE = 400
NANOSECONDS = 1_000_000_000

# The conventions' boundaries, in seconds, of http.client.request.duration; calls and waits last longer.
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
CALL_BUCKETS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)


def tracking(trace: Trace, effect: Effect, operation: Operation | None) -> Tracking | None:
    """What tells OpenTelemetry of one call; None where nobody has set it up.

    Args:
        trace: The call.
        effect: What it does to data.
        operation: What is called, if it is an operation.
    """
    sink = _sink()
    return Tracking(sink, trace, effect, operation) if sink is not None and sink.is_wanted() else None


@cache
def _sink() -> _Sink | None:
    try:
        return _Sink()
    except ImportError:  # the package is there in parts, without its API
        return None


class _Sink:
    """Where spans and figures go; the API hands them on to the providers of the moment."""

    def __init__(self) -> None:
        from opentelemetry import context, metrics, trace  # noqa: PLC0415 - nobody pays for what he does not use

        self.context = context
        self.trace = trace
        self._metrics = metrics
        meter = metrics.get_meter("plugbay")
        self._tracer = trace.get_tracer("plugbay")
        self.call_seconds = meter.create_histogram(
            "gen_ai.execute_tool.duration",
            "s",
            "How long calls of a connector take.",
            explicit_bucket_boundaries_advisory=CALL_BUCKETS,
        )
        self.request_seconds = meter.create_histogram(
            "http.client.request.duration",
            "s",
            "How long HTTP requests take.",
            explicit_bucket_boundaries_advisory=REQUEST_BUCKETS,
        )
        self.wait_seconds = meter.create_histogram(
            "plugbay.wait.duration",
            "s",
            "How long calls wait for a service's limits, or before another try.",
            explicit_bucket_boundaries_advisory=CALL_BUCKETS,
        )

    def is_wanted(self) -> bool:
        """Whether somebody has set a provider, at whatever time."""
        return is_real(self.trace.get_tracer_provider()) or is_real(self._metrics.get_meter_provider())

    def start(self, name: str, attributes: dict[str, Any]) -> Span:
        """A span of a call, beneath what is current."""
        return self._tracer.start_span(name, attributes=attributes)

    def note(self, parent: Span, name: str, attributes: dict[str, Any], start: int, end: int, *, failed: bool) -> None:
        """A span of a request that is over."""
        span = self._tracer.start_span(
            name,
            self.trace.set_span_in_context(parent),
            self.trace.SpanKind.CLIENT,
            attributes,
            start_time=start,
        )
        if failed:
            span.set_status(self.trace.StatusCode.ERROR)
        span.end(end)


def is_real(provider: object) -> bool:
    """Whether it is more than what the API itself has in place of a provider."""
    return not type(provider).__module__.startswith(("opentelemetry.trace", "opentelemetry.metrics"))


class Tracking:
    """One call as OpenTelemetry is told of it: a listener to the call's events.

    Args:
        sink: Who is told.
        trace: The call.
        effect: What it does to data.
        operation: What is called, if it is an operation.
    """

    __slots__ = ("_attributes", "_name", "_sink", "_span", "_token")

    def __init__(self, sink: _Sink, trace: Trace, effect: Effect, operation: Operation | None) -> None:
        self._sink = sink
        self._span: Span | None = None
        self._token: Token[Context] | None = None
        # A tool may make several calls, and a framework has its own span for the tool. This is the span of what is
        # done in the service, under the same name whether a model or a programmer asked for it.
        self._name = f"{trace.connector}.{trace.operation}"
        known = {
            "gen_ai.operation.name": OPERATION,
            "gen_ai.tool.name": self._name,
            "gen_ai.tool.type": TOOL_TYPE,
            "gen_ai.tool.description": operation.headline if operation is not None else None,
            "gen_ai.tool.call.id": trace.tool_call_id,
            "plugbay.connector": trace.connector,
            "plugbay.operation": trace.operation,
            "plugbay.effect": effect.value,
            "plugbay.call.id": trace.id,
            "plugbay.tool.name": trace.tool,
        }
        self._attributes = {name: value for name, value in known.items() if value}

    def open(self) -> None:
        """Begins the call's span and makes it the current one."""
        try:
            self._span = self._sink.start(f"{OPERATION} {self._name}", self._attributes)
            self._token = self._sink.context.attach(self._sink.trace.set_span_in_context(self._span))
        except Exception as error:  # noqa: BLE001 - what observes a call must not fail it
            logger.warning("OpenTelemetry could not begin a span: %s", type(error).__name__)

    def close(self, *, here: bool) -> None:
        """Makes the span that was current before the current one again.

        Args:
            here: Whether this is the context in which the call was begun; no other can be set right.
        """
        if here and self._token is not None:
            self._sink.context.detach(self._token)

    def __call__(self, event: Event) -> None:
        """Takes an event into the span and the metrics."""
        if self._span is None:
            return
        if isinstance(event, CallEvent):
            self._started(self._span, event) if event.phase == "started" else self._ended(self._span, event)
        elif isinstance(event, AttemptEvent):
            self._attempted(self._span, event)
        else:
            self._happened(self._span, event)

    def _started(self, span: Span, event: CallEvent) -> None:
        if event.arguments is not None and span.is_recording():
            span.set_attribute("gen_ai.tool.call.arguments", _text(event.arguments))

    def _ended(self, span: Span, event: CallEvent) -> None:
        failure = {} if event.outcome == "ok" or event.outcome is None else {"error.type": event.outcome}
        known = {"plugbay.attempts": event.attempts, "plugbay.waited": event.waited, "plugbay.fate": event.fate}
        span.set_attributes({**failure, **{name: value for name, value in known.items() if value is not None}})
        if event.result is not None and span.is_recording():
            span.set_attribute("gen_ai.tool.call.result", _text(event.result))
        if failure:
            # Without the message, which may quote an argument or a record.
            span.set_status(self._sink.trace.StatusCode.ERROR)
        span.end()
        common = {name: self._attributes[name] for name in _OF_CALLS}
        self._sink.call_seconds.record(event.seconds or 0.0, {**common, **failure})

    def _attempted(self, span: Span, event: AttemptEvent) -> None:
        failed = event.status is None or event.status >= FIRST_FAILURE
        known = {
            "http.request.method": event.method,
            "server.address": event.host,
            "server.port": event.port,
            "http.response.status_code": event.status,
            "error.type": (event.error or str(event.status)) if failed else None,
        }
        shared: dict[str, Any] = {name: value for name, value in known.items() if value is not None}
        own: dict[str, Any] = {"http.request.resend_count": event.resent} if event.resent else {}
        if event.request_id is not None:
            own["http.response.header.x-request-id"] = [event.request_id]
        end = int(event.at * NANOSECONDS)
        start = end - int(event.seconds * NANOSECONDS)
        self._sink.note(span, event.method, {**shared, **own}, start, end, failed=failed)
        self._sink.request_seconds.record(event.seconds, shared)

    def _happened(self, span: Span, event: Event) -> None:
        # A renewal goes on for others when the call that began it is over, and so does what it tells.
        if span.is_recording():
            span.add_event(f"plugbay.{event.kind}", _facts(event), int(event.at * NANOSECONDS))
        if isinstance(event, WaitEvent):
            where = {"plugbay.connector": event.connector, "plugbay.wait.reason": event.reason}
            self._sink.wait_seconds.record(event.seconds, where)


_OF_CALLS = ("gen_ai.operation.name", "gen_ai.tool.name", "gen_ai.tool.type")


def _facts(event: Event) -> dict[str, Any]:
    """What an event says beyond what the span says already."""
    common = {"kind", *Event.__dataclass_fields__}
    return {f"plugbay.{event.kind}.{name}": value for name, value in event.as_dict().items() if name not in common}


def _text(content: Any) -> str:
    text = dumps(content)
    return text if len(text) <= MAX_CONTENT else f"{text[: MAX_CONTENT - 1]}…"
