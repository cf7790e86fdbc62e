"""The credentials of the Zendesk Support connector."""

from __future__ import annotations

from plugbay.connectors.zendesk.auth import ApiTokenConfig, OAuthConfig

__all__ = ["ZendeskSupportApiTokenAuthConfig", "ZendeskSupportOauth20AuthConfig"]


class ZendeskSupportOauth20AuthConfig(OAuthConfig):
    __doc__ = OAuthConfig.__doc__


class ZendeskSupportApiTokenAuthConfig(ApiTokenConfig):
    __doc__ = ApiTokenConfig.__doc__
