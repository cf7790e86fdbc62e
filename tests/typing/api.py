"""What a user's type checker sees; checked, never run.

A line that must be refused carries an `ignore` for each checker, which would itself be an error if nothing were wrong.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, assert_type

from plugbay import Listing, Page, Policy, Result, connect, list_connectors, tool_utils
from plugbay.connector import Connector
from plugbay.connectors.zendesk_support import ZendeskSupportConnector
from plugbay.connectors.zendesk_support.attachments import FilePart
from plugbay.connectors.zendesk_support.models import ZendeskSupportApiTokenAuthConfig, ZendeskSupportOauth20AuthConfig
from plugbay.connectors.zendesk_support.ticket_comments import Comment
from plugbay.connectors.zendesk_support.tickets import Ticket, Tickets
from plugbay.connectors.zendesk_support.users import User
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector
from plugbay.download import Download, SavedFile
from plugbay.hosted import ConnectorInfo, Workspace
from plugbay.types import AirbyteAuthConfig


def build() -> ZendeskSupportConnector:
    """Connectors are built from credentials."""
    assert_type(list_connectors(), list[str])
    ZendeskTalkConnector(ZendeskSupportApiTokenAuthConfig(email="a@b.c", api_token="t"), base_url="http://127.0.0.1:1")
    return ZendeskSupportConnector(
        auth_config=ZendeskSupportOauth20AuthConfig(access_token="t"),
        subdomain="acme",
        policy=Policy(read_only=True, deny=["tickets.*"]),
    )


async def hosted(slug: str) -> None:
    """A hosted connector is typed by its slug, and a workspace gives typed ones as well."""
    assert_type(connect("zendesk-support"), ZendeskSupportConnector)
    assert_type(connect("zendesk-talk", workspace_name="acme", timeout=5), ZendeskTalkConnector)
    assert_type(connect(slug, client_id="a", client_secret="b", policy=Policy(read_only=True)), Connector)
    assert_type(
        connect("zendesk-support", auth_config=AirbyteAuthConfig(workspace_name="acme")), ZendeskSupportConnector
    )
    ZendeskSupportConnector(auth_config=AirbyteAuthConfig(airbyte_client_secret="s", connector_id="i"))
    assert_type((await connect("zendesk-support").tickets.get(1))["id"], int)
    workspace = Workspace("acme", client_id="a", client_secret="b", max_attempts=1)
    assert_type(workspace.connect("zendesk-talk"), ZendeskTalkConnector)
    assert_type(await workspace.list_connectors(), list[ConnectorInfo])
    token = ZendeskSupportApiTokenAuthConfig(email="a@b.c", api_token="t")
    assert_type(await workspace.create_connector("zendesk-support", token, subdomain="acme"), ConnectorInfo)
    assert_type(await workspace.get_connector(name="Ours"), Connector)
    assert_type(await workspace.initiate_oauth("zendesk-support", "https://a.b/c"), str)
    connect("zendesk-support", workspace="acme")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    connect("zendesk-support", subdomain="acme")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]


async def typed(zd: ZendeskSupportConnector) -> None:
    """Typed calls."""
    assert_type(zd.tickets, Tickets)
    assert_type(await zd.tickets.get(ticket_id=1), Ticket)
    assert_type(await zd.tickets.get(1), Ticket)
    assert_type(await zd.tickets.create(subject="s", comment={"body": "b"}), Ticket)
    assert_type(await zd.tickets.update(1, status="open", assignee_id=None), Ticket)
    assert_type(await zd.ticket_comments.create(1, "b", public=True), Comment)
    assert_type((await zd.tickets.get(1))["id"], int)


async def lists(zd: ZendeskSupportConnector) -> None:
    """A list is awaited for a page and iterated for all."""
    assert_type(zd.tickets.list(), Listing[Ticket])
    page = await zd.tickets.list(limit=10)
    assert_type(page, Page[Ticket])
    assert_type(page.data, list[Ticket])
    assert_type(page.meta.cursor, str | None)
    assert_type(page.meta.has_more, bool | None)
    async for ticket in zd.tickets.list():
        assert_type(ticket, Ticket)
    for user in await zd.users.search("ann"):
        assert_type(user, User)


async def files(zd: ZendeskSupportConnector) -> None:
    """A download is awaited for a window, written to a path, or iterated by its pieces."""
    assert_type(zd.attachments.download(1), Download[FilePart])
    assert_type(await zd.attachments.download(1, offset=5), FilePart)
    assert_type(await zd.attachments.download(1).to(Path("a"), overwrite=True, progress=print), SavedFile)
    assert_type((await zd.attachments.download(1).to("a"))["path"], str)
    async for piece in zd.attachments.download(1).pieces(max_bytes=10):
        assert_type(piece, bytes)
    await zd.attachments.download(1).to(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await zd.attachments.download(1).to("a", offset=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    async for _ in zd.attachments.download(1):  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        pass


async def by_name(zd: ZendeskSupportConnector) -> None:
    """Calls by name."""
    result = await zd.execute("tickets", "get", {"ticket_id": 1}, select_fields=["id"])
    assert_type(result, Result)
    assert_type(result.model_dump(mode="json"), dict[str, Any])
    assert_type(zd.sync.execute("tickets", "get", {"ticket_id": 1}), Result)
    assert_type(zd.describe(), str)
    assert_type(ZendeskSupportConnector.describe("tickets", "get"), str)
    assert_type(ZendeskSupportConnector.list_entities(), list[dict[str, Any]])


async def block() -> None:
    """In a block a connector keeps its type."""
    async with build() as zd:
        assert_type(zd, ZendeskSupportConnector)


def decorated() -> None:
    """A decorated function keeps its signature."""

    @tool_utils
    def bare(x: int) -> str:
        return str(x)

    @tool_utils(build(), framework="langchain", max_output_chars=5_000)
    async def configured(entity: str, action: str) -> Result:
        return await build().execute(entity, action)

    assert_type(bare(1), str)
    bare("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    configured("tickets")  # type: ignore[call-arg, unused-coroutine]  # pyright: ignore[reportCallIssue, reportUnusedCoroutine]
    tool_utils(max_output_char=5)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]


async def refused(zd: ZendeskSupportConnector) -> None:
    """What a checker must refuse."""
    await zd.tickets.get("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await zd.tickets.get()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await zd.tickets.get(1, colour="red")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await zd.tickets.update(1, status="ajar")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await zd.tickets.update(1, "open")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await zd.tickets.create(subject="s", comment={"bdy": "b"})  # type: ignore[typeddict-unknown-key]  # pyright: ignore[reportArgumentType]
    (await zd.tickets.get(1))["nothing"]  # type: ignore[typeddict-item]  # pyright: ignore[reportTypedDictNotRequiredAccess, reportGeneralTypeIssues]
    _ = zd.ticket  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    await zd.tickets.gett(1)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    Policy(readonly=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Policy(True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    for _ in zd.tickets.list():  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        pass
