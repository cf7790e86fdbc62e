"""An organization's pages show nothing of another's."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("path", ["", "/try", "/disconnect", "/credentials", "/check"])
async def test_a_connector_of_another_organization_is_not_there(stranger, person, connected, path):
    """Its pages are 404 for others, as if it did not exist."""
    await stranger.open(f"/connectors/{connected}{path}")
    assert 404 == stranger.answer.status_code
    assert "The desk" not in stranger.answer.text


@pytest.mark.parametrize("action", ["check", "rename", "disconnect", "authorize", "credentials", "try"])
async def test_nothing_can_be_done_with_a_connector_of_another(running, stranger, connected, action):
    """A form of one's own session does nothing to it."""
    await stranger.open("/connect")
    token = stranger.page.all("input", name="csrf")[0]["value"]
    before = await running.server.connectors.get(running.organization_id, connected)
    answer = await stranger.http.post(
        f"/connectors/{connected}/{action}", data={"csrf": token, "name": "Mine", "action": "tickets.list"}
    )
    assert 404 == answer.status_code
    assert before == await running.server.connectors.get(running.organization_id, connected)


async def test_no_page_of_another_organization_names_anything_of_ours(running, stranger, person, connected):
    """Lists, filters, the log and its exports have only the organization's own."""
    record = await running.server.connectors.get(running.organization_id, connected)
    ours = (connected, record.workspace_id, running.client_id, running.organization_id, "The desk")
    paths = ("/", f"/?workspace={record.workspace_id}", f"/connect?workspace={record.workspace_id}", "/access", "/organizations",
             f"/audit?connector={connected}", "/audit", "/audit.csv", "/audit.jsonl")  # fmt: skip
    for path in paths:
        text = (await stranger.http.get(path)).text.replace(path.partition("=")[2] or "\0", "")
        assert [] == [each for each in ours if each in text], path


async def test_nobody_switches_to_an_organization_that_they_do_not_reach(running, stranger):
    """A client that reaches one organization cannot choose another."""
    await stranger.open("/organizations")
    token = stranger.page.all("input", name="csrf")[0]["value"]
    answer = await stranger.http.post(
        "/organizations", data={"csrf": token, "organization_id": running.organization_id}
    )
    assert 404 == answer.status_code
    answer = await stranger.http.post("/organizations/new", data={"csrf": token, "name": "Mine"})
    assert (404, 2) == (answer.status_code, len(await running.server.organizations.list()))


async def test_a_client_switches_among_those_that_it_reaches(running, visitor):
    """The pages show the other organization from then on, and the session before is ended."""
    other = await running.server.organizations.create("Other")
    await running.server.clients.join(running.client_id, other.id)
    person = await (await visitor()).sign_in(running.client_id, running.client_secret)
    old = person.http.cookies["plugbay"]
    await person.open("/organizations")
    await person.send("/organizations", organization_id=other.id)
    assert "Organization Other Switch Sign out" in person.page.one("header").text
    assert await running.server.bearers.find(old) is None


async def test_the_operator_sees_all_organizations_and_makes_new_ones(running, operator):
    """The operator chooses among all, and a new one is looked at right away."""
    await running.server.organizations.create("Other")
    await operator.open("/organizations")
    assert ["default", "Other"] == [each.text for each in operator.page.one("tbody").all("th")]
    await operator.send("/organizations/new", name="Third")
    assert "Organization Third" in operator.page.one("header").text
    await operator.open("/organizations")
    await operator.send("/organizations/new", name="")
    assert (422, "true") == (operator.answer.status_code, operator.page.one("input", id="name")["aria-invalid"])


async def test_the_operators_sessions_end_with_the_operators_token(sandbox, tmp_path):
    """A session that was begun with one token is worth nothing under another."""
    from pydantic import SecretStr

    from ..serving import serving
    from .visitor import Visitor

    first, second = "the-first-token-" * 2, "the-second-token-" * 2
    database = f"sqlite:///{tmp_path / 'kept.db'}"
    async with serving(sandbox, admin_token=SecretStr(first), database_url=database) as running:
        operator = Visitor(running.url)
        async with operator.http:
            await operator.sign_in_as_operator(first)
            kept = operator.http.cookies["plugbay"]
    for token, heading in ((first, "Connectors"), (second, "Sign in")):
        async with serving(sandbox, admin_token=SecretStr(token), database_url=database) as running:
            operator = Visitor(running.url)
            async with operator.http:
                operator.http.cookies.set("plugbay", kept)
                await operator.open("/")
                assert heading == operator.heading
