"""The first call, made by hand."""

from __future__ import annotations

import json

import pytest


async def entries_of(running):
    """The calls in the audit log."""
    return (await running.server.audit.query(running.organization_id, event="execute")).items


async def test_the_first_call_is_one_click(running, person, connected):
    """The page comes with an action and arguments that work; the call is in the audit log as made here."""
    await person.open(f"/connectors/{connected}/try")
    await person.send(f"/connectors/{connected}/try")
    records = json.loads(person.page.all("pre")[-1].text)
    assert (5, True) == (len(records), "5 records" in person.page.one(role="status").text)
    assert [("web", "tickets", "list", "ok", running.client_id)] == [
        (each.via, each.entity, each.action, each.outcome, each.client_id) for each in await entries_of(running)
    ]


async def test_another_action_can_be_chosen(person, connected):
    """Choosing an action fills in the arguments that it needs, and says what it takes."""
    await person.open(f"/connectors/{connected}/try", action="tickets.get")
    assert {"ticket_id": 1} == json.loads(person.page.one("textarea").text)
    await person.send(f"/connectors/{connected}/try")
    assert 1 == json.loads(person.page.all("pre")[-1].text)["id"]


async def test_nothing_that_writes_is_offered_or_run(running, person, connected):
    """Writes and files are not among the choices, and a form that names one sends nothing."""
    await person.open(f"/connectors/{connected}/try")
    offered = [each["value"] for each in person.page.one("select", id="action").all("option")]
    assert (True, []) == (
        "tickets.list" in offered,
        [each for each in offered if each.endswith(("create", "update", "download"))],
    )
    before = len(running.sandbox.requests)
    await person.send(
        f"/connectors/{connected}/try", action="tickets.create", params='{"subject": "x", "comment": "y"}'
    )
    assert (422, before, []) == (person.answer.status_code, len(running.sandbox.requests), await entries_of(running))


@pytest.mark.parametrize("params", ["{", "[1]", "null", '"x"', "[" * 5000])
async def test_arguments_must_be_an_object(person, connected, params):
    """What is no JSON object is refused at the field, and stays there to be mended."""
    await person.open(f"/connectors/{connected}/try")
    await person.send(f"/connectors/{connected}/try", params=params)
    assert (422, params) == (person.answer.status_code, person.page.one("textarea").text)
    assert "write a JSON object" in person.page.one(id="params-error").text


async def test_a_wrong_argument_is_told(person, connected):
    """What the engine says of an argument stands beside the field."""
    await person.open(f"/connectors/{connected}/try", action="tickets.get")
    await person.send(f"/connectors/{connected}/try", params='{"ticket_id": "none"}')
    assert (422, True) == (person.answer.status_code, "ticket_id" in person.page.one(id="params-error").text)


async def test_the_policy_holds_here_too(running, person, connected):
    """What the organization's policy forbids is not run from the page either."""
    await running.server.organizations.set_policy(running.organization_id, {"deny": ["tickets.*"]})
    await person.open(f"/connectors/{connected}/try")
    await person.send(f"/connectors/{connected}/try")
    assert "not allowed by the policy" in person.problems
    assert ["policy_denied"] == [each.outcome for each in await entries_of(running)]
