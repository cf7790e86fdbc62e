"""A sandbox for clients that somebody else wrote."""

from __future__ import annotations

import pytest

from plugbay.sandbox import Sandbox


@pytest.fixture(scope="module")
def library():
    """An account for tests that only read."""
    with Sandbox(seed=11, tickets=230, calls=20, plan=None) as running:
        yield running


@pytest.fixture
def sandbox():
    """A small account of one's own."""
    with Sandbox(seed=12, tickets=30, calls=10, plan=None) as running:
        yield running


@pytest.fixture
def ticket_id(sandbox):
    """The number of an open ticket, which may be changed."""
    return next(number for number, ticket in sandbox.account.tickets.items() if ticket["status"] == "open")
