"""`connect`: a hosted connector by the name of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from pydantic import SecretStr
from typing_extensions import TypedDict, Unpack

from plugbay.connector import Connector
from plugbay.errors import ConfigurationError
from plugbay.registry import find_connector
from plugbay.types import AirbyteAuthConfig

if TYPE_CHECKING:
    from plugbay.connectors.zendesk_support import ZendeskSupportConnector
    from plugbay.connectors.zendesk_talk import ZendeskTalkConnector
    from plugbay.events import Listener
    from plugbay.policy import Policy
    from plugbay.transport import RetryPolicy

__all__ = ["Settings", "config_of", "connect"]

DEFAULT_WORKSPACE = "default"


class Settings(TypedDict, total=False):
    """What a hosted connector takes beside its credentials, as a local one does."""

    policy: Policy | None
    timeout: float
    max_attempts: int
    max_bytes: int
    retry: RetryPolicy | None
    http: Any
    on_event: Listener | None
    record_content: bool


@overload
def connect(
    slug: Literal["zendesk-support"],
    *,
    workspace_name: str = DEFAULT_WORKSPACE,
    connector_id: str | None = None,
    organization_id: str | None = None,
    client_id: str | None = None,
    client_secret: str | SecretStr | None = None,
    auth_config: AirbyteAuthConfig | None = None,
    api_url: str | None = None,
    **settings: Unpack[Settings],
) -> ZendeskSupportConnector: ...
@overload
def connect(
    slug: Literal["zendesk-talk"],
    *,
    workspace_name: str = DEFAULT_WORKSPACE,
    connector_id: str | None = None,
    organization_id: str | None = None,
    client_id: str | None = None,
    client_secret: str | SecretStr | None = None,
    auth_config: AirbyteAuthConfig | None = None,
    api_url: str | None = None,
    **settings: Unpack[Settings],
) -> ZendeskTalkConnector: ...
@overload
def connect(
    slug: str,
    *,
    workspace_name: str = DEFAULT_WORKSPACE,
    connector_id: str | None = None,
    organization_id: str | None = None,
    client_id: str | None = None,
    client_secret: str | SecretStr | None = None,
    auth_config: AirbyteAuthConfig | None = None,
    api_url: str | None = None,
    **settings: Unpack[Settings],
) -> Connector: ...
def connect(
    slug: str,
    *,
    workspace_name: str = DEFAULT_WORKSPACE,
    connector_id: str | None = None,
    organization_id: str | None = None,
    client_id: str | None = None,
    client_secret: str | SecretStr | None = None,
    auth_config: AirbyteAuthConfig | None = None,
    api_url: str | None = None,
    **settings: Unpack[Settings],
) -> Connector:
    """A connector whose credentials a hosted service holds. Nothing is sent before its first call.

    What is not given comes from the environment when it is first needed: `AIRBYTE_CLIENT_ID`, `AIRBYTE_CLIENT_SECRET`,
    `AIRBYTE_ORGANIZATION_ID` and `AIRBYTE_API_URL`.

    Args:
        slug: The kind of connector, as `zendesk-support`.
        workspace_name: The workspace that has the connector; it must have one of that kind only.
        connector_id: The connector itself, in place of the workspace.
        organization_id: Chooses among the organizations that the client can reach.
        client_id: The client's public identifier.
        client_secret: The client's secret.
        auth_config: All of this in one object, in place of the arguments before.
        api_url: The root of the service; `https://api.airbyte.ai` if nothing names another.
        settings: `policy`, `timeout`, `max_attempts`, `max_bytes`, `retry`, `http`, `on_event` and `record_content`, as
            the connector takes them.

    Raises:
        ConnectorNotFoundError: There is no such kind of connector.
        ConfigurationError: Settings contradict each other, or make no sense.
    """
    kind = find_connector(slug)
    config = config_of(
        auth_config,
        workspace_name=workspace_name if workspace_name != DEFAULT_WORKSPACE else None,
        connector_id=connector_id,
        organization_id=organization_id,
        airbyte_client_id=client_id,
        airbyte_client_secret=client_secret,
        api_url=api_url,
    )
    connector: Connector = kind(config, **settings)
    return connector


def config_of(auth_config: AirbyteAuthConfig | None, **given: Any) -> AirbyteAuthConfig:
    """The configuration that was given in one of two ways.

    Args:
        auth_config: In one object.
        given: By its fields; None for what is not given.

    Raises:
        ConfigurationError: It was given in both ways, or is of another kind.
    """
    named = {name: value for name, value in given.items() if value is not None}
    if auth_config is None:
        return AirbyteAuthConfig(**named)
    if not isinstance(auth_config, AirbyteAuthConfig):  # pyright: ignore[reportUnnecessaryIsInstance] - not all callers are checked
        raise ConfigurationError(
            f"auth_config cannot be {type(auth_config).__name__}.",
            hint="Pass a plugbay.types.AirbyteAuthConfig. Credentials of the service itself are for the connector's class.",
        )
    if named:
        raise ConfigurationError(
            f"auth_config and {', '.join(sorted(named))} were given.", hint="Put all of it into the auth_config."
        )
    return auth_config
