"""Conversations: tickets with their comments, files and ratings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from plugbay.sandbox import files, words
from plugbay.sandbox.account import Account, Record, StoredFile
from plugbay.sandbox.clock import iso
from plugbay.sandbox.records import new_comment, new_ticket, via

_PRIORITIES = (None, "low", "normal", "normal", "normal", "high", "high", "urgent")
_CHANNELS = ("email", "email", "email", "web", "web", "api", "chat")
_SPAN_DAYS = 90
_OLD = 0.5  # the share of tickets whose conversations have come to an end


def fill(account: Account, count: int) -> None:
    """Make tickets, numbered from 1 in the order of their creation, the last within the past hours."""
    people = _People.of(account)
    moments = sorted(_moment(account) for _ in range(count))
    for index, moment in enumerate(moments):
        _Conversation(account, people, index, moment, age=1 - index / max(count, 1)).write()


def _moment(account: Account) -> datetime:
    # Squaring makes recent days busier; five minutes keep the newest out of the incremental exports' blind spot.
    back = account.random.random() ** 2 * _SPAN_DAYS * 86_400
    return account.clock.now() - timedelta(seconds=300 + back)


@dataclass
class _People:
    """Who writes: customers, and agents by the name of their first group."""

    customers: list[Record]
    agents: list[Record]
    groups: dict[str, Record]

    @classmethod
    def of(cls, account: Account) -> _People:
        users = account.users.values()
        agents = [user for user in users if user["role"] == "agent" and not user["only_private_comments"]]
        return cls(
            [user for user in users if user["role"] == "end-user"],
            agents,
            {group["name"]: group for group in account.groups.values()},
        )


class _Conversation:
    """One ticket in the making."""

    def __init__(self, account: Account, people: _People, index: int, start: datetime, age: float) -> None:
        self.account = account
        self.random = account.random
        self.people = people
        self.index = index
        self.start = start
        self.moment = start
        self.age = age
        self.topic = self.random.choice(words.TOPICS)
        # The first customer writes every twelfth ticket, so that one person always has several open ones.
        self.customer = people.customers[0] if index % 12 == 0 else self.random.choice(people.customers)
        self.group = people.groups[self.topic.group]
        self.agent = self.random.choice(people.agents)
        self.status = self._status()
        self.names = self._names()

    def write(self) -> None:
        """Store the ticket and all that belongs to it."""
        ticket = self._ticket()
        self.account.tickets[ticket["id"]] = ticket
        self.account.audits[ticket["id"]] = []
        comments = self.account.comments[ticket["id"]] = self._comments(ticket)
        changed = min(self.moment, self.account.clock.now() - timedelta(seconds=120))
        ticket["updated_at"] = iso(changed)
        ticket["generated_timestamp"] = int(changed.timestamp())
        ticket["is_public"] = any(comment["public"] for comment in comments)
        self.account.place("ticket", ticket["id"], changed.timestamp())
        if ticket["status"] in ("solved", "closed"):
            self._rate(ticket)

    def _status(self) -> str:
        if self.index % 12 == 0:
            return self.random.choice(("open", "open", "pending"))
        if self.age > _OLD:
            return self.random.choice(("closed", "closed", "closed", "solved", "hold"))
        return self.random.choice(("new", "open", "open", "pending", "pending", "hold", "solved", "solved"))

    def _names(self) -> dict[str, str | int]:
        order = self.random.randrange(10_000, 99_999)
        return {
            "name": self.customer["name"],
            "first": self.customer["name"].split()[0],
            "item": self.random.choice(words.ITEMS),
            "order": f"LK-{order}",
            "city": self.random.choice(words.CITIES),
            "day": self.random.choice(words.DAYS),
            "ref": self.random.randrange(1000, 9999),
            "amount": f"{self.random.randrange(1500, 40_000) / 100:.2f} EUR",
            "count": self.random.choice((12, 20, 25, 40, 60)),
            "minor": self.random.randint(1, 9),
        }

    def _ticket(self) -> Record:
        subject = self.random.choice(self.topic.subjects).format_map(self.names)
        if self._hostile:
            subject = self._hostile[0]
        taken = self.status != "new"
        ticket = new_ticket(
            self.account,
            self.customer,
            status=self.status,
            created_at=iso(self.start),
            type=self.topic.kind if taken else None,
            subject=subject,
            raw_subject=subject,
            priority=self.random.choice(_PRIORITIES),
            assignee_id=self.agent["id"] if taken else None,
            group_id=self.group["id"],
            tags=sorted({*self.topic.tags, *self.customer["tags"], self.topic.area}),
            external_id=f"erp-{self.random.randrange(10**6):06}" if self.account.chance(0.15) else None,
            via=self._via(),
        )
        if ticket["via"]["channel"] == "email":
            ticket["recipient"] = f"support@{words.DOMAIN}"
        if self.topic.kind == "task" and taken:
            ticket["due_at"] = iso(self.start + timedelta(days=self.random.randint(2, 14)))
        if self.account.chance(0.1):
            copied = self.random.choice(self.people.customers)["id"]
            ticket["email_cc_ids"] = ticket["collaborator_ids"] = [copied]
        self._custom_values(ticket)
        return ticket

    def _custom_values(self, ticket: Record) -> None:
        fields = self.account.ticket_fields
        for entry in ticket["custom_fields"]:
            title = fields[entry["id"]]["title"]
            if title == "Order number" and "{order}" in self.topic.opening:
                entry["value"] = self.names["order"]
            elif title == "Product area":
                entry["value"] = self.topic.area
            elif title == "Refund amount" and "refund" in self.topic.tags:
                entry["value"] = str(self.names["amount"]).split()[0]
            elif title == "Escalated" and ticket["priority"] == "urgent":
                entry["value"] = True

    @property
    def _hostile(self) -> tuple[str, str] | None:
        spot = self.index - 3
        return words.HOSTILE[spot // 7] if spot >= 0 and spot % 7 == 0 and spot // 7 < len(words.HOSTILE) else None

    def _via(self) -> Record:
        channel = self.random.choice(_CHANNELS)
        if channel != "email":
            return via(channel)
        sender = {"address": self.customer["email"], "name": self.customer["name"]}
        return via("email", sender=sender, recipient={"address": f"support@{words.DOMAIN}", "name": words.COMPANY})

    def _comments(self, ticket: Record) -> list[Record]:
        opening = self.topic.opening.format_map(self.names)
        if self._hostile:
            opening = self._hostile[1]
        ticket["description"] = opening
        comments = [self._say(self.customer, opening, ticket["via"])]
        comments[0]["attachments"] = self._files()
        if self.status == "new":
            return comments
        if self.account.chance(0.4):
            comments.append(self._say(self.agent, self.topic.note.format_map(self.names), via("web"), public=False))
        for turn, text in enumerate(self._exchange()):
            speaker = self.customer if turn % 2 else self.agent
            comments.append(
                self._say(speaker, text.format_map(self.names), via("web") if turn % 2 == 0 else ticket["via"])
            )
        return comments

    def _exchange(self) -> tuple[str, ...]:
        """As much of the conversation as the status allows: whoever must act next has not spoken yet."""
        whole = self.topic.exchange
        if self.status in ("solved", "closed"):
            return whole
        spoken = self.random.randint(1, len(whole))
        agent_waits = self.status in ("pending", "hold")
        return whole[: spoken if (spoken % 2 == 1) == agent_waits else spoken - 1]

    def _say(self, author: Record, body: str, source: Record, public: bool = True) -> Record:
        if self.moment > self.start or author is not self.customer:
            pause = timedelta(minutes=self.random.randint(4, 1500))
            self.moment = min(self.moment + pause, self.account.clock.now() - timedelta(seconds=120))
        return new_comment(
            self.account, author, body, public=public, via=source, created_at=iso(max(self.moment, self.start))
        )

    def _files(self) -> list[int]:
        if not self.account.chance(0.2):
            return []
        if "app" in self.topic.tags:
            return [self._keep("trail-app.log", "text/plain", files.text_log(self.random))]
        if "invoice" in self.topic.tags:
            return [
                self._keep(
                    f"order-{self.names['ref']}.pdf", "application/pdf", files.pdf(f"Order {self.names['order']}")
                )
            ]
        width, height = self.random.choice(((64, 48), (96, 96), (160, 90)))
        picture = files.png(self.random, width, height)
        return [self._keep(f"photo {self.names['ref']}.png", "image/png", picture, width, height)]

    def _keep(self, name: str, kind: str, data: bytes, width: int | None = None, height: int | None = None) -> int:
        account = self.account
        file = StoredFile(account.next_id(), account.secret(25), name, kind, data, width=width, height=height)
        account.files[file.id] = file
        return file.id

    def _rate(self, ticket: Record) -> None:
        if not self.account.chance(0.5):
            ticket["satisfaction_rating"] = {"score": "offered"}
            return
        good = self.account.chance(0.8)
        comment = self.random.choice(("Quick and friendly!", None)) if good else "Took far too long."
        rating: Record = {
            "id": self.account.next_id(),
            "assignee_id": ticket["assignee_id"],
            "group_id": ticket["group_id"],
            "requester_id": ticket["requester_id"],
            "ticket_id": ticket["id"],
            "score": ("good" if good else "bad") + ("_with_comment" if comment else ""),
            "created_at": ticket["updated_at"],
            "updated_at": ticket["updated_at"],
            "comment": comment,
            "reason": None if good else "No reason provided",
            "reason_id": None,
            "reason_code": 0 if good else 100,
        }
        self.account.satisfaction_ratings[rating["id"]] = rating
        shown = {"id": rating["id"], "score": "good" if good else "bad", "comment": comment}
        ticket["satisfaction_rating"] = shown
