"""The credentials of the Zendesk Talk connector: those of any Zendesk tenant, under the connector's names."""

from __future__ import annotations

from plugbay.connectors.zendesk.auth import ApiTokenConfig, OAuthConfig

__all__ = ["ZendeskTalkApiTokenAuthConfig", "ZendeskTalkOauth20AuthConfig"]

ZendeskTalkOauth20AuthConfig = OAuthConfig
ZendeskTalkApiTokenAuthConfig = ApiTokenConfig
