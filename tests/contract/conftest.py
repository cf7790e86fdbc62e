"""A sandbox that listens, and connectors to it."""

from __future__ import annotations

import os

import pytest

from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector, ZendeskTalkOauth20AuthConfig
from plugbay.sandbox import Sandbox


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names no Zendesk."""
    for name in [name for name in os.environ if name.startswith("ZENDESK_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def sandbox():
    """A small account of one's own, without rate limits."""
    with Sandbox(seed=3, tickets=40, calls=30, plan=None) as running:
        yield running


@pytest.fixture(scope="module")
def library():
    """A larger account for tests that only read."""
    with Sandbox(seed=5, tickets=230, calls=60, plan=None) as running:
        yield running


@pytest.fixture
async def connect():
    """Makes connectors to a sandbox and closes them."""
    made = []

    def make(sandbox, kind=ZendeskSupportConnector, auth_config=None, **settings):
        config = auth_config or ZendeskSupportOauth20AuthConfig(access_token=sandbox.access_token)
        made.append(kind(config, base_url=sandbox.base_url, **settings))
        return made[-1]

    yield make
    for connector in made:
        await connector.close()


@pytest.fixture
def ticket_id(sandbox):
    """The number of an open ticket, which may be changed."""
    return next(number for number, ticket in sandbox.account.tickets.items() if ticket["status"] == "open")


@pytest.fixture
def support(connect, sandbox):
    """Support on an account of its own."""
    return connect(sandbox)


@pytest.fixture
def talk(connect, sandbox):
    """Talk on the same account."""
    config = ZendeskTalkOauth20AuthConfig(access_token=sandbox.access_token)
    return connect(sandbox, ZendeskTalkConnector, config)
