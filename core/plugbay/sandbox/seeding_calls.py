"""Telephone lines, calls and their legs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from plugbay.sandbox.account import Account, Record
from plugbay.sandbox.clock import iso

_DAYS = 10
_OPENS, _CLOSES = 7, 20  # business hours, UTC
_YOUNG = timedelta(minutes=15)  # a day that has not had room for telephone calls yet


@dataclass(frozen=True)
class _Line:
    number: str
    shown: str
    name: str
    group: str

    @property
    def toll_free(self) -> bool:
        return self.number.startswith("+1800")


_LINES = (
    _Line("+15550100101", "+1 (555) 010-0101", "Customer service", "Support"),
    _Line("+15550100102", "+1 (555) 010-0102", "Orders hotline", "Orders & Shipping"),
    _Line("+18005550199", "+1 (800) 555-0199", "Free call line", "Billing"),
)
_OUTCOMES = (
    ("completed",) * 13 + ("abandoned_in_queue",) * 3 + ("abandoned_in_voicemail", "abandoned_on_hold", "failed")
)


def fill(account: Account, count: int) -> None:
    """Make the account's lines and `count` calls over the last ten days, one in six of them today if it has begun in earnest."""
    for line in _LINES:
        number = _phone_number(account, line)
        account.phone_numbers[number["id"]] = number
    agents = [user for user in account.users.values() if user["role"] == "agent" and not user["only_private_comments"]]
    for index, agent in enumerate(agents):
        account.agent_states[agent["id"]] = ("online", "online", "away", "offline")[index % 4]
    for index in range(count):
        _Telephone(account, agents, today=index % 6 == 0).ring()
    account.calls.sort(key=lambda call: (call["updated_at"], call["id"]))
    account.legs.sort(key=lambda leg: (leg["updated_at"], leg["id"]))


def _phone_number(account: Account, line: _Line) -> Record:
    group_id = next(entry["id"] for entry in account.groups.values() if entry["name"] == line.group)
    return {
        "id": account.next_id(),
        "number": line.number,
        "display_number": line.shown,
        "name": line.name,
        "nickname": line.name,
        "external": False,
        "country_code": "US",
        "location": None if line.toll_free else "NY",
        "toll_free": line.toll_free,
        "line_type": "phone",
        "created_at": "2022-02-14T10:00:00Z",
        "brand_id": account.default_brand(),
        "capabilities": {
            "sms": not line.toll_free,
            "mms": False,
            "voice": True,
            "emergency_address": not line.toll_free,
        },
        "categorised_greetings": {"1": "voicemail_en", "2": "available_en", "3": "wait_en", "4": "hold_en"},
        "categorised_greetings_with_sub_settings": {
            "1": {"voicemail_on_inside_business_hours": "voicemail_en"},
            "2": {"voicemail_on": "available_en"},
        },
        "default_greeting_ids": ["voicemail_en", "available_en", "wait_en", "hold_en"],
        "greeting_ids": [],
        "default_group_id": group_id,
        "group_ids": [group_id],
        "ivr_id": None,
        "schedule_id": None,
        "priority": 0,
        "recorded": True,
        "call_recording_consent": "opt_out",
        "transcription": True,
        "outbound_enabled": True,
        "voice_enabled": True,
        "sms_enabled": False,
        "sms_group_id": None,
        "failover_number": None,
        "token": account.secret(32, "0123456789abcdef"),
        "ai_agent_enabled": False,
        "bot_id": None,
        "post_call_voice_ai_enabled": False,
        "voice_qa_enabled": False,
    }


class _Telephone:
    """One call in the making; `room` is how many seconds it may last at most, wrap-up included."""

    def __init__(self, account: Account, agents: list[Record], today: bool) -> None:
        self.account = account
        self.random = account.random
        self.agents = agents
        self.line = self.random.choice(list(account.phone_numbers.values()))
        self.customer = self.random.choice(
            [u for u in account.users.values() if u["role"] == "end-user" and u["phone"]]
        )
        self.agent = self.random.choice(agents)
        self.outcome = self.random.choice(_OUTCOMES)
        self.outbound = self.outcome == "completed" and self.account.chance(0.25)
        self.start, self.room = self._when(today)
        self.call_id = account.next_id()
        self._talk()

    def _when(self, today: bool) -> tuple[datetime, int]:
        now = self.account.clock.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
        today = today and now - midnight >= _YOUNG
        earliest = midnight if today else midnight - timedelta(days=_DAYS)
        latest = now if today else midnight
        span = int((latest - earliest).total_seconds())
        begun = int(self.random.random() * span * 0.9)
        return earliest + timedelta(seconds=begun), min(span - begun, 5400)

    def ring(self) -> None:
        """Store the call and its legs."""
        self.account.legs += self._legs()
        self.account.calls.append(self._call())

    def _talk(self) -> None:
        """Decide how the call went, in seconds."""
        self.answered = self.outcome in ("completed", "abandoned_on_hold")
        self.wait = 0 if self.outbound else self._bounded(4, 180, 8)
        self.talk = self._bounded(20, 900, 3) if self.answered else 0
        self.hold = self._bounded(5, 60, 10) if self.answered and self.account.chance(0.3) else 0
        self.wrap_up = self._bounded(5, 120, 10) if self.answered else 0
        self.duration = self.wait + self.talk + self.hold
        self.ended = iso(self.start + timedelta(seconds=self.duration + self.wrap_up))

    def _bounded(self, low: int, high: int, share: int) -> int:
        """A duration between two bounds, never more than one part in `share` of the room there is."""
        ceiling = min(high, self.room // share)
        return self.random.randint(min(low, ceiling), ceiling)

    def _ticket(self) -> int | None:
        """The customer's newest ticket that existed when they called."""
        own = [
            ticket["id"]
            for ticket in self.account.tickets.values()
            if ticket["requester_id"] == self.customer["id"] and ticket["created_at"] <= iso(self.start)
        ]
        return max(own, default=None)

    def _call(self) -> Record:
        minutes = -(-self.duration // 60)
        voicemail = self.outcome == "abandoned_in_voicemail"
        return {
            "id": self.call_id,
            "created_at": iso(self.start),
            "updated_at": self.ended,
            "agent_id": self.agent["id"] if self.answered else None,
            "customer_id": self.customer["id"],
            "ticket_id": self._ticket(),
            "direction": "outbound" if self.outbound else "inbound",
            "completion_status": self.outcome,
            "duration": self.duration,
            "wait_time": self.wait,
            "time_to_answer": self.wait if self.answered else None,
            "talk_time": self.talk,
            "hold_time": self.hold,
            "wrap_up_time": self.wrap_up,
            "consultation_time": 0,
            "minutes_billed": minutes,
            "call_charge": f"{minutes * 0.0125:.4f}",
            "phone_number": self.line["number"],
            "phone_number_id": self.line["id"],
            "line": self.line["number"],
            "line_id": self.line["id"],
            "line_type": "phone",
            "call_channel": None,
            "call_group_id": self.line["default_group_id"] if self.answered else None,
            "default_group": True,
            "voicemail": voicemail,
            "customer_requested_voicemail": voicemail and self.account.chance(0.5),
            "exceeded_queue_wait_time": False,
            "outside_business_hours": not _OPENS <= self.start.hour < _CLOSES,
            "overflowed": False,
            "overflowed_to": None,
            "callback": False,
            "callback_source": None,
            "call_recording_consent": "opt_out",
            "call_recording_consent_action": None,
            "call_recording_consent_keypress": None,
            "recording_time": self.talk,
            "not_recording_time": 0,
            "recording_control_interactions": 0,
            "ivr_action": None,
            "ivr_destination_group_name": None,
            "ivr_hops": None,
            "ivr_routed_to": None,
            "ivr_time_spent": None,
            "quality_issues": ["none"],
            **dict.fromkeys(_VOICE_AI),
        }

    def _legs(self) -> list[Record]:
        """The customer's leg, now and then one of an agent who did not take the call, and that of the one who did."""
        status = "completed" if self.outcome == "completed" else "customer_hang_up"
        legs = [self._leg("customer", user_id=self.customer["id"], talk_time=self.talk, completion_status=status)]
        if not self.outbound and self.account.chance(0.2):
            missed = self.random.choice(("agent_missed", "agent_missed", "agent_declined", "agent_unreachable"))
            other = self.random.choice([agent for agent in self.agents if agent is not self.agent])
            legs.append(self._leg("agent", agent_id=other["id"], completion_status=missed, duration=0))
        if self.answered:
            times = {"talk_time": self.talk, "hold_time": self.hold, "wrap_up_time": self.wrap_up}
            legs.append(self._leg("agent", agent_id=self.agent["id"], available_via="browser", **times))
        return legs

    def _leg(self, kind: str, **fields: Any) -> Record:
        minutes = -(-fields.get("duration", self.duration) // 60)
        return {
            "id": self.account.next_id(),
            "call_id": self.call_id,
            "created_at": iso(self.start),
            "updated_at": self.ended,
            "type": kind,
            "agent_id": 0,
            "user_id": 0,
            "available_via": None,
            "completion_status": "completed",
            "duration": self.duration,
            "talk_time": 0,
            "hold_time": 0,
            "wrap_up_time": None if kind == "customer" else 0,
            "call_charge": f"{minutes * 0.003:.3f}",
            "minutes_billed": minutes,
            "quality_issues": ["none"],
            **dict.fromkeys(_NOT_TRANSFERRED),
        } | fields


_VOICE_AI = (
    "copilot_suggestions_generated_successful", "copilot_suggestions_generated_total", "post_call_summary",
    "post_call_summary_created", "post_call_transcription", "post_call_transcription_created",
    "real_time_transcription", "transcription_language",
)  # fmt: skip
_NOT_TRANSFERRED = (
    "forwarded_to", "transferred_from", "transferred_to", "conference_from", "conference_to", "conference_time",
    "consultation_from", "consultation_to", "consultation_time",
)  # fmt: skip
