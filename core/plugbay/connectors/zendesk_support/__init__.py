"""Zendesk Support: tickets, their conversations and files, users and organizations."""

from plugbay.connectors.zendesk_support.connector import ZendeskSupportConnector
from plugbay.connectors.zendesk_support.models import (
    ZendeskSupportApiTokenAuthConfig,
    ZendeskSupportOauth20AuthConfig,
)
from plugbay.types import AirbyteAuthConfig

__all__ = [
    "AirbyteAuthConfig",
    "ZendeskSupportApiTokenAuthConfig",
    "ZendeskSupportConnector",
    "ZendeskSupportOauth20AuthConfig",
]
