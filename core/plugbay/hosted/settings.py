"""What a hosted connector is told, completed by the environment when it is first needed."""

from __future__ import annotations

import os
from typing import NamedTuple

from pydantic import SecretStr

from plugbay.auth.credentials import header_text
from plugbay.errors import ConfigurationError
from plugbay.types import AirbyteAuthConfig

__all__ = ["DEFAULT_URL", "Access", "access_of"]

DEFAULT_URL = "https://api.airbyte.ai"
"""The vendor's service."""

ID = "AIRBYTE_CLIENT_ID"
SECRET = "AIRBYTE_CLIENT_SECRET"  # noqa: S105 - a name
ORGANIZATION = "AIRBYTE_ORGANIZATION_ID"
URL = "AIRBYTE_API_URL"


class Access(NamedTuple):
    """How the hosted service is reached, and as whom.

    Attributes:
        api_url: The root of the service.
        client_id: The client's public identifier.
        client_secret: The client's secret.
        organization_id: One of the organizations that the client can reach, if one is chosen.
    """

    api_url: str
    client_id: str
    client_secret: SecretStr
    organization_id: str | None


def _url_of_environment() -> str:
    url = os.environ.get(URL, DEFAULT_URL)
    if not url.strip():
        # Taken for unset, it would hand the id and secret of somebody's own service to the vendor's.
        raise ConfigurationError(
            f"{URL} is set, and empty.", hint=f"Unset it for {DEFAULT_URL}, or set it to the address."
        )
    return url


def access_of(config: AirbyteAuthConfig) -> Access:
    """What the configuration says, and the environment where it is silent.

    Raises:
        ConfigurationError: Both are silent on the client, or say something that cannot be sent.
    """
    client_id, client_secret = config.airbyte_client_id or os.environ.get(ID), config.airbyte_client_secret
    if not client_secret:
        client_secret = SecretStr(os.environ.get(SECRET, ""))
    missing = [name for name, value in ((ID, client_id), (SECRET, client_secret)) if not value]
    if missing:
        raise ConfigurationError(
            f"The hosted service has to be told who calls: {' and '.join(missing)} not set.",
            hint=f"Set {ID} and {SECRET}, or pass airbyte_client_id and airbyte_client_secret in an AirbyteAuthConfig.",
        )
    organization = config.organization_id or os.environ.get(ORGANIZATION)
    return Access(
        api_url=config.api_url or _url_of_environment(),
        client_id=header_text(client_id or "", "client id"),
        client_secret=SecretStr(header_text(client_secret, "client secret")),
        organization_id=header_text(organization, "organization id") if organization else None,
    )
