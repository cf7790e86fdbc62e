"""A server with a sandbox behind it, and a workspace that has a connector."""

from __future__ import annotations

import pytest

from plugbay.sandbox import Sandbox

from ..serving import serving
from .browser import Browser
from .office import Office


@pytest.fixture
async def sandbox():
    async with Sandbox(seed=1) as started:
        yield started


@pytest.fixture
async def running(sandbox):
    async with serving(sandbox) as server:
        yield server


@pytest.fixture
async def office(running):
    return Office(running, await running.signed_in())


@pytest.fixture
async def browser(running):
    async with Browser(running.url) as opened:
        yield opened


@pytest.fixture
async def person(running, browser):
    """A browser whose person has signed in."""
    await browser.sign_in(running.client_id, running.client_secret)
    return browser
