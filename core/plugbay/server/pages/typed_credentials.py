"""Credentials that a person types, and what the API says of them beside the fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from plugbay.server.credentials import read_credentials
from plugbay.server.failures import ApiError

if TYPE_CHECKING:
    from plugbay.connectors.zendesk.auth import ApiTokenConfig, OAuthConfig
    from plugbay.server.pages.forms import Form

__all__ = ["BLAMED", "SECRETS", "WAYS", "blame", "read", "typed_credentials"]

SECRETS = ("api_token", "access_token", "refresh_token", "client_secret")

WAYS = {
    "oauth": (),
    "token": ("email", "api_token"),
    "oauth_tokens": ("access_token", "refresh_token", "client_id", "client_secret"),
}
"""The fields of each way; a consent has none."""

BLAMED = {"oauth": "way", "token": "api_token", "oauth_tokens": "access_token"}
"""The field that an error stands beside if it names none of the form's."""

NEEDED = {"email": "Email", "api_token": "API token", "access_token": "Access token"}

FIELDS = {
    "workspace_name": "workspace",
    "environment.subdomain": "subdomain",
    "replication_config.start_date": "start_date",
}
"""The form's field by the API's; `credentials.x` is `x`."""

_KNOWN = frozenset(
    {*FIELDS.values(), *(field for fields in WAYS.values() for field in fields), "name", "connector_type"}
)

Value = TypeVar("Value")


def typed_credentials(form: Form, way: str) -> OAuthConfig | ApiTokenConfig | None:
    """What was typed for the chosen way; None for a consent, and if something is wrong, which the form then says."""
    values = {name: form.text(name, NEEDED.get(name, name), required=name in NEEDED) for name in WAYS.get(way, ())}
    if not values or form.errors:
        return None
    return read(form, lambda: read_credentials(values), way)


def read(form: Form, reader: Callable[[], Value], way: str = "") -> Value | None:
    """What a reader of the API makes of a form; None if it refuses, which the form then says."""
    try:
        return reader()
    except ApiError as error:
        blame(form, error, way)
        return None


def blame(form: Form, error: ApiError, way: str = "") -> None:
    """Puts what the API says of a request beside the fields that it concerns."""
    for each in error.errors:
        named = each.field or ""
        field = FIELDS.get(named) or named.removeprefix("credentials.")
        form.refuse(field if field in _KNOWN else BLAMED.get(way, ""), each.message)
