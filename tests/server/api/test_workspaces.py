"""Workspaces: listed, changed, deleted."""

from __future__ import annotations

from .conftest import CONNECTORS

PATH = "/api/v1/workspaces"


async def made(api, *names):
    """The ids of new workspaces."""
    return [(await api.running.server.workspaces.ensure(api.running.organization_id, name)).id for name in names]


async def test_pages_of_workspaces_hold_each_once(api):
    """The cursors lead through all workspaces, the oldest first."""
    expected = await made(api, *(f"w{number:02}" for number in range(7)))
    found, cursor = [], None
    while True:
        page = await api.ok("GET", PATH, params={"limit": 3, **({"cursor": cursor} if cursor else {})})
        found += [each["id"] for each in page["data"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert expected == found


async def test_workspaces_are_found_by_name_and_status(api):
    """Both filters narrow the list; signs that databases know patterns by are plain characters."""
    _, second, _ = await made(api, "Support EU", "support us", "100% sales")
    await api.ok("PUT", f"{PATH}/{second}", {"status": "inactive"})
    by_name = await api.ok("GET", PATH, params={"name_contains": "support"})
    assert ["Support EU", "support us"] == [each["name"] for each in by_name["data"]]
    inactive = await api.ok("GET", PATH, params={"status": "inactive"})
    assert ["support us"] == [each["name"] for each in inactive["data"]]
    literal = await api.ok("GET", PATH, params={"name_contains": "%"})
    assert ["100% sales"] == [each["name"] for each in literal["data"]]


async def test_a_workspace_is_renamed_and_its_name_is_its_own(api):
    """A new name holds from then on; one that another workspace has is a conflict."""
    first, _ = await made(api, "one", "two")
    changed = await api.ok("PUT", f"{PATH}/{first}", {"name": "uno", "cache_enabled": True})
    assert ("uno", True, "active") == (changed["name"], changed["cache_enabled"], changed["status"])
    assert "conflict" == (await api.refused(409, "PUT", f"{PATH}/{first}", {"name": "two"}))["error"]["code"]


async def test_with_a_workspace_go_its_connectors_and_their_secrets(api):
    """After a workspace is deleted neither its connectors nor their credentials are there."""
    connector_id = await api.create("acme")
    server, organization = api.running.server, api.running.organization_id
    workspace = await server.workspaces.by_name(organization, "acme")
    await api.ok("DELETE", f"{PATH}/{workspace.id}")
    await api.refused(404, "GET", f"{PATH}/{workspace.id}")
    await api.refused(404, "GET", f"{CONNECTORS}/{connector_id}")
    assert None is await server.secrets.get(organization, f"connector/{connector_id}")


async def test_the_connectors_of_an_inactive_workspace_do_not_run(api, connector_id):
    """While a workspace is switched off its connectors are refused, and Zendesk hears nothing."""
    workspace = await api.running.server.workspaces.by_name(api.running.organization_id, "acme")
    await api.ok("PUT", f"{PATH}/{workspace.id}", {"status": "inactive"})
    api.running.sandbox.requests.clear()
    call = {"entity": "tickets", "action": "list"}
    refused = await api.refused(403, "POST", f"{CONNECTORS}/{connector_id}/execute", call)
    assert "workspace_inactive" == refused["errors"][0]["error_code"]
    await api.refused(403, "POST", f"{CONNECTORS}/{connector_id}/check")
    await api.refused(403, "PUT", f"{CONNECTORS}/{connector_id}", {"credentials": {"access_token": "another"}})
    assert [] == api.running.sandbox.requests
    await api.ok("PUT", f"{PATH}/{workspace.id}", {"status": "active"})
    await api.execute(connector_id, "tickets", "list", {"limit": 1})


async def test_a_scoped_token_sees_its_own_workspace_alone(api):
    """Another workspace of the same organization is as if it were not there, and nothing can be changed."""
    (other,) = await made(api, "other")
    scoped = await api.scoped("mine")
    listed = await scoped.ok("GET", PATH)
    assert ["mine"] == [each["name"] for each in listed["data"]]
    assert [] == (await scoped.ok("GET", PATH, params={"name_contains": "other"}))["data"]
    await scoped.refused(404, "GET", f"{PATH}/{other}")
    await scoped.refused(403, "PUT", f"{PATH}/{listed['data'][0]['id']}", {"name": "x"})
    await scoped.refused(403, "DELETE", f"{PATH}/{listed['data'][0]['id']}")
