"""`plugbay admin`: the operator's work on a server's database, whether the server runs or not."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from plugbay.errors import ConfigurationError, InvalidParameterError, NotFoundError
from plugbay.plain_text import one_line
from plugbay.server.api.naming import LONGEST_NAME
from plugbay.server.auditing import tell_audit
from plugbay.server.caller import Caller
from plugbay.server.oauth.redirects import is_usable
from plugbay.server.policies import check_policy
from plugbay.server.run import opened
from plugbay.server.settings import Settings
from plugbay.server.state import Server
from plugbay.server.store import Organization

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ["run"]

Options = argparse.Namespace
Rows = Sequence[dict[str, Any]]
Command = Callable[[Server, Options], Awaitable[dict[str, Any] | Rows | None]]

REWRAPPED_AT_ONCE = 100

CREATES = "organization create"
"""The one command that makes a database where there is none."""

UPGRADES = "database upgrade"
"""The one command that changes an older version's tables: looking at them must not stop the servers that use them."""

_OBJECT = TypeAdapter(dict[str, Any])


def run(options: Options) -> int:
    """Runs one command and prints what it gives.

    Args:
        options: Of the command line: `command` names the command, the rest are its arguments.

    Returns:
        0.

    Raises:
        PlugbayError: It cannot be done; the message says why.
    """
    return asyncio.run(_run(options))


async def _run(options: Options) -> int:
    settings = Settings.from_environment(database_url=options.db, key_file=options.key_file)
    command: str = options.command
    async with opened(settings, create=command == CREATES, upgrade=command == UPGRADES) as server:
        found = await COMMANDS[command](server, options)
    if found is not None:
        print(_shown(found, as_json=options.json))  # noqa: T201 - a command's output
    return 0


async def _create_organization(server: Server, options: Options) -> dict[str, Any]:
    return _organization(await server.organizations.create(_name(options.name)))


async def _list_organizations(server: Server, _options: Options) -> Rows:
    return [_organization(each) for each in await server.organizations.list()]


async def _create_client(server: Server, options: Options) -> dict[str, Any]:
    name = _name(options.name)
    await _get(server, options.organization)
    async with server.database.begin() as connection:
        client, secret = await server.clients.create(options.organization, name, connection=connection)
        await _note(
            server, options.organization, "client.created", client.id, {"name": client.name}, connection=connection
        )
    return {"client_id": client.id, "client_secret": secret, "organization_id": client.organization_id}


async def _list_clients(server: Server, options: Options) -> Rows:
    await _get(server, options.organization)
    return [
        {
            "client_id": each.id,
            "name": each.name,
            "organization_id": each.organization_id,
            "created_at": _moment(each.created_at),
            "revoked_at": None if each.revoked_at is None else _moment(each.revoked_at),
        }
        for each in await server.clients.list(options.organization)
    ]


async def _revoke_client(server: Server, options: Options) -> dict[str, Any]:
    await _get(server, options.organization)
    async with server.database.begin() as connection:
        if not await server.clients.revoke(options.organization, options.client, connection=connection):
            raise NotFoundError("The organization has no such client, or it was revoked before.")
        await _note(server, options.organization, "client.revoked", options.client, connection=connection)
    return {"client_id": options.client, "revoked": True}


async def _join_client(server: Server, options: Options) -> dict[str, Any]:
    await _get(server, options.organization)
    async with server.database.begin() as connection:
        await server.clients.join(options.client, options.organization, connection=connection)
        await _note(server, options.organization, "client.joined", options.client, connection=connection)
    return {"client_id": options.client, "organizations": await server.clients.organizations_of(options.client)}


async def _add_redirect(server: Server, options: Options) -> Rows:
    if not is_usable(options.url):
        raise InvalidParameterError(
            "The URL cannot be one that a browser is sent back to.",
            hint="Give an https URL, or http on a loopback address, with the host in lower case and no fragment.",
        )
    known = (await _get(server, options.organization)).redirect_urls
    return await _set_redirects(server, options.organization, list(dict.fromkeys([*known, options.url])))


async def _remove_redirect(server: Server, options: Options) -> Rows:
    known = (await _get(server, options.organization)).redirect_urls
    if options.url not in known:
        raise NotFoundError("The organization does not allow this URL.")
    return await _set_redirects(server, options.organization, [url for url in known if url != options.url])


async def _list_redirects(server: Server, options: Options) -> Rows:
    return [{"url": url} for url in (await _get(server, options.organization)).redirect_urls]


async def _set_redirects(server: Server, organization_id: str, urls: list[str]) -> Rows:
    async with server.database.begin() as connection:
        await server.organizations.set_redirect_urls(organization_id, urls, connection=connection)
        await _note(server, organization_id, "redirects.set", content={"redirect_urls": urls}, connection=connection)
    return [{"url": url} for url in urls]


async def _show_policy(server: Server, options: Options) -> dict[str, Any]:
    return (await _get(server, options.organization)).policy


async def _set_policy(server: Server, options: Options) -> dict[str, Any]:
    await _get(server, options.organization)
    try:
        policy = _OBJECT.validate_json(options.policy)
    except ValidationError:
        raise InvalidParameterError("The policy is not a JSON object.") from None
    try:
        check_policy(policy)
    except TypeError:
        raise ConfigurationError(
            "The policy has a field that there is not.", hint="There are allow, deny, confirm and dry_run."
        ) from None
    async with server.database.begin() as connection:
        changed = await server.organizations.set_policy(options.organization, policy, connection=connection)
        await _note(server, options.organization, "policy.set", content={"policy": policy}, connection=connection)
    return changed.policy


async def _upgraded(_server: Server, _options: Options) -> dict[str, Any]:
    return {"tables": "up to date"}


async def _rotate_key(server: Server, _options: Options) -> dict[str, Any]:
    rewrapped = 0
    while count := await server.secrets.rewrap(REWRAPPED_AT_ONCE):
        rewrapped += count
    return {"rewrapped": rewrapped, "left": await server.secrets.stale(), "key_id": await server.vault.newest()}


async def _export_audit(server: Server, options: Options) -> None:
    await _get(server, options.organization)
    entries = server.audit.export(options.organization, since=_seconds(options.since), until=_seconds(options.until))
    async for entry in entries:
        line = {**asdict(entry), "at": _moment(entry.at)}
        sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")


COMMANDS: dict[str, Command] = {
    CREATES: _create_organization,
    "organization list": _list_organizations,
    "client create": _create_client,
    "client list": _list_clients,
    "client revoke": _revoke_client,
    "client join": _join_client,
    "redirect add": _add_redirect,
    "redirect remove": _remove_redirect,
    "redirect list": _list_redirects,
    "policy show": _show_policy,
    "policy set": _set_policy,
    UPGRADES: _upgraded,
    "key rotate": _rotate_key,
    "audit export": _export_audit,
}


async def _get(server: Server, organization_id: str) -> Organization:
    found = await server.organizations.get(organization_id)
    if found is not None:
        return found
    named = [each.id for each in await server.organizations.list() if each.name == organization_id]
    known = f"the id of that name is {named[0]}" if len(named) == 1 else "see `plugbay admin organization list`"
    raise NotFoundError("There is no such organization.", hint=f"ORGANIZATION is an id; {known}.")


def _name(given: str) -> str:
    name = one_line(given).strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise InvalidParameterError(f"The name must have 1 to {LONGEST_NAME} characters.")
    return name


async def _note(
    server: Server,
    organization_id: str,
    event: str,
    subject: str | None = None,
    content: dict[str, Any] | None = None,
    *,
    connection: AsyncConnection,
) -> None:
    operator = Caller(organization_id, None, is_admin=True, via="cli")
    await tell_audit(server, operator, event, subject=subject, content=content, connection=connection)


def _organization(found: Organization) -> dict[str, Any]:
    return {"organization_id": found.id, "name": found.name, "created_at": _moment(found.created_at)}


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _seconds(moment: datetime | None) -> float | None:
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _shown(found: dict[str, Any] | Rows, *, as_json: bool) -> str:
    if as_json:
        return json.dumps(found)
    if isinstance(found, dict):
        width = max(map(len, found), default=0)
        return "\n".join(f"{name:<{width}}  {_word(value)}" for name, value in found.items()) or "(empty)"
    return _table(found) if found else "(none)"


def _table(rows: Rows) -> str:
    lines = [[*rows[0]], *([_word(value) for value in each.values()] for each in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _word(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value)
