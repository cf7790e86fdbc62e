"""Decides whether a record fits a parsed query."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from plugbay.sandbox.account import Account, Record
from plugbay.sandbox.search_query import Query, Term
from plugbay.sandbox.search_values import contains, dated, equals, ranked, says
from plugbay.sandbox.tickets import PRIORITIES, STATUSES

Test = Callable[[Record, Term], bool]


@dataclass(frozen=True)
class World:
    """What a search looks at: the account, who is asking (for `me`), and whether free text may be part of a word."""

    account: Account
    me: int | None
    partial: bool = False

    def fields(self, kind: str) -> dict[str, Test]:
        """The tests a type of record knows, by field; the empty name is free text."""
        shared: dict[str, Test] = {
            "created": self._date("created_at"),
            "updated": self._date("updated_at"),
            "tags": _tags,
            "external_id": lambda record, term: _value_is(record["external_id"], term),
        }
        named: dict[str, Test] = {"name": _says("name"), "": self._free(kind)}
        if kind == "group":
            return named | {"created": shared["created"], "updated": shared["updated"]}
        if kind == "organization":
            return shared | named | {"details": _says("details"), "notes": _says("notes")}
        return shared | (named | self._user_fields() if kind == "user" else self._ticket_fields())

    def _user_fields(self) -> dict[str, Test]:
        return {
            "email": lambda user, term: equals(user["email"], term.value),
            "phone": lambda user, term: _value_is(user["phone"], term) or equals(user["phone"], "+" + term.value),
            "role": lambda user, term: user["role"] == {"enduser": "end-user"}.get(term.value, term.value.casefold()),
            "organization": self._named("organization_id", "organizations"),
            "group": lambda user, term: any(
                self._is_named(number, term.value, "groups") for number in self.account.memberships.get(user["id"], ())
            ),
            "notes": _says("notes"),
            "details": _says("details"),
        }

    def _ticket_fields(self) -> dict[str, Test]:
        people = {"requester": "requester_id", "assignee": "assignee_id", "submitter": "submitter_id"}
        return {
            "": self._free("ticket"),
            "status": lambda t, term: ranked(t["status"], term.operator, term.value, STATUSES, "status"),
            "priority": lambda t, term: ranked(t["priority"], term.operator, term.value, PRIORITIES, "priority"),
            "ticket_type": lambda t, term: (t["type"] or "none") == term.value.casefold(),
            "ticket_id": lambda t, term: str(t["id"]) == term.value,
            **{field: self._person(link) for field, link in people.items()},
            "cc": lambda t, term: self._any_person(t["collaborator_ids"], term.value),
            "commenter": lambda t, term: self._any_person(self._authors(t), term.value),
            "organization": self._named("organization_id", "organizations"),
            "group": self._named("group_id", "groups"),
            "brand": self._named("brand_id", "brands"),
            "form": self._named("ticket_form_id", "ticket_forms"),
            "subject": _says("subject"),
            "description": _says("description"),
            "comment": lambda t, term: any(says(c["body"], term.value) for c in self.account.comments[t["id"]]),
            "via": lambda t, term: equals(t["via"]["channel"], {"mail": "email"}.get(term.value, term.value)),
            "satisfaction": lambda t, term: equals(t["satisfaction_rating"]["score"], term.value),
            "solved": lambda t, term: t["status"] in STATUSES[4:] and self._date("updated_at")(t, term),
            "due_date": self._date("due_at"),
            "has_attachment": lambda t, term: self._has_file(t) == (term.value.casefold() == "true"),
            "fieldvalue": lambda t, term: any(_value_is(entry["value"], term) for entry in t["custom_fields"]),
        }

    def custom_field(self, number: int) -> Test:
        """The test of one custom ticket field."""
        return lambda ticket, term: any(
            _value_is(entry["value"], term) for entry in ticket["custom_fields"] if entry["id"] == number
        )

    def _date(self, name: str) -> Test:
        return lambda record, term: dated(record[name], term.operator, term.value, self.account.clock.now())

    def _free(self, kind: str) -> Test:
        texts = {
            "ticket": ("subject", "description"),
            "user": ("name", "email", "phone", "notes", "details", "external_id"),
            "organization": ("name", "details", "notes"),
            "group": ("name",),
        }[kind]

        found = contains if self.partial else says

        def test(record: Record, term: Term) -> bool:
            if any(found(record[text], term.value) for text in texts):
                return True
            said = self.account.comments[record["id"]] if kind == "ticket" else ()
            return any(says(comment["body"], term.value) for comment in said)

        return test

    def _person(self, link: str) -> Test:
        return lambda record, term: self._any_person([record[link]], term.value)

    def _any_person(self, numbers: Iterable[int | None], wanted: str) -> bool:
        people = [number for number in numbers if number is not None]
        if wanted.casefold() == "none":
            return not people
        return any(self._is_person(number, wanted) for number in people)

    def _is_person(self, number: int, wanted: str) -> bool:
        user = self.account.users[number]
        if wanted.casefold() == "me":
            return number == self.me
        if wanted == str(number):
            return True
        return equals(user["email"], wanted) if "@" in wanted else says(user["name"], wanted)

    def _named(self, link: str, table: str) -> Test:
        return lambda record, term: self._is_named(record[link], term.value, table)

    def _is_named(self, number: int | None, wanted: str, table: str) -> bool:
        if number is None or wanted.casefold() == "none":
            return number is None and wanted.casefold() == "none"
        return wanted == str(number) or says(getattr(self.account, table)[number]["name"], wanted)

    def _authors(self, ticket: Record) -> list[int]:
        return [comment["author_id"] for comment in self.account.comments[ticket["id"]]]

    def _has_file(self, ticket: Record) -> bool:
        return any(comment["attachments"] for comment in self.account.comments[ticket["id"]])


def _says(name: str) -> Test:
    return lambda record, term: says(record[name], term.value)


def _tags(record: Record, term: Term) -> bool:
    """One of the term's tags is on the record; `none` asks for no tags at all."""
    wanted = term.value.replace(",", " ").split()
    if wanted == ["none"]:
        return not record["tags"]
    return any(equals(tag, part) for part in wanted for tag in record["tags"])


def _value_is(value: object, term: Term) -> bool:
    if term.value.casefold() == "none":
        return value in (None, "", False)
    return value is not None and equals("true" if value is True else value, term.value)


class Matcher:
    """A query made ready for one type of record.

    Terms of the same field are alternatives, except tags and comparisons, which must all hold, and negated terms, none
    of which may hold.
    """

    def __init__(self, query: Query, kind: str, world: World) -> None:
        known = world.fields(kind)
        for term in query.terms:
            if kind == "ticket" and (term.field or "").startswith("custom_field_"):
                known[str(term.field)] = world.custom_field(int(str(term.field).rpartition("_")[2]))
        self.possible = kind in (query.types or {kind}) and all((term.field or "") in known for term in query.terms)
        self._groups = _grouped(query.terms)
        self._known = known

    def fits(self, record: Record) -> bool:
        """Whether a record meets every condition."""
        return self.possible and all(any(self._holds(record, term) for term in group) for group in self._groups)

    def _holds(self, record: Record, term: Term) -> bool:
        return self._known[term.field or ""](record, term) != term.negated


def _grouped(terms: Iterable[Term]) -> list[list[Term]]:
    """Terms as a conjunction of alternatives."""
    alternatives: dict[str, list[Term]] = {}
    groups: list[list[Term]] = []
    for term in terms:
        if term.field is None or term.field == "tags" or term.negated or term.operator != ":":
            groups.append([term])
        elif term.field in alternatives:
            alternatives[term.field].append(term)
        else:
            alternatives[term.field] = [term]
            groups.append(alternatives[term.field])
    return groups
