"""Creating, changing and deleting tickets."""

from __future__ import annotations

import copy
import hashlib
from typing import Any

from plugbay.sandbox import bodies, tickets, views
from plugbay.sandbox.account import Record
from plugbay.sandbox.errors import Refused, complaint, invalid_record, simple
from plugbay.sandbox.exchange import Call, Reply
from plugbay.sandbox.markup import plain
from plugbay.sandbox.records import html_body, new_comment, new_ticket, via
from plugbay.sandbox.ticket_fields_in import WRITABLE, Changes, requester_of

MAX_COMMENT = 64 * 1024
_KEY_LENGTH = 255
_KEY_LIFETIME = 2 * 3600


def create(call: Call) -> Reply:
    """POST /tickets; an Idempotency-Key makes a repeated request answer with the first ticket for two hours."""
    key = call.headers.get("idempotency-key")
    if not key:
        return _create(call)
    if len(key) > _KEY_LENGTH:
        raise simple(400, "IdempotentRequestError", "The idempotency key is longer than 255 characters")
    fingerprint = hashlib.sha256(call.body).hexdigest()
    stored = call.account.idempotent.get(key)
    if stored is None or stored[0] + _KEY_LIFETIME <= call.account.clock.timestamp():
        reply = _create(call)
        reply.headers["x-idempotency-lookup"] = "miss"
        call.account.idempotent[key] = (call.account.clock.timestamp(), fingerprint, copy.deepcopy(reply))
        return reply
    if stored[1] != fingerprint:
        raise simple(400, "IdempotentRequestError", "Request parameters don't match the given idempotency key")
    replayed: Reply = copy.deepcopy(stored[2])
    replayed.headers["x-idempotency-lookup"] = "hit"
    return replayed


def _create(call: Call) -> Reply:
    given = bodies.read(call, "ticket", WRITABLE)
    comment = _comment_in(call, given)
    if comment is None or not _text(comment).strip():
        raise invalid_record(base=complaint("Description: cannot be blank", "BlankValue"))
    author = call.caller.require_user()
    changes = Changes(call, given)
    values = changes.read()
    requester = _requester(call, given) or author
    changes.copy_people()
    account = call.account
    custom = values.pop("custom_fields", {})
    values.setdefault("status", "open" if values.get("assignee_id") else "new")
    ticket = new_ticket(account, requester, submitter_id=_submitter(call, given) or author["id"])
    ticket["custom_status_id"] = account.default_status_id(values["status"])
    _apply(ticket, values, custom)
    ticket["via"] = _via(call, given, ticket)
    ticket["description"] = _text(comment)
    ticket["raw_subject"] = ticket["subject"]
    account.tickets[ticket["id"]], account.comments[ticket["id"]], account.audits[ticket["id"]] = ticket, [], []
    added = _say(
        call, ticket, comment, default_author=requester if "requester" in given else author, default_public=True
    )
    _changed(call, ticket)
    events = [_comment_event(call, added), *(_event("Create", name, ticket[name]) for name in _AUDITED)]
    headers = {"location": views.url(account, "tickets", ticket["id"])}
    return Reply(201, _with_audit(call, ticket, given, events, added["audit_id"]), headers)


def update(call: Call) -> Reply:
    """PUT /tickets/{id}."""
    ticket = tickets.find(call)
    given = bodies.read(call, "ticket", WRITABLE)
    if ticket["status"] == "closed":
        raise invalid_record(status=complaint("closed prevents ticket update"))
    _check_collision(ticket, given)
    before = dict(ticket)
    comment = _comment_in(call, given)
    changes = Changes(call, given, ticket)
    values = changes.read()
    requester = _requester(call, given)
    changes.copy_people()
    if requester:
        values["requester_id"] = requester["id"]
        values.setdefault("organization_id", requester["organization_id"])
    if values.get("assignee_id") and ticket["status"] == "new" and "status" not in values:
        values |= {"status": "open", "custom_status_id": call.account.default_status_id("open")}
    _apply(ticket, values, values.pop("custom_fields", {}))
    events = [_event("Change", name, ticket[name], before[name]) for name in _AUDITED if ticket[name] != before[name]]
    audit_id = None
    if comment is not None:
        added = _say(call, ticket, comment, call.caller.require_user(), ticket["is_public"])
        events.insert(0, _comment_event(call, added))
        audit_id = added["audit_id"]
    _changed(call, ticket)
    return Reply(200, _with_audit(call, ticket, given, events, audit_id))


def destroy(call: Call) -> Reply:
    """DELETE /tickets/{id}: the ticket leaves every list but stays in the incremental exports as "deleted"."""
    ticket = tickets.find(call)
    call.account.deleted_tickets[ticket["id"]] = call.account.tickets.pop(ticket["id"])
    ticket["status"] = "deleted"
    _changed(call, ticket)
    return Reply(204)


_AUDITED = (
    "subject", "priority", "requester_id", "status", "type", "assignee_id", "group_id", "organization_id", "brand_id",
    "ticket_form_id", "custom_status_id", "tags", "due_at", "external_id", "problem_id",
)  # fmt: skip


def _requester(call: Call, given: Record) -> Record | None:
    """Who the body names as requester, if anybody."""
    if given.get("requester") is not None:
        return requester_of(call, given["requester"])
    if given.get("requester_id") is None:
        return None
    user = bodies.known_user(call.account, bodies.number(given["requester_id"], "requester_id", call))
    if user is None:
        raise invalid_record(requester=complaint("Requester: is invalid", "InvalidValue"))
    return user


def _via(call: Call, given: Record, ticket: Record) -> Record:
    """How a new ticket came in; a follow-up names the closed ticket it continues, which then names it."""
    source = call.account.tickets.get(int(given.get("via_followup_source_id") or 0))
    if source is None or source["status"] != "closed":
        return via("api")
    source["followup_ids"] = [*source["followup_ids"], ticket["id"]]
    return via("api", rel="follow_up", sender={"ticket_id": source["id"], "subject": source["subject"]})


def _submitter(call: Call, given: Record) -> int | None:
    """Who the body names as submitter; an unknown user is passed over."""
    user = bodies.known_user(call.account, int(given.get("submitter_id") or 0))
    return user["id"] if user else None


def _comment_in(call: Call, given: Record) -> Record | None:
    """The comment of a body; `description` is an old way to write the first one."""
    comment = given.get("comment")
    if comment is None and given.get("description") and call.action == "create":
        comment = given["description"]
    if isinstance(comment, str):
        comment = {"body": comment}
    if comment is None:
        return None
    bodies.check(call, {"comment": comment}, {"comment": "an object"})
    bodies.check(call, comment, _COMMENT_KINDS)
    call.unknown_keys += [f"ticket.comment.{key}" for key in comment if key not in _COMMENT_KINDS]
    if len(_text(comment).encode()) > MAX_COMMENT:
        raise invalid_record(comment=complaint("Comment: Body: is too long (maximum is 65536 bytes)", "TooLong"))
    _check_uploads(call, comment)
    return dict(comment)


_COMMENT_KINDS = {
    "body": "a string",
    "html_body": "a string",
    "public": "a boolean",
    "author_id": "an integer",
    "uploads": "an array of strings",
    "type": "a string",
}


def _text(comment: Record) -> str:
    """A comment's plain text; markup is reduced to its words."""
    if comment.get("html_body"):
        return plain(str(comment["html_body"]))
    return str(comment.get("body") or "")


def _say(call: Call, ticket: Record, given: Record, default_author: Record, default_public: bool) -> Record:
    """Add a comment; without `public` it is as public as the conversation so far.

    What a light agent writes is private, and so is what somebody else adds in their name, unless they asked for help
    themselves.
    """
    text = _text(given)
    caller = call.caller.require_user()
    public = bodies.truth(given["public"]) if given.get("public") is not None else default_public
    author = call.account.users.get(int(given.get("author_id") or 0), default_author)
    light = caller["only_private_comments"] or (
        author["only_private_comments"] and author["id"] != ticket["requester_id"]
    )
    comment = new_comment(
        call.account,
        author,
        text,
        html_body=_wrapped(str(given["html_body"])) if given.get("html_body") else html_body(text),
        public=public and not light,
        attachments=[number for name in _uploads(given) for number in call.account.uploads.pop(name).file_ids],
    )
    comment["metadata"]["system"]["client"] = call.headers.get("user-agent", "")
    call.account.comments[ticket["id"]].append(comment)
    ticket["is_public"] = any(entry["public"] for entry in call.account.comments[ticket["id"]])
    return comment


def _wrapped(markup: str) -> str:
    return f'<div class="zd-comment" dir="auto">{markup}</div>'


def _uploads(comment: Record) -> list[str]:
    """The upload tokens of a comment, each once."""
    given: Any = comment.get("uploads") or []
    names: list[str] = [given] if isinstance(given, str) else given
    return list(dict.fromkeys(names))


def _check_uploads(call: Call, comment: Record) -> None:
    """Refuse upload tokens that are unknown, used up or too old."""
    for name in _uploads(comment):
        upload = call.account.uploads.get(name)
        if upload is None or upload.expires_at <= call.account.clock.timestamp():
            raise invalid_record(uploads=complaint(f"Uploads: {name} is invalid or has expired", "InvalidValue"))


def _check_collision(ticket: Record, given: Record) -> None:
    if bodies.truth(given.get("safe_update")) and given.get("updated_stamp") != ticket["updated_at"]:
        text = (
            "Safe Update prevented the update due to outdated ticket data. "
            "Please fetch the latest ticket data and try again."
        )
        raise Refused(409, {"error": "UpdateConflict", "description": text})


def _apply(ticket: Record, values: Record, custom: dict[int, Any]) -> None:
    ticket.update(values)
    ticket["custom_fields"] = [
        {"id": entry["id"], "value": custom.get(entry["id"], entry["value"])} for entry in ticket["custom_fields"]
    ]
    ticket["collaborator_ids"] = list(dict.fromkeys([*ticket["email_cc_ids"], *ticket["follower_ids"]]))


def _changed(call: Call, ticket: Record) -> None:
    call.account.touch("ticket", ticket)
    ticket["generated_timestamp"] = int(call.account.clock.timestamp())


def _event(kind: str, name: str, value: Any, before: Any = None) -> Record:
    written = str(value) if isinstance(value, int) else value
    event = {"type": kind, "value": written, "field_name": name}
    return event if kind == "Create" else event | {"previous_value": str(before) if isinstance(before, int) else before}


def _comment_event(call: Call, comment: Record) -> Record:
    shown = views.comment(call.account, comment)
    names = ("id", "type", "author_id", "body", "html_body", "plain_body", "public", "attachments", "audit_id")
    return {name: shown[name] for name in names}


def _with_audit(call: Call, ticket: Record, given: Record, events: list[Record], audit_id: int | None) -> Record:
    """The answer to a write: the ticket, and the audit that lists what changed."""
    account = call.account
    audit = {
        "id": audit_id or account.next_id(),
        "ticket_id": ticket["id"],
        "created_at": account.clock.stamp(),
        "author_id": call.caller.require_user()["id"],
        "metadata": {
            "system": {"client": call.headers.get("user-agent", ""), "ip_address": "127.0.0.1"},
            "custom": given.get("metadata") or {},
        },
        "events": [{"id": account.next_id(), **event} for event in events],
        "via": via("api"),
    }
    account.audits[ticket["id"]].append(audit)
    return {"ticket": views.ticket(account, ticket), "audit": audit}
