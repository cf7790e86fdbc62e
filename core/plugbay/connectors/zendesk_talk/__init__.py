"""Zendesk Talk: phone numbers, calls, and what agents do on the phone."""

from plugbay.connectors.zendesk_talk.connector import ZendeskTalkConnector
from plugbay.connectors.zendesk_talk.models import ZendeskTalkApiTokenAuthConfig, ZendeskTalkOauth20AuthConfig
from plugbay.types import AirbyteAuthConfig

__all__ = ["AirbyteAuthConfig", "ZendeskTalkApiTokenAuthConfig", "ZendeskTalkConnector", "ZendeskTalkOauth20AuthConfig"]
