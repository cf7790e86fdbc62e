"""A workspace's connectors as tools of the Model Context Protocol."""

from __future__ import annotations

import asyncio
import json

from ..serving import serving
from .browser import Browser
from .office import Office

TOOL = "zendesk_support_execute"
UPDATE = {"ticket_id": 1, "priority": "high"}


async def test_a_tool_for_each_connector(office):
    """A workspace's connectors are one tool each, described for a model, with a plain schema and its annotations."""
    await office.connect()
    await office.connect(kind="zendesk-talk")
    tools = await office.tools(await office.scoped())
    support = tools[TOOL]

    assert [TOOL, "zendesk_talk_execute"] == sorted(tools)
    assert "tickets.list" in support["description"]
    assert "tickets.update" not in support["description"]
    assert "object" == support["inputSchema"]["type"]
    assert {"entity", "action", "params"} == set(support["inputSchema"]["properties"])
    assert (True, False) == (support["annotations"]["readOnlyHint"], support["annotations"]["destructiveHint"])


async def test_a_call_reads(office):
    """A call gives the records as structured content, and the same as JSON text."""
    await office.connect()
    result = await office.use(await office.scoped(), "tickets", "list", {"limit": 2})
    [content] = result["content"]

    assert not result.get("isError")
    assert result["structuredContent"] == json.loads(content["text"])
    assert 2 == len(result["structuredContent"]["data"])


async def test_paging_goes_on(office):
    """The cursor that a model is given goes on exactly behind what it has, in another request."""
    await office.connect()
    token = await office.scoped()
    first = (await office.use(token, "tickets", "list", {"limit": 2}))["structuredContent"]
    cursor = first["meta"]["cursor"]
    second = (await office.use(token, "tickets", "list", {"limit": 2, "cursor": cursor}))["structuredContent"]
    four = (await office.use(token, "tickets", "list", {"limit": 4}))["structuredContent"]

    assert four["data"] == first["data"] + second["data"]


async def test_failures_are_results(office):
    """What cannot be done is a result with isError and no structured content; only an unknown tool has no such result."""
    await office.connect()
    token = await office.scoped()
    given = [
        await office.use(token, "tiket", "list"),
        await office.use(token, "tickets", "get", {"ticket_id": "x"}),
        await office.use(token, "tickets", "get", {"ticket_id": 999_999_999}),
        await office.use(token, "tickets", "update", UPDATE),
        await office.use(token, "tickets", "list", tool="zendesk_chat_execute"),
    ]
    codes = [json.loads(result["content"][0]["text"])["error"]["code"] for result in given[:-1]]

    assert ["unknown_operation", "invalid_parameter", "not_found", "policy_denied"] == codes
    assert [True] * 5 == [result["isError"] for result in given]
    assert all(result.get("structuredContent") is None for result in given)


async def test_arguments_that_do_not_fit(office):
    """Arguments of another form than the schema's are a result that says what fits."""
    await office.connect()
    token = await office.scoped()
    for arguments in ({}, {"entity": "tickets"}, {"entity": "tickets", "action": "list", "other": 1}):
        answer = await office.call(token, "tools/call", {"name": TOOL, "arguments": arguments})
        result = answer.json()["result"]

        assert result["isError"]
        assert "invalid_parameter" in result["content"][0]["text"]


async def test_a_model_writes_only_with_leave(running, office):
    """With the organization's leave a write is done, described, and the tool is no longer marked as reading only."""
    await office.connect()
    token = await office.scoped()
    refused = await office.use(token, "tickets", "update", UPDATE)
    await running.server.organizations.set_policy(running.organization_id, {"allow": ["tickets.get", "tickets.update"]})
    done = await office.use(token, "tickets", "update", UPDATE)
    read = await office.use(token, "tickets", "get", {"ticket_id": 1})
    [tool] = (await office.tools(token)).values()

    assert refused["isError"]
    assert not done.get("isError"), done
    assert "high" == read["structuredContent"]["data"]["priority"]
    assert tool["annotations"]["readOnlyHint"] is False
    assert "tickets.update" in tool["description"]
    assert "tickets.list" not in tool["description"]


async def test_a_policy_that_wants_approval(running, office):
    """An action that a person must agree to first is not done, and the model is told to ask."""
    await office.connect()
    await running.server.organizations.set_policy(running.organization_id, {"confirm": ["tickets.update"]})
    result = await office.use(await office.scoped(), "tickets", "update", UPDATE)

    assert "approval_required" in result["content"][0]["text"]


async def test_calls_are_in_the_audit_log(running, office):
    """Each call is noted with how it came, whose it was, what it called and how it ended; a refused write is one too."""
    connector = await office.connect()
    token = await office.scoped()
    await office.use(token, "tickets", "list", {"limit": 1})
    await office.use(token, "tickets", "update", UPDATE)
    entries = await running.server.audit.query(running.organization_id, connector_id=connector)
    seen = [
        (each.via, each.client_id, each.entity, each.action, each.outcome)
        for each in entries.items
        if each.event == "execute"
    ]

    assert [
        ("mcp", running.client_id, "tickets", "update", "policy_denied"),
        ("mcp", running.client_id, "tickets", "list", "ok"),
    ] == seen


async def test_two_connectors_of_one_type(office):
    """Names of two connectors of one type differ and say which is which; the plain name is nobody's then."""
    ids = [await office.connect(name=name) for name in ("Shop", "Office")]
    token = await office.scoped()
    tools = await office.tools(token)
    gone = await office.use(token, "tickets", "list")
    result = await office.use(token, "tickets", "list", {"limit": 1}, tool=f"zendesk_support_{ids[1][:8]}_execute")

    assert {f"zendesk_support_{each[:8]}_execute" for each in ids} == set(tools)
    assert "Office" in tools[f"zendesk_support_{ids[1][:8]}_execute"]["title"]
    assert "Office" in tools[f"zendesk_support_{ids[1][:8]}_execute"]["description"]
    assert gone["isError"]
    assert 1 == len(result["structuredContent"]["data"])


async def test_a_connector_that_must_be_authorized_again(running, office):
    """Its tool is not offered; who calls it all the same is told what Zendesk says, and once that is good it is back."""
    connector = await office.connect()
    token = await office.scoped()
    await running.server.connectors.set_status(running.organization_id, connector, "needs_reauth", "revoked")
    offered = await office.tools(token)
    result = await office.use(token, "tickets", "list", {"limit": 1})

    assert {} == offered
    assert 1 == len(result["structuredContent"]["data"])
    assert [TOOL] == list(await office.tools(token))


async def test_a_connector_that_was_deleted(running, office):
    """With its connector a tool is gone at once."""
    connector = await office.connect()
    token = await office.scoped()
    await running.http.delete(f"/api/v1/integrations/connectors/{connector}", headers=office.headers)

    assert {} == await office.tools(token)
    assert (await office.use(token, "tickets", "list"))["isError"]


async def test_workspaces_do_not_see_each_other(office):
    """A token is shown its own workspace's tools, and calls no other's, not by its name either."""
    await office.connect("acme")
    await office.connect("zenith", kind="zendesk-talk")
    acme, zenith, empty = [await office.scoped(name) for name in ("acme", "zenith", "empty")]

    assert [TOOL] == list(await office.tools(acme))
    assert ["zendesk_talk_execute"] == list(await office.tools(zenith))
    assert [] == list(await office.tools(empty))
    assert (await office.use(acme, "calls", "list", tool="zendesk_talk_execute"))["isError"]
    assert (await office.use(empty, "tickets", "list"))["isError"]


async def test_calls_at_once_keep_to_their_own(running, office):
    """Requests of different workspaces at the same time are never shown each other's tools or records."""
    names = [f"workspace-{n}" for n in range(4)]
    ids = {name: await office.connect(name) for name in names}
    tokens = {name: await office.scoped(name) for name in names}
    await asyncio.gather(*(office.use(tokens[name], "tickets", "list", {"limit": 1}) for name in names * 5))
    entries = await running.server.audit.query(running.organization_id, limit=200)
    calls = [(each.workspace_id, each.connector_id) for each in entries.items if each.via == "mcp"]
    of = {
        ids[name]: (await running.server.connectors.get(running.organization_id, ids[name])).workspace_id
        for name in names
    }

    assert 20 == len(calls)
    assert {(of[connector], connector) for connector in ids.values()} == set(calls)


async def test_nobody_keeps_a_session(office):
    """No answer gives a session, and none is needed: each request stands for itself."""
    await office.connect()
    token = await office.scoped()
    hello = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    begun = await office.call(token, "initialize", hello)

    assert 200 == begun.status_code
    assert "mcp-session-id" not in begun.headers
    assert [TOOL] == list(await office.tools(token, **{"mcp-session-id": "made-up"}))


async def test_what_is_no_message(running, office):
    """A body that is no message of the protocol is refused as the protocol says, and the server goes on."""
    await office.connect()
    token = await office.scoped()
    headers = {"authorization": f"Bearer {token}", "accept": "application/json, text/event-stream"}
    for body in (b"", b"{", b"[]", b'{"jsonrpc": "2.0"}', b"[" * 10_000):
        sent = {**headers, "content-type": "application/json"}
        answer = await running.http.post("/mcp", content=body, headers=sent)

        assert 400 == answer.status_code
    assert 200 == (await office.call(token)).status_code
    assert 405 == (await running.http.get("/mcp", headers=headers)).status_code


async def test_two_servers_share_everything(sandbox, tmp_path):
    """A code of one process is redeemed at another, and its tokens are good, renewed and ended at both."""
    shared = {"database_url": f"sqlite:///{tmp_path / 'one.db'}", "public_url": "http://127.0.0.1:9"}
    async with serving(sandbox, **shared) as first, serving(sandbox, **shared) as second:
        here, there = Office(first, await first.signed_in()), Office(second, {})
        await here.connect()
        async with Browser(first.url) as browser:
            client_id, code = await here.granted(browser)
        pair = (await there.exchange(client_id, code)).json()
        statuses = [(await office.call(pair["access_token"])).status_code for office in (here, there)]
        renewed = (await here.refresh(client_id, pair["refresh_token"])).json()
        reused = await there.refresh(client_id, pair["refresh_token"])
        ended = [(await office.call(renewed["access_token"])).status_code for office in (here, there)]

    assert [200, 200] == statuses
    assert 400 == reused.status_code
    assert [401, 401] == ended
