"""Spans and metrics of requests, for OpenTelemetry where a program has set it up.

Names are those of the semantic conventions (open-telemetry/semantic-conventions, `http/http-spans.md` and
`http/http-metrics.md`), without the path, which holds ids. The caller's trace goes on here (W3C Trace Context,
header `traceparent`), and the spans of connectors' calls, see `plugbay.telemetry`, are beneath.
"""

from __future__ import annotations

import logging
import sys
from functools import cache
from time import perf_counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plugbay.server.middleware.access_log import method_of, route_of
from plugbay.telemetry import REQUEST_BUCKETS, is_real

__all__ = ["Tracing"]

logger = logging.getLogger("plugbay.server")

FIRST_SERVER_ERROR = 500
_PROPAGATED = frozenset({b"traceparent", b"tracestate", b"baggage"})


class Tracing:
    """Tells OpenTelemetry of each request; costs next to nothing where nobody has set it up."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Who set a provider has imported the package: nobody else pays for its import.
        sink = _sink() if scope["type"] == "http" and "opentelemetry" in sys.modules else None
        if sink is None or not sink.is_wanted():
            await self._app(scope, receive, send)
            return
        with sink.request(scope) as noted:

            async def watched(message: Message) -> None:
                if message["type"] == "http.response.start":
                    noted["status"] = message["status"]
                await send(message)

            await self._app(scope, receive, watched)


@cache
def _sink() -> _Sink | None:
    try:
        return _Sink()
    except ImportError:  # the package is there in parts, without its API
        return None


class _Sink:
    """Where spans and figures go; the API hands them on to the providers of the moment."""

    def __init__(self) -> None:
        from opentelemetry import metrics, propagate, trace  # noqa: PLC0415 - nobody pays for what he does not use

        self._metrics = metrics
        self._propagate = propagate
        self._trace = trace
        self._tracer = trace.get_tracer("plugbay")
        self._seconds = metrics.get_meter("plugbay").create_histogram(
            "http.server.request.duration",
            "s",
            "How long requests of clients take.",
            explicit_bucket_boundaries_advisory=REQUEST_BUCKETS,
        )

    def is_wanted(self) -> bool:
        """Whether somebody has set a provider, at whatever time."""
        return is_real(self._trace.get_tracer_provider()) or is_real(self._metrics.get_meter_provider())

    def request(self, scope: Scope) -> _Request:
        """One request, as a block."""
        carrier = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"] if name in _PROPAGATED
        }
        known = {"http.request.method": method_of(scope), "url.scheme": scope["scheme"]}
        manager = self._tracer.start_as_current_span(
            known["http.request.method"],
            self._propagate.extract(carrier),
            self._trace.SpanKind.SERVER,
            known,
            # Its message may hold anything.
            record_exception=False,
            set_status_on_exception=False,
        )
        return _Request(self, scope, manager, known)

    def end(self, span: Any, name: str, facts: dict[str, Any], seconds: float) -> None:
        """A request is over."""
        span.update_name(name)
        span.set_attributes(facts)
        if "error.type" in facts:
            span.set_status(self._trace.StatusCode.ERROR)
        self._seconds.record(seconds, facts)


class _Request:
    """One request's span, current within the block."""

    def __init__(self, sink: _Sink, scope: Scope, manager: Any, known: dict[str, Any]) -> None:
        self._sink = sink
        self._scope = scope
        self._manager = manager
        self._known = known
        self._noted: dict[str, int] = {}
        self._began = perf_counter()

    def __enter__(self) -> dict[str, int]:
        self._span = self._manager.__enter__()
        return self._noted

    def __exit__(self, *failure: object) -> None:
        route, status = route_of(self._scope), self._noted.get("status")
        facts = {**self._known, "http.route": route, "http.response.status_code": status}
        if status is None or status >= FIRST_SERVER_ERROR:
            facts["error.type"] = str(status or "broken_off")
        told = {name: value for name, value in facts.items() if value is not None}
        try:
            name = f"{self._known['http.request.method']} {route or ''}".strip()
            self._sink.end(self._span, name, told, perf_counter() - self._began)
            self._manager.__exit__(*failure)
        except Exception as error:  # noqa: BLE001 - what observes a request must not fail it
            logger.warning("OpenTelemetry could not take a request", extra={"error": type(error).__name__})
