"""Connectors and adapters plug in by name."""

from __future__ import annotations

import pytest

from plugbay import ConfigurationError, ConnectorNotFoundError, list_connectors
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector
from plugbay.registry import find_connector
from plugbay.tools.adapter import PLAIN, find_adapter, is_control_flow


def test_list():
    """The installed connectors are listed by slug."""
    assert {"zendesk-support", "zendesk-talk"} <= set(list_connectors())
    assert sorted(list_connectors()) == list_connectors()


@pytest.mark.parametrize("slug", ["zendesk-talk", "Zendesk_Talk", "ZENDESK-TALK"])
def test_find(slug):
    """A connector is found by its slug, however it is written."""
    assert ZendeskTalkConnector is find_connector(slug)


def test_slugs_agree():
    """A connector's slug is the name under which it plugs in."""
    assert {slug: slug for slug in list_connectors()} == {slug: find_connector(slug).slug for slug in list_connectors()}


def test_unknown_connector():
    """An unknown slug is answered with the nearest."""
    with pytest.raises(ConnectorNotFoundError) as caught:
        find_connector("zendesk-suport")

    assert "Did you mean 'zendesk-support'?" in caught.value.message
    assert list_connectors() == caught.value.details["allowed"]


@pytest.mark.parametrize("framework", [None, "none"])
def test_no_framework(framework):
    """Without a framework the envelope is handed over as it is."""
    assert PLAIN is find_adapter(framework)


def test_unknown_framework():
    """An unknown framework is answered with those there are."""
    with pytest.raises(ConfigurationError) as caught:
        find_adapter("langchian")

    assert "langchain" in caught.value.hint


def test_control_flow_is_told_by_its_package():
    """A framework's own exceptions are its signals; nobody else's are."""
    signal = type("GraphInterrupt", (Exception,), {"__module__": "langgraph.errors"})

    assert (True, False) == (is_control_flow(signal()), is_control_flow(ValueError()))
