"""What may be done."""

from __future__ import annotations

import pytest

from plugbay import ApprovalRequiredError, ConfigurationError, Policy, PolicyDeniedError
from plugbay.context import ToolCall, current_tool_call, open_tool_call
from plugbay.policy import Verdict

BOX = {"box": {"id": 1, "name": "A"}}


FREE = Policy(read_only=False)


@pytest.mark.parametrize(
    ("policy", "action", "expected"),
    [
        (Policy(), "delete", Verdict.ALLOW),
        (Policy(read_only=True), "get", Verdict.ALLOW),
        (Policy(read_only=True), "list", Verdict.ALLOW),
        (Policy(read_only=True), "create", Verdict.DENY),
        (Policy(read_only=True), "delete", Verdict.DENY),
        (Policy(read_only=True, allow=["boxes.create"]), "create", Verdict.DENY),
        (Policy(allow=["boxes.get"]), "list", Verdict.DENY),
        (Policy(allow=["*.get", "boxes.up*"]), "update", Verdict.ALLOW),
        (Policy(allow=["boxes.*"], deny=["*.delete"]), "delete", Verdict.DENY),
        (Policy(deny=["*"]), "get", Verdict.DENY),
        (Policy(confirm=["boxes.*"], deny=["*.delete"]), "delete", Verdict.DENY),
        (Policy(confirm=["boxes.*"], read_only=True), "create", Verdict.DENY),
        (Policy(confirm=["boxes.*"]), "create", Verdict.CONFIRM),
        (Policy(confirm=["boxes.*"], allow=["boxes.create"]), "create", Verdict.CONFIRM),
    ],
)
def test_order_of_rules(worlds, policy, action, expected):
    """Deny wins over allow, allow over read-only, read-only over confirm."""
    assert expected is policy.verdict(worlds.Cellar.find("boxes", action))


@pytest.mark.parametrize("pattern", ["tickets", "a.b.c", "", ".", "tickets.", ".get", "tickets .get", "a.b ", None, 5])
def test_patterns_are_checked(pattern):
    """A pattern that could match nothing is refused: a ban with a slip in it would ban nothing."""
    with pytest.raises(ConfigurationError, match="is not a pattern"):
        Policy(deny=[pattern])


def test_one_text_is_not_a_list():
    """A text where a list of patterns belongs is refused; its letters would be the patterns."""
    with pytest.raises(ConfigurationError, match="takes a list"):
        Policy(deny="tickets.*")


async def test_programmer_is_free(world):
    """Outside a tool call nothing is restricted unless the connector's policy says so."""
    result = await world.cellar(BOX).execute("boxes", "create", {"name": "A"})

    assert BOX["box"] == result.data


async def test_connectors_policy_holds_for_a_programmer(world):
    """A connector's own policy holds for everybody, in typed calls, too."""
    cellar = world.cellar(BOX, policy=Policy(deny=["boxes.update"]))

    with pytest.raises(PolicyDeniedError) as caught:
        await cellar.boxes.update(1, name="B")

    assert {"action": "boxes.update", "effect": "write"} == caught.value.details
    assert "Nothing was sent" in caught.value.hint
    assert [] == world.requests


@pytest.mark.parametrize("action", ["create", "update", "delete"])
async def test_model_only_reads(world, action):
    """A model's call is read-only when nobody said anything."""
    params = {"create": {"name": "A"}, "update": {"box_id": 1, "name": "A"}, "delete": {"box_id": 1}}[action]

    with open_tool_call(ToolCall("t")), pytest.raises(PolicyDeniedError):
        await world.cellar(BOX).execute("boxes", action, params)

    assert [] == world.requests


@pytest.mark.parametrize(
    ("connector", "tool", "only", "allowed"),
    [
        (None, None, None, False),
        (Policy(), None, None, False),
        (None, Policy(deny=["boxes.delete"]), None, False),
        (None, Policy(allow=["*.get"]), None, False),
        (None, Policy(allow=["boxes.create"]), None, True),
        (Policy(deny=["boxes.delete"]), Policy(allow=["boxes.*"]), None, True),
        (FREE, None, None, True),
        (None, FREE, None, True),
        (FREE, FREE, None, True),
        (Policy(read_only=True), FREE, None, False),
        (FREE, Policy(read_only=True), None, False),
        (None, None, Policy(allow=["boxes.*"]), False),
        (FREE, None, Policy(allow=["boxes.get"]), False),
        (FREE, None, Policy(allow=["boxes.create"]), True),
    ],
)
async def test_everybody_must_agree(world, connector, tool, only, allowed):
    """A model's write needs leave from the connector's policy or the tool's, and no from neither."""
    cellar = world.cellar(BOX, policy=connector)

    with open_tool_call(ToolCall("t", policy=tool, only=only)):
        if allowed:
            await cellar.boxes.create(name="A")
        else:
            with pytest.raises(PolicyDeniedError):
                await cellar.boxes.create(name="A")

    assert [allowed] == [bool(world.requests)]


async def test_policy_of_a_list(world):
    """A list is asked for when it is read, so its policy is, too."""
    cellar = world.cellar({"boxes": []}, policy=Policy(allow=["boxes.get"]))

    with pytest.raises(PolicyDeniedError):
        await cellar.boxes.list()
    with pytest.raises(PolicyDeniedError):
        [box async for box in cellar.boxes.list()]


async def test_confirm(world):
    """What a person must agree to is not sent, and the error says what it is."""
    with pytest.raises(ApprovalRequiredError) as caught:
        await world.cellar(BOX, policy=Policy(confirm=["boxes.delete"])).boxes.delete(1)

    assert {"action": "boxes.delete", "effect": "destructive"} == caught.value.details
    assert [] == world.requests


async def test_dry_run_shows_the_request(world):
    """In a dry run a write is bound and shown, and not sent."""
    cellar = world.cellar(BOX, policy=Policy(dry_run=True))

    result = await cellar.execute("boxes", "update", {"box_id": 1, "owner": None, "dry": True})

    sent = {"method": "PUT", "path": "/boxes/1", "query": {"dry": "true"}, "body": {"box": {"owner": None}}}
    assert {"would_send": sent} == result.data
    assert True is result.meta.dry_run
    assert [] == world.requests


async def test_dry_run_reads(world):
    """A dry run still reads."""
    assert BOX["box"] == await world.cellar(BOX, policy=Policy(dry_run=True)).boxes.get(1)


async def test_dry_run_is_no_leave(world):
    """What is denied is denied in a dry run, too."""
    with pytest.raises(PolicyDeniedError):
        await world.cellar(BOX, policy=Policy(dry_run=True, deny=["*.delete"])).boxes.delete(1)


def test_tool_call_ends_with_its_block():
    """A tool call is current inside its block and nowhere else."""
    with open_tool_call(ToolCall("outer")), open_tool_call(ToolCall("inner")) as inner:
        assert inner is current_tool_call()

    assert current_tool_call() is None
