"""What an operator can set, with its default and its unit; from the environment, the command line, or a program."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import SecretStr

from plugbay.errors import ConfigurationError
from plugbay.mending import nearest
from plugbay.server.setting_checks import check, variable_of
from plugbay.transport.address import is_loopback

__all__ = ["CONNECTOR_TYPES", "Settings"]

logger = logging.getLogger("plugbay.server")

CONNECTOR_TYPES = ("zendesk-support", "zendesk-talk")

NOTICE_SECONDS = 5.0
"""Of notice where somebody else than this machine sends requests."""

_LOCAL = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared with, never bound to
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})
_OF_OTHER_SHAPE = frozenset({"oauth_clients"})
_OAUTH = {"PLUGBAY_OAUTH_ZENDESK_CLIENT_ID", "PLUGBAY_OAUTH_ZENDESK_CLIENT_SECRET"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a server.

    Attributes:
        database_url: `sqlite:///path`, `sqlite://` (in memory, for tests) or `postgresql://user:password@host/name`.
        host: The address to listen on.
        port: The port to listen on.
        reuse_port: Whether several processes may listen on the one port (SO_REUSEPORT).
        public_url: How browsers and clients reach the server, without a path; `http://host:port` if not given.
        keys: Key-encryption keys, `id:base64,id:base64`, the newest first.
        key_file: A file of such lines in place of `keys`.
        admin_token: With it the operator signs in; without it nobody is administrator. 32 printable characters or more.
        token_lifetime: Seconds that an application's token lives.
        scoped_lifetime: Seconds that a token of one workspace lives.
        session_lifetime: Seconds that a person stays signed in.
        flow_lifetime: Seconds that a person has for a consent.
        body_limit: Bytes of a request's body, 64 KiB or more.
        header_timeout: Seconds that a client has for a request's head.
        body_timeout: Seconds that a client has for a request's body.
        request_timeout: Seconds for a whole request; downloads have no end but their own.
        execute_timeout: Seconds that one call of a connector may take; less than `request_timeout`.
        keep_alive: Seconds that an idle connection is kept.
        max_requests: Requests that one process answers at once; more get 503.
        notice_seconds: Seconds after SIGTERM in which the process still takes connections, so that a load balancer
            sees that it is no longer ready; None leaves it to `notice`.
        drain_seconds: Seconds that running requests have after SIGTERM.
        rate_per_minute: Requests of one client in a minute, over all processes.
        sign_in_per_minute: Tries to get in in a minute, of one address.
        trusted_proxies: Addresses and networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
        audit_content: Whether the arguments of calls are kept in the audit as well.
        audit_days: Days after which an audit entry is deleted.
        zendesk_url: Where every call of Zendesk goes in place of `https://<subdomain>.zendesk.com`: https, or http on
            loopback.
        default_subdomain: The subdomain of connectors that name none.
        oauth_clients: The operator's own OAuth client at Zendesk by connector type: client id and secret.
        allowed_redirects: Where a consent may lead back to, for every organization, besides its own list.
        loopback_redirects: Whether it may lead back to any port of a loopback address.
        any_redirects: Whether it may lead back to any https address while an organization has no list of its own: for
            trying, where there is nothing to take.
        log_level: The least level that is logged: "debug", "info", "warning" or "error".
    """

    database_url: str = field(default="sqlite:///plugbay.db", repr=False)
    host: str = "127.0.0.1"
    port: int = 8080
    reuse_port: bool = False
    public_url: str = ""
    keys: SecretStr | None = None
    key_file: str | None = None
    admin_token: SecretStr | None = None
    token_lifetime: float = 900.0
    scoped_lifetime: float = 1200.0
    session_lifetime: float = 8 * 3600.0
    flow_lifetime: float = 600.0
    body_limit: int = 1 << 20
    header_timeout: float = 10.0
    body_timeout: float = 30.0
    request_timeout: float = 90.0
    execute_timeout: float = 60.0
    keep_alive: float = 75.0
    max_requests: int = 1000
    notice_seconds: float | None = None
    drain_seconds: float = 30.0
    rate_per_minute: int = 1200
    sign_in_per_minute: int = 300
    trusted_proxies: tuple[str, ...] = ()
    audit_content: bool = False
    audit_days: float = 90.0
    zendesk_url: str | None = None
    default_subdomain: str | None = None
    oauth_clients: Mapping[str, tuple[str, SecretStr]] = field(default_factory=dict[str, tuple[str, SecretStr]])
    allowed_redirects: tuple[str, ...] = ()
    loopback_redirects: bool = False
    any_redirects: bool = False
    log_level: str = "info"

    def __post_init__(self) -> None:
        """Fills in `public_url`, and refuses what cannot be.

        Raises:
            ConfigurationError: A value is out of its range; the message names its variable.
        """
        if not self.public_url:
            host = "127.0.0.1" if self.host in _LOCAL else self.host
            object.__setattr__(self, "public_url", f"http://{f'[{host}]' if ':' in host else host}:{self.port}")
        object.__setattr__(self, "public_url", self.public_url.rstrip("/"))
        check(self)

    @property
    def is_https(self) -> bool:
        """Whether clients reach the server by https."""
        return self.public_url.startswith("https://")

    @property
    def notice(self) -> float:
        """Seconds of notice: `notice_seconds`, or none where only this machine reaches the server."""
        if self.notice_seconds is not None:
            return self.notice_seconds
        is_alone = is_loopback(self.host) and is_loopback(urlsplit(self.public_url).hostname or "")
        return 0.0 if is_alone else NOTICE_SECONDS

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, **given: Any) -> Self:
        """Settings of the environment variables `PLUGBAY_<NAME>`; `keys` is `PLUGBAY_MASTER_KEYS`.

        Lists are separated by commas. The operator's OAuth client, for all connector types, is
        `PLUGBAY_OAUTH_ZENDESK_CLIENT_ID` and `PLUGBAY_OAUTH_ZENDESK_CLIENT_SECRET`.

        Args:
            environ: The variables; the process's own if not given.
            given: Settings that come before the environment's; those that are None are left to it.

        Raises:
            ConfigurationError: A variable cannot be read, or a setting is out of its range.
        """
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        for each in fields(cls):
            variable = variable_of(each.name)
            if each.name not in values and each.name not in _OF_OTHER_SHAPE and environ.get(variable):
                values[each.name] = _read(variable, environ[variable], str(each.type))
        values.setdefault("oauth_clients", _oauth_clients(environ))
        _warn_of_strangers(environ)
        return cls(**values)


def _warn_of_strangers(environ: Mapping[str, str]) -> None:
    """A variable whose name has a slip sets nothing; nobody would notice that a limit is not the one that was meant."""
    known = {variable_of(each.name) for each in fields(Settings)} | _OAUTH
    for name in sorted(name for name in environ if name.startswith("PLUGBAY_") and name not in known):
        close = nearest(name, sorted(known))
        logger.warning("%s is no setting%s", name, f"; did you mean {close}?" if close else "")


def _oauth_clients(environ: Mapping[str, str]) -> dict[str, tuple[str, SecretStr]]:
    identifier = environ.get("PLUGBAY_OAUTH_ZENDESK_CLIENT_ID")
    secret = environ.get("PLUGBAY_OAUTH_ZENDESK_CLIENT_SECRET")
    if not identifier and not secret:
        return {}
    if not identifier or not secret:
        missing = "SECRET" if identifier else "ID"
        raise ConfigurationError(f"PLUGBAY_OAUTH_ZENDESK_CLIENT_{missing} is not set, but its counterpart is.")
    return dict.fromkeys(CONNECTOR_TYPES, (identifier, SecretStr(secret)))


def _read(variable: str, text: str, kind: str) -> Any:
    """The value of a variable; a text that cannot be read is not repeated, as it may be a secret of another."""
    reader = next(reader for prefix, reader in _READERS if kind.startswith(prefix))
    try:
        return reader(text.strip())
    except ValueError as error:
        raise ConfigurationError(f"{variable} must be {_NEEDS[reader]}.") from error


def _flag(text: str) -> bool:
    lower = text.lower()
    if lower not in _TRUE | _FALSE:
        raise ValueError
    return lower in _TRUE


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


_READERS: tuple[tuple[str, Callable[[str], Any]], ...] = (
    ("bool", _flag),
    ("int", int),
    ("float", float),
    ("tuple", _list),
    ("SecretStr", SecretStr),
    ("str", str),
)
_NEEDS: dict[Callable[[str], Any], str] = {_flag: "true or false", int: "a whole number", float: "a number"}
