"""`plugbay serve`: the hosted API, its web page and MCP, from one process."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import sys
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from plugbay.server.app import create_app
from plugbay.server.listening import Process, allow_files, keep_what_stays, listen, loop_factory
from plugbay.server.logs import configure
from plugbay.server.oauth.apps import CALLBACK_PATH
from plugbay.server.run import Access, first_access, opened
from plugbay.server.settings import CONNECTOR_TYPES, Settings

if TYPE_CHECKING:
    from plugbay.sandbox import Sandbox

__all__ = ["of_sandbox", "serve"]

logger = logging.getLogger("plugbay.server")

_OF_SANDBOX = (
    "base_url", "subdomain", "access_token", "refresh_token", "client_id", "client_secret", "email", "api_token",
)  # fmt: skip
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def serve(given: dict[str, Any], *, with_sandbox: bool, as_json: bool) -> int:
    """Runs a server until SIGINT or SIGTERM; once it is ready, prints how to connect.

    Args:
        given: Settings that come before the environment's, by name; None is left to it.
        with_sandbox: Whether to run a sandbox beside it, to which all calls of Zendesk go.
        as_json: Print one line of JSON instead of text for people.

    Returns:
        0 after an orderly end; 1 if it cannot listen.

    Raises:
        PlugbayError: It cannot start; the message says why.
    """
    settings = Settings.from_environment(**given)
    configure(settings.log_level)
    allow_files()
    try:
        bound = listen(settings.host, settings.port, reuse_port=settings.reuse_port)
    except OSError as error:
        print(f"plugbay: {error.strerror}", file=sys.stderr)  # noqa: T201 - a command's output
        return 1
    with ExitStack() as stack:
        stack.callback(bound.close)
        settings = Settings.from_environment(**{**given, "port": bound.getsockname()[1]})
        sandbox = stack.enter_context(_sandbox(settings.public_url)) if with_sandbox else None
        settings = of_sandbox(settings, sandbox) if sandbox else settings
        runner = stack.enter_context(asyncio.Runner(loop_factory=loop_factory()))
        runner.run(_run(settings, bound, sandbox, as_json=as_json))
    return 0


def of_sandbox(settings: Settings, sandbox: Sandbox) -> Settings:
    """Settings with which a sandbox is the Zendesk of all connectors, and its OAuth client the operator's."""
    client = (sandbox.client_id, SecretStr(sandbox.client_secret))
    return replace(
        settings,
        zendesk_url=sandbox.base_url,
        default_subdomain=sandbox.subdomain,
        oauth_clients=dict.fromkeys(CONNECTOR_TYPES, client),
        loopback_redirects=True,
        any_redirects=True,
    )


def _sandbox(public_url: str) -> Sandbox:
    from plugbay.sandbox import Sandbox  # noqa: PLC0415 - most servers have none

    sandbox = Sandbox()
    sandbox.allow_redirect(f"{public_url}{CALLBACK_PATH}")
    return sandbox


async def _run(settings: Settings, bound: socket.socket, sandbox: Sandbox | None, *, as_json: bool) -> None:
    async with opened(settings) as server:
        access = await first_access(server)

        def tell() -> None:
            text = _json(settings, access, sandbox) if as_json else _text(settings, access, sandbox)
            print(text, flush=True)  # noqa: T201 - this is its output
            _warn(settings)
            keep_what_stays()

        await Process(create_app(server), settings, server.drain, on_ready=tell).serve(sockets=[bound])


def _warn(settings: Settings) -> None:
    if not settings.is_https and urlsplit(settings.public_url).hostname not in _LOOPBACK:
        logger.warning("PLUGBAY_PUBLIC_URL is not https: tokens and credentials travel in the clear")


def _facts(settings: Settings, access: Access) -> dict[str, str | None]:
    return {
        "url": settings.public_url,
        "client_id": access.client_id,
        "client_secret": access.client_secret.get_secret_value() if access.client_secret else None,
        "organization_id": access.organization_id,
    }


def _json(settings: Settings, access: Access, sandbox: Sandbox | None) -> str:
    facts: dict[str, Any] = dict(_facts(settings, access))
    if sandbox is not None:
        facts["sandbox"] = {name: getattr(sandbox, name) for name in _OF_SANDBOX}
    return json.dumps(facts)


def _text(settings: Settings, access: Access, sandbox: Sandbox | None) -> str:
    lines = ["plugbay is listening. Stop it with Ctrl-C.", ""]
    lines += [f"  {name:<15}  {value}" for name, value in _facts(settings, access).items() if value is not None]
    if access.client_secret is not None:
        lines += ["", "The client's secret is shown this once. `plugbay admin client create` makes another client."]
    if sandbox is not None:
        lines += ["", "Zendesk is a sandbox:", ""]
        lines += [f"  {name:<15}  {getattr(sandbox, name)}" for name in _OF_SANDBOX]
    return "\n".join(lines)
