"""Spans and metrics of requests, with OpenTelemetry's own SDK."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tests.server.command import ENVIRONMENT

pytest.importorskip("opentelemetry.sdk", reason="needs the extra `otel` and opentelemetry-sdk")

PROGRAM = """
import asyncio, json
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.server.demo import ENDPOINTS, TOKEN, fail
from tests.server.serving import serving

spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(provider)
metrics.set_meter_provider(MeterProvider([reader]))

async def main():
    async with serving(endpoints=[*ENDPOINTS, TOKEN, fail]) as running:
        headers = await running.signed_in()
        spans.clear()
        parent = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
        await running.http.get("/api/v1/things/hunter2?hunter2=hunter2", headers=headers | parent)
        await running.http.get("/api/v1/failures/unexpected")
    found = [json.loads(span.to_json()) for span in spans.get_finished_spans()]
    print(json.dumps({"spans": found, "metrics": json.loads(reader.get_metrics_data().to_json())}))

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def told():
    """What OpenTelemetry was told, in a process of its own: its providers can be set once."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=ENVIRONMENT, check=True)
    return json.loads(done.stdout)


def test_span(told):
    """A request is a span of the server's kind beneath the caller's trace, named by its method and template."""
    span = told["spans"][0]

    assert ("GET /api/v1/things/{thing_id}", "SpanKind.SERVER") == (span["name"], span["kind"])
    assert "0x0af7651916cd43dd8448eb211c80319c" == span["context"]["trace_id"]
    assert "0xb7ad6b7169203331" == span["parent_id"]
    expected = {
        "http.request.method": "GET",
        "url.scheme": "http",
        "http.route": "/api/v1/things/{thing_id}",
        "http.response.status_code": 200,
    }
    assert expected == span["attributes"]


def test_failure(told):
    """A failure of the server's is an error, without what the exception says."""
    span = told["spans"][1]

    assert ("ERROR", "500") == (span["status"]["status_code"], span["attributes"]["error.type"])
    assert [] == span["events"]


def test_metric(told):
    """Each request is a point of the conventions' histogram."""
    (resource,) = told["metrics"]["resource_metrics"]
    found = {metric["name"]: metric for scope in resource["scope_metrics"] for metric in scope["metrics"]}
    points = found["http.server.request.duration"]["data"]["data_points"]

    assert "s" == found["http.server.request.duration"]["unit"]
    routes = {point["attributes"]["http.route"]: point["count"] for point in points}
    assert 1 == routes["/api/v1/things/{thing_id}"]


def test_nothing_said(told):
    """Neither has a word of a path, a query or an exception."""
    assert "hunter2" not in json.dumps(told)
