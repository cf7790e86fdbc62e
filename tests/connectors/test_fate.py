"""Writes of unknown fate: nothing is done twice, and the error names the read that would tell."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from plugbay.connectors.zendesk_support import ZendeskSupportConnector
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector
from plugbay.errors import (
    ConflictError,
    DeadlineExceededError,
    NetworkError,
    PlugbayError,
    ResponseIntegrityError,
    ServiceError,
)
from plugbay.operation import Effect
from plugbay.transport import RetryPolicy

TICKET = {"ticket": {"id": 7, "subject": "A"}}
COLLISION = httpx.Response(409, content=b"Requester creation collision - please try again")


async def _at_once(seconds: float) -> None:
    """A sleep that takes no time."""


AT_ONCE = RetryPolicy(sleep=_at_once)

WRITES = [
    operation
    for connector in (ZendeskSupportConnector, ZendeskTalkConnector)
    for actions in connector.operations.values()
    for operation in actions.values()
    if operation.effect is not Effect.READ
]


@pytest.mark.parametrize("operation", WRITES, ids=lambda operation: operation.name)
def test_every_write_names_a_read_that_exists(operation):
    """The read that shows whether a write was done is an action of the connector, and takes the write's ids."""
    entity, _, action = operation.seen_by.rpartition(".")
    read = ZendeskSupportConnector.find(entity or operation.entity, action)
    in_path = {name for name, known in operation.arguments.parameters.items() if known.location == "path"}
    assert Effect.READ == read.effect
    assert in_path <= set(read.arguments.parameters)


@pytest.mark.parametrize(
    "lost",
    [
        httpx.Response(500),
        httpx.Response(502),
        httpx.ReadError("x"),
        httpx.ReadTimeout("x"),
        httpx.RemoteProtocolError("x"),
    ],
)
async def test_a_write_that_may_have_been_done_is_sent_once(support, lost):
    """A change whose answer is lost is not sent again; the error says where to look before anybody repeats it."""
    connector, service = support(lost, TICKET, max_attempts=3, retry=AT_ONCE)
    with pytest.raises(PlugbayError) as caught:
        await connector.tickets.update(7, status="open")
    assert (1, "unknown", False) == (len(service.sent), caught.value.details["fate"], caught.value.retryable)
    assert "Look with tickets.get(ticket_id=7) before repeating it." in caught.value.hint


async def test_a_comment_is_looked_for_among_the_comments(support):
    """For a comment the read is the ticket's list of comments."""
    connector, _ = support(httpx.Response(500))
    with pytest.raises(ServiceError) as caught:
        await connector.ticket_comments.create(7, "Hello")
    assert "ticket_comments.list(ticket_id=7)" in caught.value.hint


@pytest.mark.parametrize("unsent", [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x")])
async def test_a_write_that_never_left_is_sent_again(support, unsent):
    """Where no connection came about, the service has got nothing."""
    connector, service = support(unsent, TICKET, max_attempts=3, retry=AT_ONCE)
    assert 7 == (await connector.tickets.update(7, status="open"))["id"]
    assert 2 == len(service.sent)


async def test_a_throttled_write_is_sent_again(support):
    """A 429 says that it was not done."""
    connector, service = support(httpx.Response(429), TICKET, max_attempts=3, retry=AT_ONCE)
    await connector.tickets.update(7, status="open")
    assert 2 == len(service.sent)


@pytest.mark.parametrize("lost", [httpx.Response(500), httpx.ReadError("x"), httpx.RemoteProtocolError("x"), COLLISION])
async def test_a_new_ticket_is_sent_again_under_its_key(support, lost):
    """Zendesk makes one ticket of all requests with one key, so a create may be repeated."""
    connector, service = support(lost, (201, TICKET), max_attempts=3, retry=AT_ONCE)
    assert 7 == (await connector.tickets.create(comment={"body": "Hello"}))["id"]
    assert (2, 1) == (len(service.sent), len({request.headers["idempotency-key"] for request in service.requests}))


@pytest.mark.parametrize("unusable", [b"<html>", b"null", b"{}", b'{"ticket": '])
async def test_a_new_ticket_without_a_usable_answer_may_be_repeated(support, unusable):
    """A create whose answer says nothing may be made again: its key brings the same ticket."""
    connector, service = support(httpx.Response(201, content=unusable), (201, TICKET))
    with pytest.raises(ResponseIntegrityError) as caught:
        await connector.tickets.create(comment={"body": "Hello"})
    assert (True, "unknown") == (caught.value.retryable, caught.value.details["fate"])
    assert "same idempotency key" in caught.value.hint
    await connector.tickets.create(comment={"body": "Hello"})
    assert 1 == len({request.headers["idempotency-key"] for request in service.requests})


async def test_a_collision_of_a_write_without_a_key_is_worth_another_call(support):
    """A 409 that says to try again is told as such, and is not repeated behind the caller's back."""
    connector, service = support(COLLISION, TICKET, max_attempts=3, retry=AT_ONCE)
    with pytest.raises(ConflictError) as caught:
        await connector.tickets.update(7, status="open")
    assert (1, True) == (len(service.sent), caught.value.retryable)


async def test_an_outdated_change_is_never_repeated(support):
    """A conflict with somebody else's change needs a new look, although its text says to try again."""
    body = {"error": "UpdateConflict", "description": "Please fetch the latest ticket data and try again."}
    connector, service = support((409, body), TICKET, max_attempts=3, retry=AT_ONCE)
    with pytest.raises(ConflictError) as caught:
        await connector.tickets.update(7, status="open", safe_update=True, updated_stamp="x")
    assert (1, False) == (len(service.sent), caught.value.retryable)


async def test_a_write_out_of_time_may_have_been_done(connected):
    """A change that is still on its way at the deadline is of unknown fate."""

    async def never(request):
        await asyncio.Event().wait()

    connector, _ = connected(TICKET, http=httpx.MockTransport(never), timeout=0.05)
    with pytest.raises(DeadlineExceededError) as caught:
        await connector.tickets.update(7, status="open")
    assert "unknown" == caught.value.details["fate"]
    assert "tickets.get(ticket_id=7)" in caught.value.hint


async def test_closing_during_a_write_leaves_its_fate_unknown(connected):
    """A change under way when the connector is closed ends at once, and says that it may have been done."""
    arrived = asyncio.Event()

    async def never(request):
        arrived.set()
        await asyncio.Event().wait()

    connector, _ = connected(TICKET, http=httpx.MockTransport(never))
    call = asyncio.create_task(connector.execute("tickets", "update", {"ticket_id": 7, "status": "open"}))
    await arrived.wait()
    await connector.close()
    with pytest.raises(NetworkError, match="closed") as caught:
        await call
    assert "unknown" == caught.value.details["fate"]
