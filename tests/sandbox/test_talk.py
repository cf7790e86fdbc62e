from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from plugbay.sandbox import Sandbox

TALK = "/api/v2/channels/voice"
NIGHT = datetime(2026, 6, 17, 0, 0, 20, tzinfo=UTC)


def test_phone_numbers(api, sandbox):
    """Lines are listed on one page, and shown by id."""
    answer = api.json(f"{TALK}/phone_numbers.json")
    first = answer["phone_numbers"][0]

    assert (answer["count"], answer["next_page"], answer["previous_page"]) == (3, None, None)
    assert api.json(f"{TALK}/phone_numbers/{first['id']}")["phone_number"] == first
    assert first["default_group_id"] in sandbox.account.groups
    assert set(api.json(f"{TALK}/phone_numbers", minimal_mode="true")["phone_numbers"][0]) < set(first)


def test_missing_phone_number(api):
    """A line that does not exist is 404."""
    answer = api.get(f"{TALK}/phone_numbers/5")

    assert (answer.status_code, answer.json()["error"]) == (404, "RecordNotFound")


def test_numbers_for_sale(api):
    """Numbers for sale are found by country, kind and digits; the country is required."""
    found = api.json(f"{TALK}/phone_numbers/search", country="US", toll_free="true", contains="03")

    assert found["phone_numbers"]
    assert all(n["toll_free"] and "03" in n["number"] for n in found["phone_numbers"])
    refused = api.get(f"{TALK}/phone_numbers/search")
    assert (refused.status_code, refused.text) == (400, "Required parameter missing: country")


@pytest.mark.parametrize("name", ["calls", "legs"])
def test_start_time_is_required(api, name):
    """Without start_time the answer is 400 with a bare sentence, no JSON."""
    answer = api.get(f"{TALK}/stats/incremental/{name}")

    assert (answer.status_code, answer.text) == (400, "Required parameter missing: start_time")
    assert answer.headers["content-type"].startswith("text/html")
    assert api.get(f"{TALK}/stats/incremental/{name}", start_time="x").status_code == 400


@pytest.mark.parametrize("name", ["calls", "legs"])
def test_export(api, sandbox, name):
    """The export is ordered by updated_at, includes its start_time, and never ends in a null next_page."""
    rows = api.json(f"{TALK}/stats/incremental/{name}.json", start_time=0)
    stamps = [row["updated_at"] for row in rows[name]]
    assert rows["count"] == len(stamps) == len(getattr(sandbox.account, name))
    assert stamps == sorted(stamps)
    assert datetime.fromisoformat(stamps[-1]).timestamp() == rows["end_time"]
    again = api.json(rows["next_page"])

    assert {row["updated_at"] for row in again[name]} == {stamps[-1]}
    assert again["next_page"] == rows["next_page"]
    later = api.json(f"{TALK}/stats/incremental/{name}", start_time=rows["end_time"] + 1)
    assert (later["count"], later[name]) == (0, [])
    assert later["next_page"]


def test_pages_of_a_thousand(make_api):
    """2,500 calls come in pages of a thousand, and following next_page gives all of them."""
    with Sandbox(tickets=10, calls=2500, plan=None) as sandbox:
        api = make_api(sandbox)
        answer = api.json(f"{TALK}/stats/incremental/calls", start_time=0)
        counts, seen = [answer["count"]], {row["id"] for row in answer["calls"]}
        while answer["count"] >= 1000:
            answer = api.json(answer["next_page"])
            counts.append(answer["count"])
            seen |= {row["id"] for row in answer["calls"]}

    assert len(seen) == 2500
    assert counts[:2] == [1000, 1000]
    assert len(counts) == 3


def check_activity(api, sandbox):
    today = sandbox.clock.now().strftime("%Y-%m-%d")
    legs = [leg for leg in sandbox.account.legs if leg["created_at"].startswith(today) and leg["type"] == "agent"]
    taken = Counter(leg["agent_id"] for leg in legs if leg["completion_status"] == "completed")
    missed = Counter(leg["agent_id"] for leg in legs if leg["completion_status"] == "agent_missed")
    talk = Counter()
    for leg in legs:
        talk[leg["agent_id"]] += leg["talk_time"]
    activity = api.json(f"{TALK}/stats/agents_activity")["agents_activity"]
    assert sum(taken.values()) == sum(agent["calls_accepted"] for agent in activity)
    for agent in activity:
        number = agent["agent_id"]
        assert (agent["calls_accepted"], agent["calls_missed"], agent["total_talk_time"]) == (
            taken[number], missed[number], talk[number],
        )  # fmt: skip
    return sum(taken.values())


def test_activity_agrees_with_calls(api, sandbox):
    """Each agent's figures are those of today's legs, and the overviews are their sums."""
    total = check_activity(api, sandbox)
    calls = [call for call in sandbox.account.calls if call["created_at"].startswith("2026-06-17")]
    account = api.json(f"{TALK}/stats/account_overview")["account_overview"]
    agents = api.json(f"{TALK}/stats/agents_overview")["agents_overview"]

    assert total > 0
    assert agents["total_calls_accepted"] == total == sum(1 for call in calls if call["agent_id"])
    assert account["total_calls"] == len(calls) == account["total_inbound_calls"] + account["total_outbound_calls"]
    assert account["total_call_duration"] == sum(call["duration"] for call in calls)


def test_tomorrow_starts_at_nothing(make_api):
    """The day's figures are empty once the clock has passed midnight, and hold right after midnight as well."""
    with Sandbox(tickets=10, plan=None, now=NIGHT) as sandbox:
        api = make_api(sandbox)
        check_activity(api, sandbox)
        assert all(call["updated_at"] <= sandbox.clock.stamp() for call in sandbox.account.calls)
        sandbox.clock.advance(seconds=86_400)
        activity = api.json(f"{TALK}/stats/agents_activity")["agents_activity"]
        assert {agent["calls_accepted"] + agent["online_time"] for agent in activity} == {0}


def test_activity_of_groups(api, sandbox):
    """group_ids narrows the agents to members of the groups."""
    group = next(iter(sandbox.account.groups))
    members = {number for number, groups in sandbox.account.memberships.items() if group in groups}
    shown = {
        agent["agent_id"] for agent in api.json(f"{TALK}/stats/agents_activity", group_ids=group)["agents_activity"]
    }

    assert shown == members & set(sandbox.account.agent_states)
    assert shown != set(sandbox.account.agent_states)


def test_overview_of_a_line(api, sandbox):
    """phone_number_ids narrows the account's figures to those lines; the parts add up."""
    lines = list(sandbox.account.phone_numbers)
    parts = [
        api.json(f"{TALK}/stats/account_overview", phone_number_ids=line)["account_overview"]["total_calls"]
        for line in lines
    ]
    whole = api.json(f"{TALK}/stats/account_overview")["account_overview"]["total_calls"]

    assert sum(parts) == whole
    assert api.get(f"{TALK}/stats/account_overview", phone_number_ids="x").status_code == 400


def test_queue(api, sandbox):
    """Agents online are those whose state says so."""
    queue = api.json(f"{TALK}/stats/current_queue_activity")["current_queue_activity"]

    assert queue["agents_online"] == Counter(sandbox.account.agent_states.values())["online"]
    assert queue["calls_waiting"] == 0


def test_calls_fit_the_rest_of_the_data(sandbox):
    """A call's customer, agent, line and ticket exist, the ticket is the customer's, and legs belong to calls."""
    account = sandbox.account
    calls = {call["id"]: call for call in account.calls}
    for call in calls.values():
        assert call["customer_id"] in account.users
        assert call["agent_id"] is None or account.users[call["agent_id"]]["role"] == "agent"
        assert call["phone_number_id"] in account.phone_numbers
        if call["ticket_id"]:
            assert account.tickets[call["ticket_id"]]["requester_id"] == call["customer_id"]
    assert {leg["call_id"] for leg in account.legs} == set(calls)
    assert any(call["ticket_id"] for call in calls.values())
    assert {"completed", "abandoned_in_queue"} <= {call["completion_status"] for call in calls.values()}
