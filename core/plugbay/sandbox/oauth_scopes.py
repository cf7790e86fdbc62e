"""Scopes, and what a client may ask for."""

from __future__ import annotations

import json
from typing import Any

from plugbay.sandbox.account import Client

_RESOURCES = (
    "account_settings", "any_channel", "apps", "auditlogs", "automations", "business_rules", "custom_objects", "groups",
    "hc", "macros", "organizations", "satisfaction_ratings", "targets", "ticket_attachments", "ticket_fields",
    "ticket_views", "tickets", "triggers", "users", "views", "web_widget", "webhooks", "zis",
)  # fmt: skip
KNOWN = frozenset(
    ("read", "write", "impersonate", *(f"{name}:{verb}" for name in _RESOURCES for verb in ("read", "write")))
)


def text_of(asked: Any) -> str:
    """A requested scope as one string; anything but a string is kept as its JSON, which no request will match."""
    return asked if isinstance(asked, str) else json.dumps(asked)


def allowed(client: Client, scope: str) -> bool:
    """Whether the client's list permits a scope string; words that are no scope at all pass, and are worth nothing."""
    return client.scopes is None or all(word in client.scopes for word in scope.split() if word in KNOWN)


def default(client: Client) -> str:
    """The scope of a request that names none."""
    return " ".join(client.scopes or ("read", "write"))
