"""A cluster in place: a database, a Zendesk, processes of the server, and the ways to them."""

from __future__ import annotations

import base64
import os
import secrets
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from chaos.cluster.desk import Desk
from chaos.cluster.members import Member
from chaos.cluster.truth import Truth
from plugbay.hosted import Workspace
from plugbay.sandbox import Sandbox
from plugbay.server.keys import StaticKeys
from plugbay.server.oauth.apps import CALLBACK_PATH
from plugbay.server.vault import Vault
from plugbay.types import AirbyteAuthConfig

__all__ = ["TIMEOUT", "WORKSPACE", "Field", "field"]

WORKSPACE = "cluster"
TIMEOUT = 60.0
HOSTS = ("127.0.0.1", "localhost", "localhost")
"""What each process calls Zendesk's host; there are no three names of loopback that all machines know."""

TOKEN_LIFE = 6.0
"""Seconds that a token of our API lives, so that many are asked for."""

TICKETS = 60


class Field:
    """What the tasks of a run work with.

    Args:
        url: Where the processes listen.
        members: The processes.
        desk: Zendesk's.
        sandbox: Zendesk.
        truth: The database.
    """

    def __init__(self, url: str, members: list[Member], desk: Desk, sandbox: Sandbox, truth: Truth) -> None:
        self.url = url
        self.members = members
        self.desk = desk
        self.sandbox = sandbox
        self.truth = truth
        said = next(member.said for member in members if member.said.get("client_secret"))
        self._said = said
        self.organization_id = str(said["organization_id"])
        self.tickets = sorted(sandbox.account.tickets)
        self.open_tickets = [
            number for number, ticket in sandbox.account.tickets.items() if ticket["status"] != "closed"
        ]
        self.users = frozenset(sandbox.account.users)

    def config(self, connector_id: str | None = None) -> AirbyteAuthConfig:
        """The way to the cluster, and to a connector."""
        return AirbyteAuthConfig(
            workspace_name=WORKSPACE if connector_id is None else None,
            connector_id=connector_id,
            airbyte_client_id=self._said["client_id"],
            airbyte_client_secret=SecretStr(self._said["client_secret"]),
            api_url=self.url,
        )

    def workspace(self, **settings: Any) -> Workspace:
        """The workspace that all connectors are in."""
        return Workspace(auth_config=self.config(), timeout=TIMEOUT, **settings)

    async def ask(self, question: str) -> Any:
        """The desk's answer."""
        async with httpx.AsyncClient(base_url=self.sandbox.base_url, timeout=30, trust_env=False) as http:
            return (await http.post(f"/chaos/{question}", json={})).raise_for_status().json()

    @property
    def application(self) -> dict[str, str]:
        """The client's id and secret."""
        return {"client_id": self._said["client_id"], "client_secret": self._said["client_secret"]}


@asynccontextmanager
async def field(url: str, folder: Path, seed: int) -> AsyncGenerator[Field]:
    """A cluster of which one process runs; whatever of it is left at the end is killed.

    Args:
        url: An empty PostgreSQL database.
        folder: Where logs go.
        seed: Of Zendesk's data.
    """
    port, keys = _free_port(), f"a:{base64.b64encode(secrets.token_bytes(32)).decode()}"
    with Sandbox(seed=seed, tickets=TICKETS, calls=10, plan=None) as sandbox:
        desk = Desk(sandbox)
        sandbox.fail_with(desk.choose)
        sandbox.allow_redirect(f"http://127.0.0.1:{port}{CALLBACK_PATH}")
        environment = _environment(url, port, keys, sandbox)
        members = [Member(number, environment, host, folder) for number, host in enumerate(HOSTS)]
        await members[0].start()
        vault = Vault(StaticKeys.parse(SecretStr(keys)))
        truth = Truth(url, vault, members[0].said["organization_id"])
        try:
            await truth.begin()
            yield Field(f"http://127.0.0.1:{port}", members, desk, sandbox, truth)
        finally:
            await truth.close()
            for member in members:
                if member.pid is not None:
                    await member.kill()


def _environment(url: str, port: int, keys: str, sandbox: Sandbox) -> dict[str, str]:
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, (str(Path("core").resolve()), os.environ.get("PYTHONPATH")))),
        "PLUGBAY_DATABASE_URL": url,
        "PLUGBAY_PORT": str(port),
        "PLUGBAY_MASTER_KEYS": keys,
        "PLUGBAY_ZENDESK_URL": sandbox.base_url,
        "PLUGBAY_DEFAULT_SUBDOMAIN": sandbox.subdomain,
        "PLUGBAY_OAUTH_ZENDESK_CLIENT_ID": sandbox.client_id,
        "PLUGBAY_OAUTH_ZENDESK_CLIENT_SECRET": sandbox.client_secret,
        "PLUGBAY_LOOPBACK_REDIRECTS": "true",
        "PLUGBAY_RATE_PER_MINUTE": "1000000",
        "PLUGBAY_SIGN_IN_PER_MINUTE": "1000000",
        "PLUGBAY_TOKEN_LIFETIME": str(TOKEN_LIFE),
        "PLUGBAY_AUDIT_CONTENT": "true",
        "PLUGBAY_LOG_LEVEL": "info",
    }


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
