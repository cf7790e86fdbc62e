"""A server with a sandbox as its Zendesk, and people who visit its pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest
from pydantic import SecretStr

from plugbay.sandbox import Sandbox

from ..serving import Running, serving
from .visitor import Visitor

OPERATOR = "the-operators-token-of-these-tests"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=7, tickets=12, calls=3, plan=None) as running:
        yield running


@pytest.fixture
async def running(sandbox: Sandbox) -> AsyncIterator[Running]:
    async with serving(sandbox, admin_token=SecretStr(OPERATOR)) as running:
        yield running


@pytest.fixture
async def visitor(running: Running) -> AsyncIterator[Callable[[], Awaitable[Visitor]]]:
    """Makes people who are not signed in."""
    async with AsyncExitStack() as stack:

        async def make() -> Visitor:
            made = Visitor(running.url)
            await stack.enter_async_context(made.http)
            return made

        yield make


@pytest.fixture
async def person(running: Running, visitor: Callable[[], Awaitable[Visitor]]) -> Visitor:
    """Somebody who is signed in as the first client."""
    return await (await visitor()).sign_in(running.client_id, running.client_secret)


@pytest.fixture
async def operator(visitor: Callable[[], Awaitable[Visitor]]) -> Visitor:
    """The operator, signed in."""
    return await (await visitor()).sign_in_as_operator(OPERATOR)


@pytest.fixture
async def connected(running: Running, person: Visitor) -> str:
    """The id of a connector that the person made with a token."""
    token = running.sandbox.access_token if running.sandbox else ""
    await person.open("/connect")
    await person.send("/connect", workspace="Support", way="oauth_tokens", access_token=token, name="The desk")
    assert 200 == person.answer.status_code, person.problems
    return str(person.answer.url).rpartition("/")[2].partition("?")[0]


@pytest.fixture
async def stranger(running: Running, visitor: Callable[[], Awaitable[Visitor]]) -> Visitor:
    """Somebody who is signed in as the client of another organization."""
    organization = await running.server.organizations.create("Strangers")
    client, secret = await running.server.clients.create(organization.id, "Stranger")
    return await (await visitor()).sign_in(client.id, secret)
