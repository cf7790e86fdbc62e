"""OpenTelemetry: the spans and metrics of calls, with its real SDK, and what it costs where there is none."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

pytest.importorskip("opentelemetry.sdk", reason="needs the extra `otel` and opentelemetry-sdk")

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from plugbay import NetworkError, Policy, PolicyDeniedError
from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig
from plugbay.sandbox import Sandbox
from plugbay.telemetry import MAX_CONTENT
from plugbay.trace import current_trace
from plugbay.transport import RetryPolicy

COMMENT = {"body": "It is on fire."}
NAME = "zendesk-support.tickets.get"


class Collector:
    """The process's providers, which can be set once, and what they were given since the test began."""

    def __init__(self):
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader(preferred_temporality={Histogram: AggregationTemporality.DELTA})
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        provider.add_span_processor(Touchy())
        trace.set_tracer_provider(provider)
        metrics.set_meter_provider(MeterProvider([self._reader]))

    def clear(self):
        self._exporter.clear()
        self._reader.get_metrics_data()
        return self

    def stop(self):
        self._exporter.shutdown()

    def spans(self, kind=SpanKind.INTERNAL):
        return [span for span in self._exporter.get_finished_spans() if span.kind is kind]

    def points(self, name):
        """The figures of a metric: each one's attributes, its count and its sum."""
        data = self._reader.get_metrics_data()
        found = [
            metric
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
        ]
        return [
            (dict(point.attributes), point.count, point.sum) for metric in found for point in metric.data.data_points
        ]


class Touchy(SpanProcessor):
    """Somebody's own span processor, which fails where a test lets it."""

    broken = False

    def on_start(self, span, parent_context=None):
        if Touchy.broken:
            raise RuntimeError("s3cret")


@pytest.fixture(scope="module")
def collector():
    made = Collector()
    yield made
    made.stop()  # other tests of the process are told of, but not kept


@pytest.fixture(autouse=True)
def seen(collector):
    return collector.clear()


@pytest.fixture(autouse=True)
def no_complaint(caplog):
    """OpenTelemetry itself has nothing to say: no context that cannot be detached, no span that is over."""
    yield
    records = caplog.get_records("call")
    assert [] == [record.getMessage() for record in records if record.name.startswith("opentelemetry")]


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(seed=3, tickets=120, calls=0, plan=None) as running:
        yield running


@pytest.fixture(autouse=True)
def healed(sandbox):
    yield
    sandbox.heal()


@pytest.fixture
async def connect(sandbox):
    """Makes connectors to the sandbox, which wait without waiting."""
    made = []

    async def at_once(seconds):
        pass

    def make(**given):
        config = ZendeskSupportOauth20AuthConfig(access_token=sandbox.access_token)
        chosen = {"base_url": sandbox.base_url, "retry": RetryPolicy(sleep=at_once), **given}
        made.append(ZendeskSupportConnector(config, **chosen))
        return made[-1]

    yield make
    for connector in made:
        await connector.close()


def unreachable(reached):
    """A way to a service that never answers, which notes when a request is under way."""

    async def handle(request):
        reached.set()
        await asyncio.Future()

    return {"base_url": "https://acme.zendesk.com", "http": httpx.MockTransport(handle)}


async def test_a_call_is_a_span_with_the_conventions_names(connect, seen):
    """A programmer's call is the execution of a tool named after connector and operation, with no id in its name."""
    await connect().tickets.get(7)
    [span] = seen.spans()

    assert (f"execute_tool {NAME}", StatusCode.UNSET) == (span.name, span.status.status_code)
    assert span.attributes["gen_ai.tool.description"]
    assert {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": NAME,
        "gen_ai.tool.type": "extension",
        "gen_ai.tool.description": span.attributes["gen_ai.tool.description"],
        "plugbay.connector": "zendesk-support",
        "plugbay.operation": "tickets.get",
        "plugbay.effect": "read",
        "plugbay.attempts": 1,
        "plugbay.waited": 0.0,
    } == dict(span.attributes)


async def test_a_model_s_call_has_the_tool_and_the_call_s_id(connect, seen):
    """A call through a tool keeps its name, and names the tool and the framework's id of the call beside it."""
    connector = connect()

    @connector.tool_utils
    async def zendesk(entity: str, action: str, params: dict, tool_call_id: str = ""):
        return await connector.execute(entity, action, params)

    await zendesk("tickets", "get", {"ticket_id": 7}, tool_call_id="call_9")
    [span] = seen.spans()

    assert f"execute_tool {NAME}" == span.name
    assert (NAME, "zendesk", "call_9") == tuple(
        span.attributes[name] for name in ("gen_ai.tool.name", "plugbay.tool.name", "gen_ai.tool.call.id")
    )


async def test_a_request_is_a_span_beneath_the_call(connect, sandbox, seen):
    """Each attempt is an HTTP client's span with its time, and without path or query, which hold ids and content."""
    await connect().tickets.search("status:open", limit=1)
    [call], [request] = seen.spans(), seen.spans(SpanKind.CLIENT)

    assert "GET" == request.name
    assert (call.context.span_id, call.context.trace_id) == (request.parent.span_id, request.context.trace_id)
    assert call.start_time <= request.start_time < request.end_time <= call.end_time
    assert {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "server.port": httpx.URL(sandbox.base_url).port,
        "http.response.status_code": 200,
        "http.response.header.x-request-id": (sandbox.requests[-1].response_headers["x-request-id"],),
    } == dict(request.attributes)


async def test_a_retry_is_a_span_and_a_wait(connect, sandbox, seen):
    """A request that is sent again says so, its failure is an error, and the call's span tells of the wait."""
    sandbox.fail("/api/v2/tickets/7", status=503)
    await connect().tickets.get(7)
    [call], [failed, answered] = seen.spans(), seen.spans(SpanKind.CLIENT)

    assert (503, "503", None) == tuple(
        failed.attributes.get(name) for name in ("http.response.status_code", "error.type", "http.request.resend_count")
    )
    assert (StatusCode.ERROR, StatusCode.UNSET) == (failed.status.status_code, answered.status.status_code)
    assert 1 == answered.attributes["http.request.resend_count"]
    assert StatusCode.UNSET is call.status.status_code
    [wait] = call.events
    assert ("plugbay.wait", "retry") == (wait.name, wait.attributes["plugbay.wait.reason"])
    assert [({"plugbay.connector": "zendesk-support", "plugbay.wait.reason": "retry"}, 1)] == [
        (attributes, count) for attributes, count, _ in seen.points("plugbay.wait.duration")
    ]


async def test_pages_are_events_of_the_call(connect, seen):
    """A list over several pages is one span with a request and an event for each page."""
    await connect().execute("tickets", "list", {"limit": 110})
    [call] = seen.spans()

    assert [("plugbay.page", 1, 100), ("plugbay.page", 2, 10)] == [
        (event.name, event.attributes["plugbay.page.number"], event.attributes["plugbay.page.records"])
        for event in call.events
    ]
    assert [None, None] == [span.attributes.get("http.request.resend_count") for span in seen.spans(SpanKind.CLIENT)]


async def test_a_renewal_is_an_event_of_the_call(sandbox, connect, seen):
    """Getting a token is told as an event, and its request as a span, without anything of the token."""
    config = ZendeskSupportOauth20AuthConfig(client_id=sandbox.client_id, client_secret=sandbox.client_secret)
    async with ZendeskSupportConnector(config, base_url=sandbox.base_url) as connector:
        await connector.tickets.get(7)
        sandbox.fail("/api/v2/tickets/7", status=401)
        await connector.tickets.get(7)
    call = seen.spans()[-1]

    assert [("plugbay.refresh", "renewed")] == [
        (event.name, event.attributes["plugbay.refresh.outcome"]) for event in call.events
    ]
    assert sandbox.client_secret not in "".join(span.to_json() for span in seen.spans() + seen.spans(SpanKind.CLIENT))


async def test_a_failure_is_an_error_under_its_code(connect, sandbox, seen):
    """A call that fails is an error of its code's type, without the message, which may quote what was asked."""
    sandbox.fail("/api/v2/tickets/7", times=None, reset=True)
    with pytest.raises(NetworkError):
        await connect(max_attempts=1).tickets.get(7)
    [call], [request] = seen.spans(), seen.spans(SpanKind.CLIENT)

    for span in (call, request):
        assert "network" == span.attributes["error.type"]
        assert (StatusCode.ERROR, None) == (span.status.status_code, span.status.description)
    assert () == call.events
    [(attributes, count, _)] = seen.points("gen_ai.execute_tool.duration")
    assert ("network", 1) == (attributes["error.type"], count)


async def test_a_denial_is_seen(connect, seen):
    """A write that the policy keeps back is an error, an event with the reason, and no request."""
    with pytest.raises(PolicyDeniedError):
        await connect(policy=Policy(read_only=True)).tickets.create(comment=COMMENT)
    [call] = seen.spans()

    assert ("policy_denied", StatusCode.ERROR) == (call.attributes["error.type"], call.status.status_code)
    assert [("plugbay.denied", "policy_denied")] == [
        (event.name, event.attributes["plugbay.denied.reason"]) for event in call.events
    ]
    assert [] == seen.spans(SpanKind.CLIENT)


async def test_wrong_arguments_are_seen(connect, seen):
    """A model's slip that nobody can mend is a span as well."""
    connector = connect()

    @connector.tool_utils
    async def zendesk(entity: str, action: str, params: dict):
        return await connector.execute(entity, action, params)

    envelope = await zendesk("tickets", "get", {"ticket_id": "none"})
    [call] = seen.spans()

    assert "invalid_parameter" == envelope["error"]["code"] == call.attributes["error.type"]


async def test_metrics_have_few_attributes(connect, sandbox, seen):
    """Calls and requests are measured under names that do not grow with the records that are read."""
    connector = connect()
    for number in (1, 2, 3):
        await connector.tickets.get(number)
    [(attributes, count, total)] = seen.points("gen_ai.execute_tool.duration")
    assert {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": NAME,
        "gen_ai.tool.type": "extension",
    } == attributes
    assert 3 == count
    assert total > 0

    await connector.tickets.get(1)
    [(attributes, count, _)] = seen.points("http.client.request.duration")
    assert {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "server.port": httpx.URL(sandbox.base_url).port,
        "http.response.status_code": 200,
    } == attributes
    assert 1 == count


async def test_content_only_where_it_is_asked_for(connect, seen):
    """Arguments and result are in no span, unless the connector was told to record content."""
    await connect().tickets.create(subject="Printer", comment=COMMENT)
    assert "Printer" not in "".join(span.to_json() for span in seen.spans() + seen.spans(SpanKind.CLIENT))
    assert COMMENT["body"] not in "".join(span.to_json() for span in seen.spans() + seen.spans(SpanKind.CLIENT))
    seen.clear()

    made = await connect(record_content=True).tickets.create(subject="Printer", comment=COMMENT)
    [call] = seen.spans()
    assert {"subject": "Printer", "comment": {"public": False, **COMMENT}} == json.loads(
        call.attributes["gen_ai.tool.call.arguments"]
    )
    assert made == json.loads(call.attributes["gen_ai.tool.call.result"])


async def test_long_content_is_cut(connect, seen):
    """A span takes so much of a result and no more, and shows that it was cut."""
    await connect(record_content=True).execute("tickets", "list", {"limit": 100})
    [call] = seen.spans()
    text = call.attributes["gen_ai.tool.call.result"]

    assert (MAX_CONTENT, "…") == (len(text), text[-1])


async def test_the_call_s_span_is_current_while_it_runs(seen):
    """What an instrumented HTTP library makes of a request is beneath the call, and the call beneath the agent."""
    tracer = trace.get_tracer("somebody.s.own")

    def handle(request):
        with tracer.start_as_current_span("http library"):
            return httpx.Response(200, json={"ticket": {"id": 7}})

    config = ZendeskSupportOauth20AuthConfig(access_token="x")
    async with ZendeskSupportConnector(config, subdomain="acme", http=httpx.MockTransport(handle)) as connector:
        with tracer.start_as_current_span("agent") as agent:
            await connector.tickets.get(7)
            assert agent is trace.get_current_span()
    library, call, _ = seen.spans()

    assert "http library" == library.name
    assert call.context.span_id == library.parent.span_id
    assert agent.get_span_context().span_id == call.parent.span_id


async def test_concurrent_calls_never_mix(connect, seen):
    """Each of many calls at once has its own requests, and all are beneath the same parent."""
    connector = connect()
    with trace.get_tracer("mine").start_as_current_span("agent") as agent:
        await asyncio.gather(*(connector.tickets.get(number) for number in range(1, 21)))
        assert agent is trace.get_current_span()
    calls = [span for span in seen.spans() if span.name != "agent"]

    assert {agent.get_span_context().span_id} == {span.parent.span_id for span in calls}
    assert sorted(span.context.span_id for span in calls) == sorted(
        span.parent.span_id for span in seen.spans(SpanKind.CLIENT)
    )


async def test_a_cancelled_call_ends_its_span(seen):
    """A call that is given up ends as cancelled, with the request that was under way, and leaves nothing current."""
    reached = asyncio.Event()
    config = ZendeskSupportOauth20AuthConfig(access_token="x")
    async with ZendeskSupportConnector(config, **unreachable(reached)) as connector:
        task = asyncio.ensure_future(connector.tickets.create(comment=COMMENT))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    [call], [request] = seen.spans(), seen.spans(SpanKind.CLIENT)

    assert ("cancelled", "unknown", "cancelled") == (
        call.attributes["error.type"],
        call.attributes["plugbay.fate"],
        request.attributes["error.type"],
    )
    assert not trace.get_current_span().get_span_context().is_valid


async def test_a_call_closed_from_another_context_leaves_it_alone(seen):
    """A call whose coroutine is closed by somebody else ends its span, and touches no span that is current there."""
    reached = asyncio.Event()
    config = ZendeskSupportOauth20AuthConfig(access_token="x")
    async with ZendeskSupportConnector(config, **unreachable(reached)) as connector:
        coroutine = connector.tickets.get(7)
        task = asyncio.create_task(coroutine)
        await reached.wait()
        with trace.get_tracer("mine").start_as_current_span("other") as other:
            coroutine.close()
            assert other is trace.get_current_span()
        task.cancel()
        with pytest.raises((RuntimeError, asyncio.CancelledError)):  # its coroutine is gone
            await task

    assert ["cancelled"] == [span.attributes["error.type"] for span in seen.spans() if span.name != "other"]


async def test_an_abandoned_iteration_leaves_nothing_current(connect, seen):
    """A list that is iterated in part, here and in other tasks, leaves no span open and no context behind."""
    records = aiter(connect().tickets.list())
    await anext(records)
    await asyncio.create_task(anext(records))
    await records.aclose()

    assert 1 == len(seen.spans())
    assert not trace.get_current_span().get_span_context().is_valid


def test_synchronous_calls_are_beneath_their_caller(sandbox, seen):
    """A call from any thread is beneath what is current there, although another thread sends it."""
    config = ZendeskSupportOauth20AuthConfig(access_token=sandbox.access_token)
    sync = ZendeskSupportConnector(config, base_url=sandbox.base_url).sync

    def work(number):
        with trace.get_tracer("mine").start_as_current_span(f"thread {number}") as span:
            sync.tickets.get(number)
            return span.get_span_context().span_id

    with ThreadPoolExecutor(4) as pool:
        parents = list(pool.map(work, range(1, 9)))
    sync.close()

    assert sorted(parents) == sorted(span.parent.span_id for span in seen.spans() if span.name.startswith("execute"))


async def test_listeners_run_inside_the_span(connect, seen):
    """A listener that logs or marks the current span finds the call's, from its first event to its last."""
    found = []
    await connect(on_event=lambda event: found.append((event, trace.get_current_span()))).tickets.get(7)
    [call] = seen.spans()

    assert ["call", "attempt", "call"] == [event.kind for event, _ in found]
    assert {call.context.span_id} == {span.get_span_context().span_id for _, span in found}
    assert {call.attributes["plugbay.call.id"]} == {event.call for event, _ in found}


async def test_a_broken_sdk_breaks_no_call(connect, monkeypatch, caplog):
    """A span that cannot be begun is told in the log, without the text of the error, and the call is made."""
    monkeypatch.setattr(Touchy, "broken", True)

    assert 7 == (await connect().tickets.get(7))["id"]
    assert [("plugbay.telemetry", logging.WARNING, "OpenTelemetry could not begin a span: RuntimeError")] == [
        record for record in caplog.record_tuples if record[0].startswith("plugbay")
    ]


async def test_a_late_event_is_dropped(connect, seen):
    """What is told when the call is over, as by a renewal that goes on for others, complains of nothing."""
    calls = []
    await connect(on_event=lambda event: calls.append(current_trace())).tickets.get(7)
    calls[0].tell("refresh", outcome="renewed", seconds=0.1)
    calls[0].tell("attempt", number=2, method="POST", host="h", status=200, seconds=0.1)

    assert ["GET", "POST"] == [span.name for span in seen.spans(SpanKind.CLIENT)]
    assert [()] == [span.events for span in seen.spans()]


PROGRAM = """
import asyncio, sys
{before}
import httpx
from plugbay.connectors.zendesk_support import ZendeskSupportConnector as C, ZendeskSupportOauth20AuthConfig as A

from plugbay.trace import current_trace

listeners = []

def answer(request):
    listeners.append(len(current_trace().listeners))
    return httpx.Response(200, json={{"ticket": {{"id": 7}}}})

async def main():
    connector = C(A(access_token="x"), subdomain="acme", http=httpx.MockTransport(answer))
    await connector.tickets.get(7)
    {after}

asyncio.run(main())
"""


def run(before="", after=""):
    code = PROGRAM.format(before=before, after=after.replace("\n", "\n    "))
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert ("", 0) == (done.stderr, done.returncode)
    return done.stdout.split()


def test_nobody_pays_for_an_import_that_nobody_asked_for():
    """Where the program does not use OpenTelemetry no call imports it, installed or not."""
    assert ["False"] == run(after="print('opentelemetry' in sys.modules)")


def test_the_api_alone_is_enough_to_run():
    """With the API imported and no SDK calls run as ever, and have no events at all."""
    assert ["0"] == run(before="import opentelemetry.trace, opentelemetry.metrics", after="print(*listeners)")


def test_a_package_in_parts_is_none():
    """Where something else of the name is there, without the API, there is no telemetry and no failure."""
    assert ["7"] == run(
        before="import types; sys.modules['opentelemetry'] = types.ModuleType('opentelemetry')", after="print(7)"
    )


def test_a_provider_may_be_set_late():
    """A provider that is set when the connector is made and has made calls is told of the next."""
    after = """\
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
await connector.tickets.get(7)
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
await connector.tickets.get(7)
print(*listeners, len(exporter.get_finished_spans()))"""

    assert ["0", "0", "1", "2"] == run(before="import opentelemetry.trace", after=after)


def test_metrics_need_no_spans():
    """A program that collects metrics alone gets them, from a provider set at any time."""
    after = """\
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
await connector.tickets.get(7)
[resource] = reader.get_metrics_data().resource_metrics
print(*sorted(metric.name for scope in resource.scope_metrics for metric in scope.metrics))"""

    assert ["gen_ai.execute_tool.duration", "http.client.request.duration"] == run(after=after)
