"""A hosted service with the sandbox behind it, and connectors to both."""

from __future__ import annotations

import os

import pytest
from tests.hosted.service import Service

from plugbay import connect
from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig
from plugbay.sandbox import Sandbox
from plugbay.transport import RetryPolicy


async def no_wait(seconds):
    """In place of a wait before another try."""


RETRY = RetryPolicy(sleep=no_wait)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    """The environment names no service and no proxy."""
    for name in [name for name in os.environ if name.startswith(("ZENDESK_", "AIRBYTE_"))]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def library():
    """An account for tests that only read."""
    with Sandbox(seed=5, tickets=130, calls=30, plan=None) as running:
        yield running


@pytest.fixture
def sandbox():
    """A small account of one's own."""
    with Sandbox(seed=3, tickets=40, calls=10, plan=None) as running:
        yield running


@pytest.fixture
def service():
    """A service with one connector and nothing behind it."""
    with Service() as running:
        running.add()
        yield running


@pytest.fixture(params=[False, True], ids=["plugbay", "vendor"])
def vendor(request):
    """Which dialect."""
    return request.param


@pytest.fixture
def hosted_library(library, vendor):
    """A service before the account that is only read, in either dialect."""
    with Service(library, vendor=vendor, settings={"retry": RETRY}) as running:
        running.add()
        yield running


@pytest.fixture
async def hosted():
    """Makes connectors to a service and closes them."""
    made = []

    def make(service, slug="zendesk-support", **settings):
        named = {"client_id": service.client_id, "client_secret": service.client_secret, "api_url": service.url}
        made.append(connect(slug, **{"retry": RETRY, **named, **settings}))
        return made[-1]

    yield make
    for connector in made:
        await connector.close()


@pytest.fixture
async def local():
    """Makes local connectors to a sandbox and closes them."""
    made = []

    def make(sandbox, kind=ZendeskSupportConnector, **settings):
        config = ZendeskSupportOauth20AuthConfig(access_token=sandbox.access_token)
        made.append(kind(config, base_url=sandbox.base_url, **{"retry": RETRY, **settings}))
        return made[-1]

    yield make
    for connector in made:
        await connector.close()
