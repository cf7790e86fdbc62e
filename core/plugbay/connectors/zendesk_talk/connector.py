"""The Zendesk Talk connector."""

from __future__ import annotations

from plugbay.connectors.zendesk.connector import ZendeskConnector
from plugbay.connectors.zendesk_talk.agents_activity import AgentsActivity
from plugbay.connectors.zendesk_talk.calls import Calls
from plugbay.connectors.zendesk_talk.phone_numbers import PhoneNumbers
from plugbay.declare import entity

__all__ = ["ZendeskTalkConnector"]


class ZendeskTalkConnector(ZendeskConnector):
    __doc__ = ZendeskConnector.__doc__

    slug = "zendesk-talk"
    title = "Zendesk Talk"
    definition_id = "c8630570-086d-4a40-99ae-ea5b18673071"

    phone_numbers = entity(PhoneNumbers)
    agents_activity = entity(AgentsActivity)
    calls = entity(Calls)
