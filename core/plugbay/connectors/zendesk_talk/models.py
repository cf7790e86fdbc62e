"""The credentials of the Zendesk Talk connector."""

from __future__ import annotations

from plugbay.connectors.zendesk.auth import ApiTokenConfig, OAuthConfig

__all__ = ["ZendeskTalkApiTokenAuthConfig", "ZendeskTalkOauth20AuthConfig"]


class ZendeskTalkOauth20AuthConfig(OAuthConfig):
    __doc__ = OAuthConfig.__doc__


class ZendeskTalkApiTokenAuthConfig(ApiTokenConfig):
    __doc__ = ApiTokenConfig.__doc__
