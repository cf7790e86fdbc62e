"""What the assistant does when there is no model: one call after another, each made from the answers before it.

It stands where a model would, behind each framework's own model interface, so everything else is real:
the framework, the tools, the HTTP requests, and the data they bring.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SUPPORT = "zendesk_support_execute"
TALK = "zendesk_talk_execute"


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool that the script wants made."""

    tool: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Script:
    """The assistant's moves for one customer.

    Attributes:
        email: The customer's e-mail address.
    """

    email: str

    def next(self, results: Sequence[str]) -> Call | str:
        """The next call, or the final answer.

        Args:
            results: What the calls so far gave, as JSON texts, in order.
        """
        if results and "error" in json.loads(results[-1]):
            return f"I could not finish: {results[-1]}"
        data = [json.loads(result)["data"] for result in results]
        moves = (self._find_customer, self._find_tickets, self._read_ticket, self._read_comments, self._count_calls)
        return moves[len(data)](data) if len(data) < len(moves) else self._answer(data)

    def _find_customer(self, data: Sequence[Any]) -> Call:
        return _call(SUPPORT, "users", "search", query=f"email:{self.email}", limit=1)

    def _find_tickets(self, data: Sequence[Any]) -> Call | str:
        if not data[0]:
            return f"There is no customer {self.email}."
        query = f"requester:{data[0][0]['id']} status<solved"
        return _call(SUPPORT, "tickets", "search", query=query, sort_by="updated_at", sort_order="desc", limit=100)

    def _read_ticket(self, data: Sequence[Any]) -> Call | str:
        if not data[1]:
            return f"{data[0][0]['name']} has no open ticket."
        return _call(SUPPORT, "tickets", "get", ticket_id=data[1][0]["id"])

    def _read_comments(self, data: Sequence[Any]) -> Call:
        return _call(SUPPORT, "ticket_comments", "list", ticket_id=data[2]["id"], limit=20)

    def _count_calls(self, data: Sequence[Any]) -> Call:
        return _call(TALK, "agents_activity", "list")

    def _answer(self, data: Sequence[Any]) -> str:
        users, tickets, ticket, comments, activity = data
        numbers = ", ".join(f"#{found['id']} ({found['status']})" for found in tickets)
        last = " ".join(comments[-1]["plain_body"].split())[:160]
        calls = sum(agent.get("calls_accepted", 0) for agent in activity)
        return (
            f"{users[0]['name']} has {len(tickets)} open tickets: {numbers}.\n"
            f'Last changed is #{ticket["id"]}, "{ticket["subject"]}", with {len(comments)} comments; '
            f'the latest says: "{last}"\n'
            f"Our agents took {calls} calls today."
        )


def _call(tool: str, entity: str, action: str, **params: Any) -> Call:
    return Call(tool, {"entity": entity, "action": action, "params": params})
