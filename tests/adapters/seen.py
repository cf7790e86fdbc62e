"""What a scripted model asks and sees."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

NAME = "zendesk_support_execute"
GET = {"entity": "tickets", "action": "get", "params": {"ticket_id": 7}}
CLOSE = {"entity": "tickets", "action": "update", "params": {"ticket_id": 7, "status": "solved"}}


@dataclass
class Outcome:
    """What a model saw of one call: a text, and whether the framework told it apart as a failure, if it does that."""

    text: str
    failed: bool | None

    @property
    def json(self):
        return json.loads(self.text)


@dataclass
class Shown:
    """What a model was shown of a tool."""

    description: str
    schema: dict[str, Any]


@dataclass
class Seen:
    """A run as the model saw it."""

    shown: dict[str, Shown] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    final: str | None = None

    @property
    def only(self):
        [outcome] = self.outcomes
        return outcome


def failures():
    """Calls that fail: arguments, the error's code, and a part of what helps the model."""
    return [
        pytest.param({**GET, "entity": "tiket"}, "unknown_operation", "Did you mean 'tickets'?", id="unknown entity"),
        pytest.param({**GET, "action": "fetch"}, "unknown_operation", "Known: list, get", id="unknown action"),
        pytest.param(
            {**GET, "params": {"ticket": 7}}, "invalid_parameter", "did you mean `ticket_id`?", id="bad param"
        ),
        pytest.param({**GET, "params": {}}, "invalid_parameter", "`ticket_id`: missing", id="missing param"),
        pytest.param({**GET, "params": "garbage"}, "invalid_parameter", "`params` must be an object", id="garbage"),
        pytest.param({**GET, "params": [7]}, "invalid_parameter", "`params` must be an object", id="list"),
        pytest.param({**GET, "entity": 7}, "unknown_operation", "Known: tickets", id="number for entity"),
        pytest.param(CLOSE, "policy_denied", "Nothing was sent.", id="write under a read-only policy"),
        pytest.param({**GET, "params": {"ticket_id": 404}}, "not_found", "no such record", id="404"),
        pytest.param({**GET, "params": {"ticket_id": 500}}, "service_error", "answered 500", id="500"),
    ]
