"""The Zendesk Support connector."""

from __future__ import annotations

from plugbay.connectors.zendesk.connector import ZendeskConnector
from plugbay.connectors.zendesk_support.attachments import Attachments
from plugbay.connectors.zendesk_support.organizations import Organizations
from plugbay.connectors.zendesk_support.ticket_comments import TicketComments
from plugbay.connectors.zendesk_support.tickets import Tickets
from plugbay.connectors.zendesk_support.users import Users
from plugbay.declare import entity

__all__ = ["ZendeskSupportConnector"]


class ZendeskSupportConnector(ZendeskConnector):
    __doc__ = ZendeskConnector.__doc__

    slug = "zendesk-support"
    title = "Zendesk Support"
    definition_id = "79c1aa37-dae3-42ae-b333-d1c105477715"

    tickets = entity(Tickets)
    ticket_comments = entity(TicketComments)
    attachments = entity(Attachments)
    users = entity(Users)
    organizations = entity(Organizations)
