"""What an operator's settings may be; each refusal names the variable of the environment."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import fields
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from plugbay.connectors.zendesk.hosts import subdomain_label
from plugbay.errors import ConfigurationError
from plugbay.transport.origin import Origin

if TYPE_CHECKING:
    from plugbay.server.settings import Settings

__all__ = ["check", "variable_of"]

SHORTEST_ADMIN_TOKEN = 32
"""Characters: 128 bits even if they are hexadecimal digits."""

LEVELS = ("debug", "info", "warning", "error")

_RENAMED = {"keys": "PLUGBAY_MASTER_KEYS"}
_DAY = 86_400


class _Range(NamedTuple):
    least: float
    most: float = float("inf")
    unit: str = "s"


_RANGES = {
    "port": _Range(0, 65_535, ""),
    # A token is good until it expires or its client is revoked, whoever has found it.
    "token_lifetime": _Range(1, _DAY),
    "scoped_lifetime": _Range(1, _DAY),
    "session_lifetime": _Range(60, 30 * _DAY),
    "flow_lifetime": _Range(10, _DAY),
    # With less nobody could sign in, or send a comment.
    "body_limit": _Range(65_536, unit="bytes"),
    "request_timeout": _Range(1),
    "notice_seconds": _Range(0),
    "max_requests": _Range(1, unit=""),
    "rate_per_minute": _Range(1, unit=""),
    "sign_in_per_minute": _Range(1, unit=""),
}
"""What numbers may be; all others must be more than 0."""


def variable_of(name: str) -> str:
    """The variable of the environment that sets `name`."""
    return _RENAMED.get(name, f"PLUGBAY_{name.upper()}")


def check(settings: Settings) -> None:
    """Refuses what cannot be, and what nobody can mean.

    Raises:
        ConfigurationError: A value is out of its range; the message names the variable and what is allowed.
    """
    _check_ranges(settings)
    _check_timeouts(settings)
    _check_public_url(settings.public_url)
    _check_zendesk(settings)
    _check_redirects(settings.allowed_redirects)
    _check_proxies(settings.trusted_proxies)
    _check_admin_token(settings.admin_token)
    if settings.log_level not in LEVELS:
        raise _refusal("log_level", f"must be one of {', '.join(LEVELS)}")


def _refusal(name: str, what: str, hint: str | None = None) -> ConfigurationError:
    return ConfigurationError(f"{variable_of(name)} {what}.", hint=hint, details={"field": name})


def _check_ranges(settings: Settings) -> None:
    for each in fields(settings):
        value = getattr(settings, each.name)
        if not str(each.type).startswith(("float", "int")) or value is None:
            continue
        allowed = _RANGES.get(each.name)
        if allowed is None and not 0 < value < float("inf"):
            raise _refusal(each.name, "must be more than 0")
        if allowed is not None and not (allowed.least <= value <= allowed.most and value != float("inf")):
            raise _refusal(each.name, f"must be {_said(allowed)}")


def _said(allowed: _Range) -> str:
    span = f"from {allowed.least} to {allowed.most}" if allowed.most < float("inf") else f"at least {allowed.least}"
    return f"{span} {allowed.unit}".rstrip()


def _check_timeouts(settings: Settings) -> None:
    if settings.execute_timeout >= settings.request_timeout:
        raise _refusal(
            "execute_timeout",
            f"must be less than {variable_of('request_timeout')} ({settings.request_timeout:g} seconds), "
            "which ends the call around it",
        )


def _check_public_url(url: str) -> None:
    parts = _parts(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise _refusal("public_url", "must be an http or https URL without a user name")
    if parts.query or parts.fragment:
        raise _refusal("public_url", "must have no query and no fragment")
    if parts.path:
        raise _refusal(
            "public_url",
            "must have no path",
            hint="Pages, cookies and /.well-known are at the root of a host: give the server a host name of its own.",
        )


def _parts(url: str) -> SplitResult | None:
    """What a URL is made of; None if it has brackets without an IPv6 address in them, or a port that is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _check_zendesk(settings: Settings) -> None:
    """Every connector's credentials go there."""
    try:
        if settings.zendesk_url is not None:
            Origin(settings.zendesk_url)
    except ConfigurationError as error:
        raise _refusal("zendesk_url", error.message.removeprefix("base_url ").rstrip(".")) from None
    try:
        if settings.default_subdomain is not None:
            subdomain_label(settings.default_subdomain)
    except ConfigurationError:
        raise _refusal(
            "default_subdomain", "must be one label of letters, digits and hyphens, as acme of https://acme.zendesk.com"
        ) from None


def _check_redirects(urls: tuple[str, ...]) -> None:
    from plugbay.server.oauth.redirects import is_usable  # noqa: PLC0415 - its package knows the settings

    for url in urls:
        if not is_usable(url):
            raise _refusal(
                "allowed_redirects",
                f"has {url!r}; each must be https, or http on loopback, with the host in lower case and no fragment",
            )


def _check_proxies(proxies: tuple[str, ...]) -> None:
    for proxy in proxies:
        try:
            network = ipaddress.ip_network(proxy, strict=False)
        except ValueError as error:
            raise _refusal("trusted_proxies", f"has {proxy!r}, which is no address and no network") from error
        if not network.prefixlen:
            raise _refusal(
                "trusted_proxies",
                f"has {proxy!r}, which is everybody",
                hint="Name the addresses of your proxies: whoever is believed may say that he has any address.",
            )


def _check_admin_token(token: SecretStr | None) -> None:
    """Refuses one that a stranger could find by trying, or that no header could carry."""
    if token is None:
        return
    text = token.get_secret_value()
    if len(text) < SHORTEST_ADMIN_TOKEN or not re.fullmatch(r"[!-~]+", text):
        raise _refusal(
            "admin_token",
            f"must have at least {SHORTEST_ADMIN_TOKEN} printable ASCII characters and no spaces; "
            "`openssl rand -base64 33` makes one",
        )
