"""What was begun is ended only for the same workspace, client and connector; whatever was lost meanwhile gets nothing."""

from __future__ import annotations

import asyncio
import threading

import pytest

from plugbay.server.oauth.problems import TEXTS

from .conftest import APP
from .person import led_to

WORKSPACES = "/api/v1/workspaces"
WHO = "/api/v2/users/me"


async def workspace_of(hosting, name="acme"):
    """The id of a workspace."""
    return (await hosting.server.workspaces.by_name(hosting.organization_id, name)).id


async def delete_workspace(hosting):
    """The workspace is deleted, and another of its name is there for somebody else."""
    workspace_id = await workspace_of(hosting)
    assert 200 == (await hosting.http.delete(f"{WORKSPACES}/{workspace_id}", headers=hosting.headers)).status_code
    await hosting.server.workspaces.ensure(hosting.organization_id, "acme")


async def switch_off(hosting):
    """The workspace is switched off."""
    path = f"{WORKSPACES}/{await workspace_of(hosting)}"
    assert 200 == (await hosting.http.put(path, json={"status": "inactive"}, headers=hosting.headers)).status_code


async def revoke(hosting):
    """The client is revoked."""
    assert await hosting.server.clients.revoke(hosting.organization_id, hosting.running.client_id)


LOSSES = [(delete_workspace, "workspace_not_found"), (switch_off, "workspace_inactive"), (revoke, "client_revoked")]


@pytest.mark.parametrize(("lose", "code"), LOSSES)
@pytest.mark.parametrize("is_scoped", [False, True])
async def test_what_was_lost_before_the_answer(hosting, person, lose, code, is_scoped):
    """The browser goes back and says what was lost; the code is not redeemed, and neither connector nor workspace is made."""
    headers = await hosting.scoped("acme") if is_scoped else None
    callback = await person.callback_for(await hosting.consent_url(headers))
    await lose(hosting)
    before = (await hosting.server.workspaces.list(hosting.organization_id)).items
    answer = await person.open(callback)

    assert (303, APP, {"error": code, "error_description": TEXTS[code]}) == led_to(answer)
    assert ([], [], before) == (
        hosting.exchanges(),
        await hosting.connectors(),
        (await hosting.server.workspaces.list(hosting.organization_id)).items,
    )


@pytest.mark.parametrize(("lose", "code"), LOSSES)
async def test_what_was_lost_while_zendesk_answers(hosting, person, lose, code):
    """What is lost after the code was redeemed keeps nothing either, and the tokens are revoked at Zendesk."""
    loop, arrived, gone = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def hold(_request):
        loop.call_soon_threadsafe(arrived.set)
        return gone.wait(30)

    callback = await person.callback_for(await hosting.consent_url())
    before = set(hosting.sandbox.account.tokens)
    hosting.sandbox.fail(WHO, match=hold, delay=0.001)
    coming = asyncio.ensure_future(person.open(callback))
    await arrived.wait()
    try:
        await lose(hosting)
    finally:
        gone.set()
    answer = await coming

    assert (303, code) == (answer.status_code, led_to(answer)[2]["error"])
    assert ([201], [], before) == (
        hosting.exchanges(),
        await hosting.connectors(),
        set(hosting.sandbox.account.tokens),
    )


@pytest.mark.parametrize(("lose", "code"), LOSSES)
async def test_what_was_lost_before_the_person_goes_on(hosting, person, lose, code):
    """Who presses the button of a page whose ground is gone is led back at once, and Zendesk is not asked."""
    page = await person.open(await hosting.consent_url())
    await lose(hosting)
    answer = await person.press(page, decision="continue")

    assert (303, APP, code) == (*led_to(answer)[:2], led_to(answer)[2]["error"])
    assert [] == hosting.sandbox.requests


async def test_the_page_of_a_deleted_workspace(hosting, person):
    """The page of an authorization whose workspace is gone is one that is no longer valid."""
    url = await hosting.consent_url()
    await delete_workspace(hosting)

    assert 410 == (await person.open(url)).status_code


async def test_a_renamed_workspace_is_the_same(hosting, person):
    """A consent for a workspace that was renamed makes its connector there, though another has the name by now."""
    url = await hosting.consent_url(await hosting.scoped("acme"))
    workspace_id = await workspace_of(hosting)
    await hosting.server.workspaces.update(hosting.organization_id, workspace_id, name="acme before")
    await hosting.server.workspaces.ensure(hosting.organization_id, "acme")
    assert "acme before" in (await person.open(url)).text
    await person.connect(url)
    (record,) = await hosting.connectors()

    assert (workspace_id, "acme before") == (record.workspace_id, record.workspace_name)


async def test_a_client_that_was_thrown_out_of_one_organization(hosting, person):
    """A client of several organizations gets nothing in one that has taken its access away, and what it asked for elsewhere."""
    second = await hosting.server.organizations.create("second")
    await hosting.server.clients.join(hosting.running.client_id, second.id)
    there = {**hosting.headers, "x-organization-id": second.id}
    lost, kept = [await person.callback_for(await hosting.consent_url(each)) for each in (there, hosting.headers)]
    await hosting.server.clients.revoke(second.id, hosting.running.client_id)

    assert ["client_revoked", None] == [led_to(await person.open(each))[2].get("error") for each in (lost, kept)]
    assert [0, 1] == [len(await hosting.connectors(each)) for each in (second.id, None)]


async def test_credentials_of_a_connector_are_not_renewed_for_a_revoked_client(hosting, person):
    """An authorization that a revoked client began leaves the credentials of the connector as they are."""
    first = led_to(await person.connect(await hosting.consent_url()))[2]["connector_id"]
    before = await hosting.server.secrets.get(hosting.organization_id, f"connector/{first}")
    callback = await person.callback_for(await hosting.consent_url(connector_id=first))
    await revoke(hosting)

    assert "client_revoked" == led_to(await person.open(callback))[2]["error"]
    assert before == await hosting.server.secrets.get(hosting.organization_id, f"connector/{first}")
