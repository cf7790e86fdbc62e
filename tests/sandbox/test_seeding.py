from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from plugbay.sandbox import Sandbox

NOW = datetime(2026, 6, 17, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def account():
    return Sandbox(seed=11, tickets=300, now=NOW).account


def test_people(account):
    """A help desk has one administrator, eight agents, a light agent and 120 customers, on reserved domains only."""
    users = account.users.values()

    assert Counter(user["role"] for user in users) == {"admin": 1, "agent": 9, "end-user": 120}
    assert sum(user["only_private_comments"] for user in users) == 1
    assert all(
        user["email"].rpartition("@")[2].rpartition(".")[2] in ("example", "com", "net", "org") for user in users
    )
    assert all(user["email"].endswith((".example", "@example.com", "@example.net", "@example.org")) for user in users)
    assert len({user["email"] for user in users}) == len(users)
    assert all(len(str(number)) == 14 for number in account.users)


def test_tickets(account):
    """Tickets have every status, several priorities and channels, and small numbers in order of creation."""
    tickets = list(account.tickets.values())

    assert list(account.tickets) == list(range(1, 301))
    assert {ticket["status"] for ticket in tickets} == {"new", "open", "pending", "hold", "solved", "closed"}
    assert {ticket["priority"] for ticket in tickets} == {None, "low", "normal", "high", "urgent"}
    assert {"email", "web", "api", "chat"} == {ticket["via"]["channel"] for ticket in tickets}
    assert [t["created_at"] for t in tickets] == sorted(t["created_at"] for t in tickets)
    assert all(ticket["created_at"] <= ticket["updated_at"] <= "2026-06-17T12:00:00Z" for ticket in tickets)


def test_conversations(account):
    """Conversations are in order, some with notes, some with files; unanswered tickets are new."""
    for number, comments in account.comments.items():
        ticket = account.tickets[number]
        stamps = [comment["created_at"] for comment in comments]
        assert stamps == sorted(stamps)
        assert stamps[0] == ticket["created_at"]
        assert stamps[-1] <= ticket["updated_at"]
        assert comments[0]["author_id"] == ticket["requester_id"]
        assert (len(comments) == 1) >= (ticket["status"] == "new")
    everything = [comment for comments in account.comments.values() for comment in comments]
    assert {comment["public"] for comment in everything} == {True, False}
    assert 20 < sum(len(comment["attachments"]) for comment in everything) < 120
    assert all(
        "{" not in comment["body"] or "{{" in comment["body"] or '{"' in comment["body"] for comment in everything
    )


def test_somebody_has_several_open_tickets(account):
    """At least one customer has several open tickets."""
    waiting = Counter(t["requester_id"] for t in account.tickets.values() if t["status"] in ("open", "pending"))

    assert max(waiting.values()) >= 5


def test_strangers_write_hostile_things(account):
    """Some tickets carry markup, an injection attempt, emoji and right-to-left text."""
    text = "\n".join(t["subject"] + t["description"] for t in account.tickets.values())

    for sample in ("<script>", "Ignore all previous instructions", "🚚", "مرحبا"):
        assert sample in text
    shown = next(c for comments in account.comments.values() for c in comments if "<img" in c["body"])
    assert "<img" not in shown["html_body"]
    assert "&lt;img" in shown["html_body"]


def test_ratings_agree_with_tickets(account):
    """A rating and its ticket say the same."""
    for rating in account.satisfaction_ratings.values():
        ticket = account.tickets[rating["ticket_id"]]
        assert ticket["satisfaction_rating"]["id"] == rating["id"]
        assert rating["score"].startswith(ticket["satisfaction_rating"]["score"])
        assert ticket["status"] in ("solved", "closed")
    assert account.satisfaction_ratings


def test_links_lead_somewhere(account):
    """Every id on a ticket is that of something that exists."""
    for ticket in account.tickets.values():
        assert ticket["requester_id"] in account.users
        assert ticket["assignee_id"] is None or account.users[ticket["assignee_id"]]["role"] == "agent"
        assert ticket["organization_id"] in (None, *account.organizations)
        assert ticket["group_id"] in account.groups
        assert account.custom_statuses[ticket["custom_status_id"]]["status_category"] == ticket["status"].replace(
            "closed", "solved"
        )


@pytest.mark.parametrize("size", [0, 1, 3])
def test_small_accounts(size):
    """An account may have hardly any tickets, and no calls."""
    account = Sandbox(tickets=size, calls=0).account

    assert len(account.tickets) == size
    assert account.calls == []


@pytest.mark.parametrize(("minutes", "some"), [(0, False), (14, False), (15, True), (60, True)])
def test_a_day_that_has_hardly_begun_has_no_calls(minutes, some):
    """Calls of today need time to have happened in: in the first minutes of a day all are of the days before."""
    midnight = datetime(2026, 6, 17, tzinfo=UTC)
    calls = Sandbox(seed=11, tickets=10, now=midnight + timedelta(minutes=minutes)).account.calls

    assert len(calls) == 120
    assert any(call["created_at"] >= "2026-06-17" for call in calls) is some
    assert all(call["talk_time"] > 0 for call in calls if call["completion_status"] == "completed")
    assert all(call["updated_at"] <= f"2026-06-17T{minutes // 60:02}:{minutes % 60:02}:00Z" for call in calls)
