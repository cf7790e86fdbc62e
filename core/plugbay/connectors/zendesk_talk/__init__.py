"""Zendesk Talk: phone numbers, calls, and what agents do on the phone."""

from plugbay.connectors.zendesk_talk.connector import ZendeskTalkConnector
from plugbay.connectors.zendesk_talk.models import ZendeskTalkApiTokenAuthConfig, ZendeskTalkOauth20AuthConfig

__all__ = ["ZendeskTalkApiTokenAuthConfig", "ZendeskTalkConnector", "ZendeskTalkOauth20AuthConfig"]
