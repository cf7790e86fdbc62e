"""Checks the fields of a ticket that a client wants to set."""

from __future__ import annotations

from typing import Any

from plugbay.sandbox import bodies
from plugbay.sandbox.account import Account, Record
from plugbay.sandbox.errors import Refused, complaint, invalid_attribute, invalid_record
from plugbay.sandbox.exchange import Call, is_number
from plugbay.sandbox.records import STAFF, new_user
from plugbay.sandbox.tickets import PRIORITIES, STATUSES

_IDS = (
    "assignee_id", "brand_id", "custom_status_id", "group_id", "organization_id", "problem_id", "requester_id",
    "submitter_id", "ticket_form_id", "via_followup_source_id",
)  # fmt: skip
_WORDS = (
    "assignee_email", "description", "due_at", "external_id", "priority", "raw_subject", "recipient", "status",
    "subject", "type", "updated_stamp",
)  # fmt: skip
KINDS = {
    **dict.fromkeys(_IDS, "an integer"),
    **dict.fromkeys(_WORDS, "a string"),
    **dict.fromkeys(("collaborator_ids", "email_cc_ids", "follower_ids"), "an array of integers"),
    **dict.fromkeys(("additional_collaborators", "collaborators"), "an array of people"),
    **dict.fromkeys(("email_ccs", "followers"), "an array of objects"),
    **dict.fromkeys(("custom_fields", "fields"), "an array of fields"),
    "metadata": "an object",
    "requester": "an object",
    "safe_update": "a boolean",
    "tags": "an array of strings",
}
_PEOPLE = ("additional_collaborators", "collaborators", "collaborator_ids")
WRITABLE = frozenset((*KINDS, *_PEOPLE, "comment"))
_TYPES = ("problem", "incident", "question", "task")
_CHOICES = {"status": STATUSES, "priority": PRIORITIES, "type": _TYPES}
_TEXTS = ("external_id", "due_at", "recipient")


class Changes:
    """Turns what a client sent into values of ticket fields; every complaint is collected before refusing.

    Args:
        call: The request.
        given: The known keys of the body.
        ticket: The ticket that is to change, if there is one.
    """

    def __init__(self, call: Call, given: Record, ticket: Record | None = None) -> None:
        self._ticket: Record = ticket or {}
        self._call = call
        self._account: Account = call.account
        self._given = given
        self._wrong: dict[str, list[Record]] = {}
        self.values: Record = {}

    def read(self) -> Record:
        """The new values by field; 422 with all complaints when any value is wrong."""
        bodies.check(self._call, self._given, KINDS)
        self._plain()
        self._assignee()
        self._links()
        self._status()
        self._custom()
        if self._wrong:
            raise invalid_record(**self._wrong)
        return self.values

    def copy_people(self) -> None:
        """Add who is in copy; addresses that are new become users, so this comes after everything that may refuse."""
        for ids_key, people_key in (("email_cc_ids", "email_ccs"), ("follower_ids", "followers")):
            self._copied(ids_key, people_key)
        self._collaborators()

    def _complain(self, field: str, text: str, code: str = "InvalidValue") -> None:
        self._wrong.setdefault(field, []).append(complaint(f"{field.capitalize()}: {text}", code))

    def _plain(self) -> None:
        for name, allowed in _CHOICES.items():
            if name in self._given:
                value = self._given[name] or None
                if value is not None and value not in allowed:
                    self._complain(name, f"{value} is not included in the list")
                self.values[name] = value
        for name in _TEXTS:
            if name in self._given:
                self.values[name] = self._given[name]
        if "subject" in self._given or "raw_subject" in self._given:
            subject = self._given.get("subject", self._given.get("raw_subject"))
            self.values |= {"subject": subject, "raw_subject": subject}
        if "tags" in self._given:
            self.values["tags"] = bodies.tags(self._given["tags"], self._call)

    def _assignee(self) -> None:
        email, given = self._given.get("assignee_email"), self._given.get("assignee_id")
        if email:
            agent = self._account.user_by_email(str(email))
            self._assign(agent["id"] if agent else 0)
        elif given:
            self._assign(int(given))
        elif "assignee_id" in self._given:
            self.values["assignee_id"] = None

    def _assign(self, user_id: int) -> None:
        agent = bodies.known_user(self._account, user_id)
        if agent is None or agent["role"] not in STAFF:
            self._complain("assignee", "is not an agent who can be assigned")
            return
        self.values["assignee_id"] = agent["id"]
        if "group_id" not in self._given:
            self.values["group_id"] = agent["default_group_id"]

    def _copied(self, ids_key: str, people_key: str) -> None:
        """People in copy: a whole new list by ids, or single ones added to and taken from the list there is."""
        if ids_key in self._given:
            numbers = [int(number) for number in self._given.get(ids_key) or ()]
            self.values[ids_key] = [number for number in numbers if bodies.known_user(self._account, number)]
        entries: list[Record] = self._given.get(people_key) or []
        for entry in entries:
            user = self._person(entry)
            if user:
                self._copy(user, ids_key, gone=entry.get("action") == "delete")

    def _copy(self, user: Record, ids_key: str, *, gone: bool = False) -> None:
        current = self.values[ids_key] if ids_key in self.values else self._ticket.get(ids_key, ())
        kept = [number for number in current if number != user["id"]]
        self.values[ids_key] = kept if gone else [*kept, user["id"]]

    def _collaborators(self) -> None:
        """The older way to name people in copy: staff become followers, customers are copied on mails."""
        if "collaborators" in self._given or "collaborator_ids" in self._given:
            self.values |= {"email_cc_ids": [], "follower_ids": []}
        for key in _PEOPLE:
            entries: list[Any] = self._given.get(key) or []
            for entry in entries:
                user = self._person(bodies.as_object(entry) or _described(entry))
                if user:
                    self._copy(user, "follower_ids" if user["role"] in STAFF else "email_cc_ids")

    def _person(self, entry: Record) -> Record | None:
        if entry.get("user_id"):
            return bodies.known_user(self._account, bodies.number(entry["user_id"], "user_id", self._call))
        email = str(entry.get("user_email") or entry.get("email") or "")
        name = str(entry.get("user_name") or entry.get("name") or "").strip()
        # Whoever is only in copy may do without a name: it is taken from the address.
        name = name or email.partition("@")[0] or email
        return requester_of(self._call, {"email": email, "name": name}) if email else None

    def _links(self) -> None:
        tables: dict[str, dict[int, Any]] = {
            "group_id": self._account.groups,
            "organization_id": self._account.organizations,
            "brand_id": self._account.brands,
            "ticket_form_id": self._account.ticket_forms,
            "problem_id": self._account.tickets,
        }
        for name, table in tables.items():
            if name in self._given:
                value = int(self._given[name]) if self._given[name] else None
                if value is not None and value not in table:
                    self._complain(name.removesuffix("_id"), "is invalid")
                self.values[name] = value

    def _status(self) -> None:
        """`status` and `custom_status_id` move together; the custom status decides when both are given."""
        chosen = self._given.get("custom_status_id")
        if chosen is not None:
            known = self._account.custom_statuses.get(int(chosen or 0))
            if known is None:
                self._complain("custom_status_id", "is invalid")
            else:
                self.values |= {"custom_status_id": known["id"], "status": known["status_category"]}
        elif self.values.get("status") in STATUSES:
            self.values["custom_status_id"] = self._account.default_status_id(self.values["status"])
        elif "status" in self.values and not self._wrong:
            del self.values["status"]

    def _custom(self) -> None:
        given = self._given.get("custom_fields", self._given.get("fields"))
        if given is None:
            return
        by_id = bodies.as_object(given)
        pairs: list[tuple[Any, Any]] = [*by_id.items()] if by_id else [(f.get("id"), f.get("value")) for f in given]
        wanted = {int(key): value for key, value in pairs if is_number(str(key))}
        known = {number: value for number, value in wanted.items() if number in self._account.ticket_fields}
        for field_id, value in known.items():
            self._check_custom(self._account.ticket_fields[field_id], value)
        self.values["custom_fields"] = known

    def _check_custom(self, field: Record, value: Any) -> None:
        options = {option["value"] for option in field.get("custom_field_options", ())}
        if options and value not in (None, "", *options):
            text = f"{field['title']}: {value} is not a valid option"
            self._wrong.setdefault("base", []).append(
                complaint(text, "InvalidValue", ticket_field_id=field["id"], ticket_field_type="FieldTagger")
            )


def _described(entry: int | str) -> Record:
    """A collaborator given as an id or as an address."""
    return {"email": entry} if "@" in str(entry) else {"user_id": entry}


def requester_of(call: Call, given: Any) -> Record:
    """The user that `requester` describes, created when the address is new, which takes a name."""
    person = bodies.as_object(given)
    if person is None:
        raise invalid_attribute("requester", "must be an object", call.origin)
    email = person.get("email")
    known = call.account.user_by_email(str(email)) if email else None
    if known:
        return known
    name = str(person.get("name") or "").strip()
    if not email and not name:
        raise _requester_blank()
    if email and "@" not in str(email):
        raise invalid_record(
            requester=complaint(f"Requester: Email:  {email} is not properly formatted", "InvalidValue")
        )
    if not name:
        raise invalid_record(requester=complaint("Requester: Name: is too short (minimum one character)"))
    user = new_user(call.account, name, email)
    call.account.users[user["id"]] = user
    call.account.touch("user", user)
    return user


def _requester_blank() -> Refused:
    return invalid_record(requester_id=complaint("Requester: cannot be blank", "BlankValue"))
