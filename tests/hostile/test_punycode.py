"""Hosts whose punycode means nothing: they are refused, wherever they come from."""

from __future__ import annotations

import httpx
import pytest
from tests.hostile.service import Service, called, connect

from plugbay import ConfigurationError, PlugbayError

BAD = "https://xn--80ak6aa92eacme/f"


def test_the_address_of_a_file():
    """A file's address that no host can have is a named error."""
    service = Service({"attachment": {"id": 1, "content_url": BAD}})
    outcome = called(service, lambda connector: connector.attachments.download(1))
    assert isinstance(outcome, PlugbayError)
    assert 1 == len(service.requests)


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect(status):
    """A redirect to such a host is a named error, for a read and for a write."""
    service = Service(httpx.Response(status, headers={"location": BAD}))
    assert isinstance(called(service, lambda connector: connector.tickets.get(1)), PlugbayError)
    assert isinstance(called(service, lambda connector: connector.tickets.create(comment="c")), PlugbayError)


@pytest.mark.parametrize("settings", [{"base_url": BAD}, {"subdomain": "xn--80ak6aa92eacme"}])
def test_a_root(settings):
    """As the root of the service it is a ConfigurationError."""
    with pytest.raises(ConfigurationError):
        connect(Service({}), **settings)
