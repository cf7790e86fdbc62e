"""Talk's figures of today, all of them worked out from the calls and legs of today (UTC)."""

from __future__ import annotations

from plugbay.sandbox import bodies
from plugbay.sandbox.account import Account, Record
from plugbay.sandbox.clock import from_iso, iso
from plugbay.sandbox.exchange import Call, Reply
from plugbay.sandbox.talk import enveloped


def agents_activity(call: Call) -> Reply:
    """GET /channels/voice/stats/agents_activity, of all agents or those of `group_ids`."""
    groups = {bodies.number(part, "group_ids", call) for part in call.listed("group_ids")}
    account = call.account
    agents = [
        account.users[number]
        for number in account.agent_states
        if not groups or groups & set(account.memberships.get(number, ()))
    ]
    return enveloped("agents_activity", [_activity(account, agent) for agent in agents])


def _today(account: Account, records: list[Record]) -> list[Record]:
    midnight = iso(account.clock.now().replace(hour=0, minute=0, second=0, microsecond=0))
    return [record for record in records if record["created_at"] >= midnight]


def _activity(account: Account, agent: Record) -> Record:
    legs = [leg for leg in _today(account, account.legs) if leg["agent_id"] == agent["id"]]
    taken = [leg for leg in legs if leg["completion_status"] == "completed"]
    talk, wrap_up, hold = (_total(taken, name) for name in ("talk_time", "wrap_up_time", "hold_time"))
    online = _span(legs)
    return {
        "agent_id": agent["id"],
        "name": agent["name"],
        "avatar_url": None,
        "agent_state": account.agent_states[agent["id"]],
        "call_status": None,
        "via": "browser",
        "forwarding_number": None,
        "calls_accepted": len(taken),
        "calls_denied": _count(legs, "agent_declined"),
        "calls_missed": _count(legs, "agent_missed"),
        "calls_unreachable": _count(legs, "agent_unreachable"),
        "online_time": online,
        "available_time": max(0, online - talk - hold - wrap_up),
        "away_time": 0,
        "transfers_only_time": 0,
        "total_call_duration": _total(taken, "duration"),
        "total_talk_time": talk,
        "total_wrap_up_time": wrap_up,
        "total_hold_time": hold,
        "average_talk_time": _mean(talk, len(taken)),
        "average_wrap_up_time": _mean(wrap_up, len(taken)),
        "average_hold_time": _mean(hold, sum(1 for leg in taken if leg["hold_time"])),
        "calls_put_on_hold": sum(1 for leg in taken if leg["hold_time"]),
        "accepted_transfers": 0,
        "started_transfers": 0,
        "accepted_third_party_conferences": 0,
        "started_third_party_conferences": 0,
    }


def _total(records: list[Record], name: str) -> int:
    return sum(record[name] or 0 for record in records)


def _count(records: list[Record], status: str) -> int:
    return sum(1 for record in records if record["completion_status"] == status)


def _mean(total: int, count: int) -> int:
    return round(total / count) if count else 0


def _span(legs: list[Record]) -> int:
    """Seconds from the first leg's start to the last one's end."""
    if not legs:
        return 0
    first = min(from_iso(leg["created_at"]) for leg in legs)
    return int((max(from_iso(leg["updated_at"]) for leg in legs) - first).total_seconds())


def agents_overview(call: Call) -> Reply:
    """GET /channels/voice/stats/agents_overview."""
    rows = [_activity(call.account, call.account.users[number]) for number in call.account.agent_states]
    summed = (
        "calls_accepted", "calls_denied", "calls_missed", "calls_put_on_hold", "accepted_transfers", "started_transfers",
    )  # fmt: skip
    times = ("available_time", "away_time", "online_time", "transfers_only_time")
    body: Record = {f"total_{name}": _total(rows, name) for name in summed}
    body |= {name: _total(rows, name) for name in ("total_talk_time", "total_wrap_up_time", "total_hold_time")}
    body |= {f"average_{name}": _mean(_total(rows, name), len(rows)) for name in (*summed, *times)}
    calls = body["total_calls_accepted"]
    body |= {f"average_{name}": _mean(body[f"total_{name}"], calls) for name in ("talk_time", "wrap_up_time")}
    body["average_hold_time"] = _mean(body["total_hold_time"], body["total_calls_put_on_hold"])
    return Reply(body={"agents_overview": dict(sorted(body.items()))})


def account_overview(call: Call) -> Reply:
    """GET /channels/voice/stats/account_overview, of all lines or those of `phone_number_ids`."""
    lines = {bodies.number(part, "phone_number_ids", call) for part in call.listed("phone_number_ids")}
    calls = [c for c in _today(call.account, call.account.calls) if not lines or c["phone_number_id"] in lines]
    answered = [entry for entry in calls if entry["time_to_answer"] is not None]
    inbound = sum(1 for entry in calls if entry["direction"] == "inbound")
    body = {
        "average_call_duration": _mean(_total(calls, "duration"), len(calls)),
        "average_callback_wait_time": 0,
        "average_hold_time": _mean(_total(calls, "hold_time"), sum(1 for entry in calls if entry["hold_time"])),
        "average_queue_wait_time": _mean(_total(calls, "wait_time"), inbound),
        "average_time_to_answer": _mean(_total(answered, "time_to_answer"), len(answered)),
        "average_wrap_up_time": _mean(_total(calls, "wrap_up_time"), len(answered)),
        "max_calls_waiting": 1 if inbound else 0,
        "max_queue_wait_time": max((entry["wait_time"] for entry in calls), default=0),
        "total_call_duration": _total(calls, "duration"),
        "total_callback_calls": sum(1 for entry in calls if entry["callback"]),
        "total_calls": len(calls),
        "total_calls_abandoned_in_queue": _count(calls, "abandoned_in_queue"),
        "total_calls_outside_business_hours": sum(1 for entry in calls if entry["outside_business_hours"]),
        "total_calls_with_exceeded_queue_wait_time": sum(1 for entry in calls if entry["exceeded_queue_wait_time"]),
        "total_calls_with_requested_voicemail": sum(1 for entry in calls if entry["customer_requested_voicemail"]),
        "total_embeddable_callback_calls": 0,
        "total_hold_time": _total(calls, "hold_time"),
        "total_inbound_calls": inbound,
        "total_outbound_calls": len(calls) - inbound,
        "total_textback_requests": 0,
        "total_voicemails": sum(1 for entry in calls if entry["voicemail"]),
        "total_wrap_up_time": _total(calls, "wrap_up_time"),
    }
    return Reply(body={"account_overview": body})


def current_queue_activity(call: Call) -> Reply:
    """GET /channels/voice/stats/current_queue_activity; no call of the sandbox is ever still ringing."""
    online = sum(1 for state in call.account.agent_states.values() if state == "online")
    quiet = (
        "ai_agent_calls", "average_wait_time", "callbacks_waiting", "calls_waiting", "embeddable_callbacks_waiting",
        "longest_wait_time",
    )  # fmt: skip
    return Reply(body={"current_queue_activity": {"agents_online": online, **dict.fromkeys(quiet, 0)}})
