"""The credentials of the Zendesk Support connector: those of any Zendesk tenant, under the connector's names."""

from __future__ import annotations

from plugbay.connectors.zendesk.auth import ApiTokenConfig, OAuthConfig

__all__ = ["ZendeskSupportApiTokenAuthConfig", "ZendeskSupportOauth20AuthConfig"]

ZendeskSupportOauth20AuthConfig = OAuthConfig
ZendeskSupportApiTokenAuthConfig = ApiTokenConfig
