"""What each action of Zendesk Talk puts on the wire, and what it makes of the answer."""

from __future__ import annotations

import pytest

from plugbay.connectors.zendesk_talk import ZendeskTalkConnector
from plugbay.errors import InvalidParameterError, PermissionDeniedError

NUMBER = {"id": 3, "number": "+15550100", "default_greeting_ids": ["voicemail_en"], "greeting_ids": [12]}
CALL = {"id": 5, "updated_at": "2026-01-31T00:00:00Z", "completion_status": "failed", "call_charge": "0.02"}
AGENT = {"agent_id": 9, "name": "Ann", "calls_accepted": 4}
VOICE = "/api/v2/channels/voice"

READS = [
    (
        "phone_numbers",
        "list",
        {},
        "/phone_numbers",
        {},
        {"phone_numbers": [NUMBER], "count": 1, "next_page": None},
        [NUMBER],
    ),
    (
        "phone_numbers",
        "list",
        {"minimal_mode": True, "limit": 1},
        "/phone_numbers",
        {"minimal_mode": "true"},
        {"phone_numbers": [NUMBER, NUMBER]},
        [NUMBER],
    ),
    ("phone_numbers", "get", {"phone_number_id": 3}, "/phone_numbers/3", {}, {"phone_number": NUMBER}, NUMBER),
    (
        "phone_numbers",
        "get",
        {"phone_number_id": 3, "include": ["settings", "ivrs"]},
        "/phone_numbers/3",
        {"include": "settings,ivrs"},
        {"phone_number": NUMBER},
        NUMBER,
    ),
    ("agents_activity", "list", {}, "/stats/agents_activity", {}, {"agents_activity": [AGENT]}, [AGENT]),
    (
        "agents_activity",
        "list",
        {"group_ids": [1, 2]},
        "/stats/agents_activity",
        {"group_ids": "1,2"},
        {"agents_activity": [AGENT], "next_page": None},
        [AGENT],
    ),
    (
        "calls",
        "list",
        {"start_time": "2026-01-31T00:00:00Z"},
        "/stats/incremental/calls",
        {"start_time": "1769817600"},
        {"calls": [CALL], "count": 1, "end_time": 1769817600, "next_page": "https://acme.zendesk.com/x?start_time=1"},
        [CALL],
    ),
    (
        "calls",
        "list",
        {"start_time": 0, "limit": 1},
        "/stats/incremental/calls",
        {"start_time": "0"},
        {"calls": [CALL, {**CALL, "id": 6}]},
        [CALL],
    ),
]


@pytest.mark.parametrize(("entity", "action", "params", "path", "query", "answer", "data"), READS)
async def test_a_read_is_one_plain_get(talk, entity, action, params, path, query, answer, data):
    """Each read is one GET with its path and query, no body, and gives the records as they came."""
    connector, service = talk(answer)
    result = await connector.execute(entity, action, params)
    assert data == result.data
    assert [("GET", VOICE + path, query, None)] == service.sent


def test_every_action_is_proven_here():
    """No action of the connector is missing among the tests of this file."""
    catalogue = {
        operation.name for actions in ZendeskTalkConnector.operations.values() for operation in actions.values()
    }
    assert catalogue == {f"{entity}.{action}" for entity, action, *_ in READS}


async def test_the_typed_calls_send_the_same(talk):
    """The typed calls put on the wire what `execute` does."""
    connector, service = talk({"phone_number": NUMBER})
    assert NUMBER == await connector.phone_numbers.get(3)
    assert [("GET", f"{VOICE}/phone_numbers/3", {}, None)] == service.sent


@pytest.mark.parametrize(
    ("entity", "action", "params"),
    [
        ("phone_numbers", "get", {}),
        ("phone_numbers", "get", {"phone_number_id": "a/b"}),
        ("phone_numbers", "get", {"phone_number_id": 3, "include": ["all"]}),
        ("phone_numbers", "list", {"country": "US"}),
        ("agents_activity", "list", {"group_ids": "sales"}),
        ("calls", "list", {}),
        ("calls", "list", {"start_time": "last week"}),
        ("calls", "list", {"start_time": 0, "limit": -1}),
    ],
)
async def test_wrong_arguments_are_refused_before_anything_is_sent(talk, entity, action, params):
    """Unknown, missing and mistyped arguments end the call here."""
    connector, service = talk({})
    with pytest.raises(InvalidParameterError):
        await connector.execute(entity, action, params)
    assert [] == service.requests


async def test_an_account_without_talk_is_told_so(talk):
    """A plan without Talk answers 403 with title and message, and both are in the error."""
    connector, _ = talk((403, {"error": {"title": "Forbidden", "message": "You do not have access to this page."}}))
    with pytest.raises(PermissionDeniedError, match="You do not have access"):
        await connector.phone_numbers.list()


async def test_the_check_of_talk_asks_who_is_calling(talk):
    """Talk has no cheaper question than Support's, which every account has."""
    connector, service = talk({"user": {"id": 9, "name": "Ann", "email": None, "role": "agent"}})
    assert "healthy" == (await connector.check())["status"]
    assert [("GET", "/api/v2/users/me", {}, None)] == service.sent
