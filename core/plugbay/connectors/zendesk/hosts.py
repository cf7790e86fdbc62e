"""Which host the credentials may go to.

A subdomain is part of a host name that gets an account's credentials, so it is one
DNS label and nothing else: no dot, no slash, no `#`, no port, no user name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from plugbay.errors import ConfigurationError

__all__ = ["FILE_HOSTS", "VARIABLE", "subdomain_label", "tenant_url"]

VARIABLE = "ZENDESK_SUBDOMAIN"
"""Environment variable read when no subdomain is given."""

FILE_HOSTS = (".zdusercontent.com", ".zendesk.com")
"""Hosts that serve attachments: `content_url` redirects from the tenant's host to the first."""

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_URL = re.compile(r"(?:https://)?([A-Za-z0-9-]+)\.zendesk\.com(?:/[^\s#?\\@]*)?")


def tenant_url(subdomain: str | None, config: Mapping[str, Any] | None, base_url: str | None) -> str | None:
    """The root of the tenant's API.

    Args:
        subdomain: A label as `acme`, or a Zendesk URL that is reduced to it.
        config: May hold `subdomain` instead.
        base_url: Another root, for the sandbox and proxies; it wins.

    Returns:
        The URL, or None if nothing names the tenant.

    Raises:
        ConfigurationError: The subdomain is not one, or two different ones are given.
    """
    if not isinstance(base_url, str | None):  # pyright: ignore[reportUnnecessaryIsInstance] - not all callers are checked
        raise ConfigurationError("base_url must be a text.", hint='As in "http://127.0.0.1:8080".')
    given = _given(subdomain, config)
    if given is None and base_url is None:
        given = os.environ.get(VARIABLE) or None
    label = None if given is None else subdomain_label(given)
    return base_url or (f"https://{label}.zendesk.com" if label else None)


def _given(subdomain: str | None, config: Mapping[str, Any] | None) -> Any:
    settings = dict(config or {})
    in_config = settings.pop("subdomain", None)
    if settings:
        raise ConfigurationError(
            f"config: unknown {', '.join(sorted(map(str, settings)))}.", hint="It takes subdomain."
        )
    if subdomain is not None and in_config is not None and subdomain != in_config:
        raise ConfigurationError("subdomain and config['subdomain'] differ.", hint="Give one of them.")
    return subdomain if subdomain is not None else in_config


def subdomain_label(given: Any) -> str:
    """The subdomain that a label or a Zendesk URL names.

    Raises:
        ConfigurationError: It names none.
    """
    text = given if isinstance(given, str) else ""
    url = _URL.fullmatch(text)
    label = (url.group(1) if url else text).lower()
    if not (label.isascii() and _LABEL.fullmatch(label)):
        raise ConfigurationError(
            "The subdomain is not valid: it must be one label of letters, digits and hyphens.",
            hint='For https://acme.zendesk.com pass subdomain="acme".',
            details={"fields": {"subdomain": ["not a DNS label"]}},
        )
    return label
