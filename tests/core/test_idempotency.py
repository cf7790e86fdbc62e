"""A call that may have been done is repeated under the key that it had; every other call has a new one."""

from __future__ import annotations

import httpx
import pytest

from plugbay import Policy
from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig
from plugbay.errors import ServiceError, ValidationFailedError
from plugbay.idempotency import MOST_DOUBTFUL, IdempotencyKeys

CREATE = ZendeskSupportConnector.find("tickets", "create")
DOUBT = ServiceError("?", details={"fate": "unknown"})


def scripted(statuses, keys):
    """A connector to a service that answers with these statuses and notes the keys that it is sent."""
    left = list(statuses)

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["idempotency-key"])
        return httpx.Response(left.pop(0), json={"ticket": {"id": 1}})

    return ZendeskSupportConnector(
        ZendeskSupportOauth20AuthConfig(access_token="t"),
        subdomain="acme",
        max_attempts=1,
        http=httpx.MockTransport(answer),
    )


async def test_a_repetition_has_the_key_of_the_call_that_may_have_been_done():
    """After an answer of 500 the same create has the same key, so the service makes one ticket; then a new one."""
    keys: list[str] = []
    connector = scripted([500, 201, 201], keys)
    call = {"subject": "Once", "comment": {"body": "Hi"}}

    with pytest.raises(ServiceError) as caught:
        await connector.execute("tickets", "create", call)
    await connector.execute("tickets", "create", call)
    await connector.execute("tickets", "create", call)

    assert (True, "unknown") == (caught.value.retryable, caught.value.details["fate"])
    assert keys[0] == keys[1] != keys[2]


async def test_other_arguments_have_another_key():
    """A call with other arguments is another call, whatever became of the one before."""
    keys: list[str] = []
    connector = scripted([500, 201], keys)

    with pytest.raises(ServiceError):
        await connector.tickets.create(comment={"body": "A"})
    await connector.tickets.create(comment={"body": "B"})

    assert 2 == len(set(keys))


async def test_a_refused_call_is_forgotten():
    """What was surely not done has a new key the next time."""
    keys: list[str] = []
    connector = scripted([422, 201], keys)

    with pytest.raises(ValidationFailedError):
        await connector.tickets.create(comment={"body": "A"})
    await connector.tickets.create(comment={"body": "A"})

    assert 2 == len(set(keys))


async def test_a_models_repetition_makes_one_ticket():
    """A model that does as the error says, and calls again, repeats under the same key."""
    keys: list[str] = []
    connector = scripted([500, 201], keys)

    @connector.tool_utils(policy=Policy(allow=["tickets.create"]))
    async def run(entity: str, action: str, params: dict | None = None):
        return await connector.execute(entity, action, params)

    failed = await run("tickets", "create", {"comment": {"body": "A"}})
    done = await run("tickets", "create", {"comment": {"body": "A"}})

    assert (True, {"id": 1}) == (failed["error"]["retryable"], done["data"])
    assert 1 == len(set(keys))


def test_memory_of_doubt_is_bounded():
    """Only so many calls of unknown fate are remembered, the latest of them."""
    keys = IdempotencyKeys()
    sent = []
    for number in range(MOST_DOUBTFUL + 1):
        key = keys.key_for(CREATE, {"subject": str(number)})
        sent.append(key)
        keys.done(CREATE, {"subject": str(number)}, key, DOUBT)

    assert sent[-1] == keys.key_for(CREATE, {"subject": str(MOST_DOUBTFUL)})
    assert sent[0] != keys.key_for(CREATE, {"subject": "0"})


def test_a_service_without_keys_is_sent_none():
    """An operation that knows no keys has none."""
    assert None is IdempotencyKeys().key_for(ZendeskSupportConnector.find("tickets", "update"), {})
