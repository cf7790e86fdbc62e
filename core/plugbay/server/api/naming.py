"""How requests name things: the workspace, the kind of connector, the Zendesk account.

The API has grown, and says some things in several ways; each is read here, once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field, JsonValue
from pydantic_core import to_json

from plugbay.connectors.zendesk.hosts import subdomain_label
from plugbay.errors import ConfigurationError
from plugbay.plain_text import one_line
from plugbay.server.catalog import DEFINITIONS, Definition, by_id, by_type
from plugbay.server.failures import ApiError, invalid

__all__ = [
    "LONGEST_NAME",
    "Naming",
    "connector_name",
    "definition_of",
    "replication_of",
    "required_workspace_name",
    "subdomain_of",
    "workspace_name_of",
]

LONGEST_NAME = 255
"""Characters of a workspace's or a connector's name."""

LONGEST_CONFIG = 10_000
"""Bytes of `replication_config` as JSON: a list of connectors reads it of each."""


class Naming(BaseModel):
    """How a request names the workspace and the kind of connector; one way of each is needed."""

    workspace_name: str | None = Field(default=None, max_length=LONGEST_NAME)
    customer_name: str | None = Field(default=None, max_length=LONGEST_NAME, description="As workspace_name.")
    external_user_id: str | None = Field(default=None, max_length=LONGEST_NAME, description="As workspace_name.")
    connector_type: str | None = Field(default=None, max_length=LONGEST_NAME, description="As Zendesk-Support.")
    definition_id: str | None = Field(default=None, max_length=LONGEST_NAME)
    source_template_id: str | None = Field(default=None, max_length=LONGEST_NAME)
    name: str | None = Field(default=None, max_length=LONGEST_NAME, description="Of the connector.")
    replication_config: dict[str, JsonValue] | None = None
    environment: dict[str, JsonValue] | None = Field(default=None, description="subdomain: acme of acme.zendesk.com.")


_START_DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")


def workspace_name_of(*names: str | None) -> str | None:
    """The first name that is given, newest spelling first; None if there is none.

    Args:
        names: The values of `workspace_name`, `customer_name` and `external_user_id`, in this order.

    Raises:
        ApiError: 422, it is too long or has characters that nobody sees.
    """
    for name in names:
        if name is not None and name.strip():
            return _plain(name, "workspace_name")
    return None


def required_workspace_name(*names: str | None) -> str:
    """The same, where one must be given.

    Raises:
        ApiError: 422, as above or because there is none.
    """
    name = workspace_name_of(*names)
    if name is None:
        raise invalid("workspace_name", "workspace_name must be given.", error_code="missing")
    return name


def connector_name(name: str | None, definition: Definition) -> str:
    """A connector's name: the given one, or its kind's.

    Raises:
        ApiError: 422, it is too long or has characters that nobody sees.
    """
    return _plain(name, "name") if name is not None and name.strip() else definition.display_name


def definition_of(
    connector_type: str | None, definition_id: str | None, *others: str | None, id_field: str = "definition_id"
) -> Definition:
    """The kind of connector that a request names.

    Args:
        connector_type: As `Zendesk-Support`.
        definition_id: Its id instead.
        others: Further ways of naming it that this server does not offer.
        id_field: What the request calls `definition_id`.

    Raises:
        ApiError: 422, it is named in no way, in two, or is none that the server has.
    """
    given = [value for value in (connector_type, definition_id, *others) if value]
    if len(given) != 1:
        problem = "Only one" if given else "One"
        ways = f"connector_type, {id_field}, or source_template_id" if others else f"connector_type or {id_field}"
        raise invalid(
            "connector_type",
            f"{problem} of {ways} must be provided",
            error_code="ambiguous" if given else "missing",
        )
    found = by_type(connector_type) if connector_type else by_id(definition_id) if definition_id else None
    if found is None:
        raise invalid(
            "connector_type" if connector_type else id_field,
            f"There is no such kind of connector. Known: {', '.join(each.display_name for each in DEFINITIONS)}.",
            error_code="unknown",
        )
    return found


def subdomain_of(*places: Mapping[str, Any] | None, default: str | None) -> str:
    """The Zendesk account of a connector.

    Args:
        places: Where a request may have `subdomain`: `environment`, `credentials`, `oauth_input_configuration`.
        default: The account that is meant when nothing names one.

    Raises:
        ApiError: 422, it is missing or no account's.
    """
    named = [place["subdomain"] for place in places if place and place.get("subdomain")]
    if not all(isinstance(each, str) for each in named):
        raise invalid("environment.subdomain", "The subdomain must be a text.")
    given = set(named)
    if len(given) > 1:
        raise invalid("environment.subdomain", "Two different subdomains are given.", error_code="ambiguous")
    wanted = given.pop() if given else default
    if wanted is None:
        raise invalid(
            "environment.subdomain",
            "Zendesk needs the account's subdomain: acme for https://acme.zendesk.com.",
            error_code="missing",
        )
    try:
        return subdomain_label(wanted)
    except ConfigurationError as error:
        problem = error.message
    raise invalid("environment.subdomain", problem)


def replication_of(given: Mapping[str, Any] | None, definition: Definition, *, required: bool) -> dict[str, Any]:
    """What is kept of `replication_config`.

    Args:
        given: As it was sent.
        definition: The kind of connector.
        required: Whether a kind that needs a start date must be given one now.

    Raises:
        ApiError: 422, the start date is missing or none, or it is too long.
    """
    config = dict(given or {})
    if len(to_json(config)) > LONGEST_CONFIG:
        raise invalid("replication_config", f"replication_config is at most {LONGEST_CONFIG} bytes of JSON.")
    start = config.get("start_date")
    if start is None:
        if required and definition.needs_start_date:
            raise _start_date(f"{definition.display_name} needs it", error_code="missing")
    elif not _is_moment(start):
        raise _start_date("it is not such a moment")
    return config


def _is_moment(value: Any) -> bool:
    if not (isinstance(value, str) and _START_DATE.fullmatch(value)):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _start_date(why: str, error_code: str = "invalid") -> ApiError:
    text = f"replication_config.start_date is a UTC moment in the form YYYY-MM-DDT00:00:00Z, and {why}."
    return invalid("replication_config.start_date", text, error_code=error_code)


def _plain(name: str, field: str) -> str:
    text = name.strip()
    if len(text) > LONGEST_NAME or one_line(text) != text:
        problem = f"{field} must be one line of at most {LONGEST_NAME} characters that can all be seen."
        raise invalid(field, problem)
    return text
