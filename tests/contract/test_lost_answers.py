"""What a storm of lost and broken answers brought to light."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest
from pydantic import SecretStr

from plugbay.auth import MemoryTokenStore, OAuth2, Tokens
from plugbay.connectors.zendesk.errors import read_error
from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig
from plugbay.errors import AuthenticationError, PlugbayError
from plugbay.sandbox import Sandbox
from plugbay.transport import Limits, Request, RetryPolicy, Transport


@pytest.fixture
def sandbox():
    with Sandbox(seed=1, tickets=3) as running:
        yield running


def lasting(sandbox):
    """A connector whose token never ends."""
    config = ZendeskSupportOauth20AuthConfig(access_token=sandbox.access_token)
    return ZendeskSupportConnector(config, base_url=sandbox.base_url)


def renewable(sandbox, **settings):
    """A connector whose token can be renewed."""
    token = next(token for token in sandbox.account.tokens.values() if token.refresh == sandbox.refresh_token)
    config = ZendeskSupportOauth20AuthConfig(
        access_token=token.access,
        refresh_token=token.refresh,
        client_id=sandbox.client_id,
        client_secret=sandbox.client_secret,
    )
    return ZendeskSupportConnector(config, base_url=sandbox.base_url, retry=RetryPolicy(base=0.0), **settings)


async def test_a_lost_renewal_leaves_a_lost_write_unknown(sandbox):
    """A create whose answer was lost, and whose repetition needs a token that cannot be had, may have been done."""
    sandbox.fail("/api/v2/tickets", method="POST", reset=True, when="after")
    sandbox.fail("/api/v2/tickets", method="POST", nth=2, status=401)
    sandbox.fail("/oauth/tokens", reset=True)
    ticket = {"subject": "Printer", "comment": {"body": "On fire"}}
    async with renewable(sandbox) as zendesk:
        with pytest.raises(PlugbayError) as caught:
            await zendesk.tickets.create(**ticket)
        await zendesk.tickets.create(**ticket)
    assert 1 == [ticket["subject"] for ticket in sandbox.account.tickets.values()].count("Printer")
    assert "unknown" == caught.value.details.get("fate")


async def test_a_broken_answer_of_the_token_endpoint_makes_no_doubt(sandbox):
    """A create that was only ever refused with 401 was certainly not done, whatever the token endpoint answers."""
    sandbox.fail("/api/v2/tickets", method="POST", status=401)
    sandbox.fail("/oauth/tokens", shape="no_record")
    async with renewable(sandbox) as zendesk:
        with pytest.raises(PlugbayError) as caught:
            await zendesk.tickets.create(subject="Printer", comment={"body": "On fire"})
    assert "fate" not in caught.value.details


@pytest.mark.parametrize("shape", ["text", "list", "null"])
async def test_check_of_an_answer_that_is_no_object(sandbox, shape):
    """An answer to `users/me` that is JSON and no object makes the connector unhealthy, and raises nothing."""
    sandbox.fail("/api/v2/users/me", shape=shape, times=None)
    async with lasting(sandbox) as zendesk:
        assert "unhealthy" == (await zendesk.check())["status"]


async def test_a_pair_that_was_found_dead_is_renewed(sandbox):
    """A pair that another put into the store, and that has ended since, is renewed within the same call."""
    token = next(token for token in sandbox.account.tokens.values() if token.refresh == sandbox.refresh_token)
    store = MemoryTokenStore(Tokens(SecretStr(token.access), SecretStr(token.refresh)))
    async with renewable(sandbox, token_store=store) as one, renewable(sandbox, token_store=store) as other:
        await one.tickets.get(1)
        sandbox.clock.advance(3600)
        await other.tickets.get(1)
        found = await store.load()
        await store.save(Tokens(found.access_token, found.refresh_token))  # a store may leave out when it ends
        sandbox.clock.advance(3600)
        assert 1 == (await one.tickets.get(1))["id"]


async def test_a_token_that_is_never_accepted_is_renewed_once(sandbox):
    """A service that answers 401 to everything, and gives a token each time, is asked twice and gives one."""
    sandbox.fail("/api/v2/tickets/1", status=401, times=None)
    async with renewable(sandbox, token_store=MemoryTokenStore()) as zendesk:
        with pytest.raises(AuthenticationError):
            await zendesk.tickets.get(1)
    assert ["/api/v2/tickets/1", "/oauth/tokens", "/api/v2/tickets/1"] == [each.path for each in sandbox.requests]


async def test_the_address_of_a_file_is_in_no_log(sandbox, caplog):
    """The signed address of a file is in no line at DEBUG, not in the HTTP library's either."""
    caplog.set_level(logging.DEBUG)
    number = sandbox.add_file(size=100)
    async with lasting(sandbox) as zendesk:
        await zendesk.attachments.download(number)
    # The sandbox's own server keeps a log, too.
    lines = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn"))
    assert "b'location', ..." in lines
    assert "signature=" not in lines


@pytest.mark.parametrize("turns", [1, 2, 3])
async def test_a_call_cancelled_while_idle_connections_are_closed(sandbox, turns):
    """Connections that have been idle for too long are closed, also when the call that closes them is cancelled."""
    credentials = OAuth2(access_token=sandbox.access_token)
    transport = Transport(
        sandbox.base_url, credentials, read_error=read_error, limits=Limits(idle_seconds=-1), timeout=20
    )
    read = Request("GET", "/api/v2/tickets/1", repeatable=True)
    await asyncio.gather(*(transport.send(read) for _ in range(6)))
    call = asyncio.ensure_future(transport.send(read))
    for _ in range(turns):
        await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait({call})
    await transport.aclose()
    del call, transport
    gc.collect()  # complains of what is left open
