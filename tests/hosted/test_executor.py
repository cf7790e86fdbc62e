"""One execution over the wire: what is sent, what is believed, and what is said when it fails."""

from __future__ import annotations

import pytest
from starlette.responses import JSONResponse, Response
from tests.hosted.service import ROOT, TOKEN, Service

from plugbay import (
    NotFoundError,
    PlugbayError,
    RateLimitedError,
    ResponseIntegrityError,
    ServiceError,
)
from plugbay.errors import AuthenticationError
from plugbay.transport import RetryPolicy
from plugbay.walk import cursor_over


@pytest.fixture
def service(vendor):
    """A service of either dialect with a connector and nothing behind it."""
    with Service(vendor=vendor) as running:
        running.add()
        yield running


def envelope(result, **parts):
    """An answer to an execution."""
    return JSONResponse({"status": "success", "result": result, "connector_metadata": {}, **parts})


async def test_what_is_sent(service, hosted):
    """An execution says what to call, and that texts stay whole."""
    service.next("/execute", envelope({"id": 1}))
    await hosted(service).tickets.get(1)
    sent = {"entity": "tickets", "action": "get", "params": {"ticket_id": 1}, "skip_truncation": True}
    assert sent == service.requests[-1].body


@pytest.mark.parametrize("status", ["failed", "error", "SUCCESS", "", "partial"])
async def test_only_success_is_success(service, hosted, status):
    """Any other word is a failure with what was said, and a write may then have been done."""
    connector = hosted(service)
    told = {"status": status, "error_message": "Zendesk is away", "result": {"id": 1}}
    service.next("/execute", JSONResponse(told), JSONResponse(told))
    with pytest.raises(ServiceError, match="Zendesk is away") as caught:
        await connector.tickets.get(1)
    assert {"execution_status": status} == caught.value.details
    with pytest.raises(ServiceError) as caught:
        await connector.tickets.update(1, status="open")
    assert ("unknown", False) == (caught.value.details["fate"], caught.value.retryable)
    assert "tickets.get(ticket_id=1)" in caught.value.hint


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{}", b'"success"', b'{"status": "success"}', b'{"status": 1, "result": {}}',
     b'{"status": "success", "result": {}}', b'{"status": "success", "result": null}', b"<html>",
     b'{"status": "success", "result": [1]}', b'{"status": "success", "result": "x"}'],
)  # fmt: skip
async def test_answers_without_a_record(service, hosted, body):
    """What has no record in it is no success; of a write nobody knows whether it was done."""
    connector = hosted(service)
    service.next("/execute", *(Response(body, media_type="application/json") for _ in range(3)))
    with pytest.raises(ResponseIntegrityError) as caught:
        await connector.tickets.get(1)
    assert "fate" not in caught.value.details
    with pytest.raises(ResponseIntegrityError) as caught:
        await connector.tickets.update(1, status="open")
    assert "unknown" == caught.value.details["fate"]
    with pytest.raises(ResponseIntegrityError):
        await connector.tickets.list()


async def test_a_list_that_holds_no_records(service, hosted):
    """A list is a list of records."""
    connector = hosted(service)
    for result in ([1], [{"id": 1}, None], {"users": [{"id": 1}]}):
        service.next("/execute", envelope(result))
        with pytest.raises(ResponseIntegrityError, match="list of records"):
            await connector.tickets.list()


async def test_records_as_the_service_has_them(service, hosted):
    """A record under Zendesk's own key is read as well."""
    connector = hosted(service)
    service.next("/execute", envelope({"ticket": {"id": 5}}), envelope({"tickets": [{"id": 6}]}))
    assert {"id": 5} == await connector.tickets.get(5)
    assert [{"id": 6}] == (await connector.tickets.list()).data


async def test_the_same_page_twice(service, hosted):
    """A list that does not go on is noticed."""
    pages = [
        envelope([{"id": n} for n in range(100)], connector_metadata={"pagination": {"has_more": True, "cursor": "x"}})
    ] * 4
    service.next("/execute", *pages)
    with pytest.raises(ResponseIntegrityError, match="same page twice"):
        await hosted(service).tickets.list(limit=400)


async def test_a_read_is_repeated(service, hosted):
    """A read that failed is sent again, although its method is POST, and nobody is told of an unknown fate."""
    service.next("/execute", Response(status_code=503), Response(status_code=502), envelope({"id": 1}))
    assert {"id": 1} == await hosted(service).tickets.get(1)
    service.next("/execute", *(Response(status_code=503) for _ in range(3)))
    with pytest.raises(ServiceError) as caught:
        await hosted(service).tickets.get(1)
    assert ({"status": 503}, True) == (caught.value.details, caught.value.retryable)


async def test_a_write_is_not(service, hosted):
    """A write that failed on the way is sent once, and may have been done."""
    service.next("/execute", Response(status_code=503))
    with pytest.raises(ServiceError) as caught:
        await hosted(service).tickets.update(1, status="open")
    assert ("unknown", False) == (caught.value.details["fate"], caught.value.retryable)
    assert 1 == len(service.came("/execute"))


async def test_a_key_makes_a_create_repeatable(service, vendor, hosted):
    """With `plugbay serve` a create has a key and is sent again under it; the vendor's service knows none."""
    service.next("/execute", Response(status_code=503), envelope({"id": 1}))
    create = hosted(service).tickets.create(comment={"body": "x"})
    if vendor:
        with pytest.raises(ServiceError):
            await create
    else:
        assert {"id": 1} == await create
    keys = [each.headers.get("idempotency-key") for each in service.came("/execute")]
    assert [None] == keys if vendor else (2 == len(keys) and 1 == len(set(keys)) and None not in keys)


async def test_no_tries_beyond_the_service_s(service, hosted):
    """An answer that says so is the last, whatever its status."""
    for status in (429, 500, 502, 503, 504):
        headers = {"X-Should-Retry": "false", "Retry-After": "0"}
        service.next("/execute", JSONResponse({"message": "no"}, status, headers))
        with pytest.raises(PlugbayError, match="no"):
            await hosted(service).tickets.get(1)
    assert 5 == len(service.came("/execute"))


async def test_long_work_waits_all_the_same(service, hosted):
    """Iterating a list waits out a limit as long as is said, although the service has stopped trying."""
    waits = []

    async def waited(seconds):
        waits.append(seconds)

    limited = {"X-Should-Retry": "false", "Retry-After": "90"}
    service.next("/execute", JSONResponse({"message": "slow"}, 429, limited), envelope([{"id": 1}]))
    connector = hosted(service, retry=RetryPolicy(sleep=waited, rng=lambda: 0.0), timeout=30)
    assert [1] == [each["id"] async for each in connector.tickets.list()]
    assert [90] == waits


async def test_limits_are_each_connector_s_own(service, hosted):
    """A connector that has to wait does not hold another one of the same service."""
    other = service.add(name="Other")
    first = hosted(service, connector_id=service.kept[0].id, timeout=30)
    second = hosted(service, connector_id=other.id, timeout=30)
    service.next(f"{service.kept[0].id}/execute", JSONResponse({"message": "slow"}, 429, {"Retry-After": "60"}))
    for _ in range(2):
        with pytest.raises(RateLimitedError):
            await first.tickets.get(1)
    assert 1 == len(service.came("/execute"))
    service.next(f"{other.id}/execute", envelope({"id": 1}))
    assert {"id": 1} == await second.tickets.get(1)


async def test_a_settled_failure_is_told_as_it_is(service, vendor, hosted):
    """What `plugbay serve` says of a write's fate is the last word; without its word a 502 leaves it open."""
    payload = ServiceError("Zendesk said no.", retryable=False).payload()
    body = {"message": "Zendesk said no.", "errors": []} | ({} if vendor else {"error": payload})
    service.next("/execute", JSONResponse(body, 502, {"X-Should-Retry": "false", "X-Request-Id": "r-9"}))
    with pytest.raises(ServiceError) as caught:
        await hosted(service).tickets.update(1, status="open")
    assert "r-9" == caught.value.request_id
    if vendor:
        assert "unknown" == caught.value.details["fate"]
    else:
        assert payload == caught.value.payload()


async def test_a_connector_that_must_be_authorized_again(service, hosted):
    """A 409 of that class is an authentication error, and no reason for a new token."""
    if service.vendor:
        return
    details = {"connector_status": "needs_reauth"}
    payload = AuthenticationError("Zendesk refused.", details=details).payload()
    answer = {"message": "m", "errors": [], "error": payload}
    service.next("/execute", JSONResponse(answer, 409, {"X-Should-Retry": "false"}))
    with pytest.raises(AuthenticationError, match="Zendesk refused") as caught:
        await hosted(service).tickets.get(1)
    assert details == caught.value.details
    assert 1 == len(service.came(TOKEN))


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"status": "succeeded"}, "healthy", None),
        ({"status": "succeeded", "identity": {"status": "unhealthy", "error": {}}}, "healthy", None),
        ({"status": "failed", "error_message": "bad token"}, "unhealthy", "authentication"),
        ({"status": "inconclusive", "error_message": "away"}, "unhealthy", "service_error"),
        ({"status": "running"}, "unhealthy", "service_error"),
        ({}, "unhealthy", "service_error"),
        ([], "unhealthy", "service_error"),
        ({"status": "failed", "error": NotFoundError("gone").payload()}, "unhealthy", "not_found"),
    ],
    ids=str,
)
async def test_check(service, hosted, body, status, code):
    """A check is healthy if it says that it succeeded, and only then."""
    service.next("/check", JSONResponse(body))
    found = await hosted(service).check()
    assert status == found["status"]
    assert code == (found["error"]["code"] if "error" in found else None)


async def test_events(service, hosted):
    """Whoever listens is told of the token, the look-up, the execution and how long it waited there."""
    told = []
    service.next("/execute", envelope([{"id": 1}], connector_metadata={"waited": 2.5}))
    page = await hosted(service, on_event=told.append).tickets.list()
    assert ["call", "attempt", "refresh", "attempt", "attempt", "page", "call"] == [each.kind for each in told]
    assert 2.5 == page.meta.waited == told[-1].waited


async def test_a_connector_s_settings(service, hosted):
    """Time, tries and what an answer may weigh are bounded as of every connector."""
    service.next("/execute", *(Response(status_code=503) for _ in range(5)))
    with pytest.raises(ServiceError):
        await hosted(service, max_attempts=5).tickets.get(1)
    assert 5 == len(service.came("/execute"))
    service.next("/execute", envelope({"id": 1, "text": "x" * 10_000}))
    with pytest.raises(ResponseIntegrityError, match="larger than 5000 bytes"):
        await hosted(service, max_bytes=5_000).tickets.get(1)


async def test_hostile_texts_stay_out_of_paths(service, hosted):
    """Arguments travel in the body: whatever they hold, the path is the connector's."""
    service.next("/execute", *(envelope([]) for _ in range(3)))
    for text in ("../../x", "a?b#c", "\r\nX-Evil: 1"):
        await hosted(service).tickets.search(text)
    assert {f"{ROOT}/{service.kept[0].id}/execute"} == {each.path for each in service.came("/execute")}


async def test_a_long_list_comes_in_several_answers(hosted):
    """No answer has more than a page of records, and the whole is one list, cut wherever a reader likes."""
    with Service() as service:
        service.add()
        connector = hosted(service)
        operation = connector.find("tickets", "list")
        cursors = [cursor_over(operation, {}, count) for count in (100, 200, 250)]
        for start, cursor in zip((0, 100, 200), cursors, strict=True):
            records = [{"id": start + n} for n in range(50 if start == 200 else 100)]
            paging = {"has_more": True, "cursor": cursor, "total": 9_000}
            beside = {"users": [{"id": 7}, {"id": start}]}
            service.next("/execute", envelope(records, connector_metadata={"pagination": paging, "included": beside}))
        outcome = await connector._executor.run(operation, {"limit": 250})
        assert [{"id": n} for n in range(250)] == outcome.data
        assert {"has_more": True, "cursor": cursors[-1], "count": 250, "total": 9_000} == {
            name: outcome.meta[name] for name in ("has_more", "cursor", "count", "total")
        }
        assert [{"id": 7}, {"id": 0}, {"id": 100}, {"id": 200}] == outcome.meta.included["users"]
        sent = [each.body["params"] for each in service.came("/execute")]
        assert [{"limit": 100}, {"limit": 100, "cursor": cursors[0]}, {"limit": 50, "cursor": cursors[1]}] == sent
        assert [cursor_over(operation, {}, count) for count in (5, 170, 250)] == [
            outcome.resume_at(count) for count in (5, 170, 250)
        ]
