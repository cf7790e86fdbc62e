"""Creating and changing users."""

from __future__ import annotations

from plugbay.sandbox import bodies, users, views
from plugbay.sandbox.account import Record
from plugbay.sandbox.auth import ADMIN
from plugbay.sandbox.errors import complaint, forbidden, invalid_record
from plugbay.sandbox.exchange import Call, Reply
from plugbay.sandbox.records import new_user

_WORDS = (
    "name", "email", "phone", "role", "external_id", "alias", "details", "notes", "signature", "time_zone",
    "iana_time_zone", "locale", "ticket_restriction",
)  # fmt: skip
_PLAIN = {
    **dict.fromkeys(_WORDS, "a string"),
    **dict.fromkeys(("organization_id", "locale_id", "default_group_id", "custom_role_id"), "an integer"),
    **dict.fromkeys(
        ("verified", "suspended", "moderator", "only_private_comments", "shared_phone_number"), "a boolean"
    ),
    "tags": "an array of strings",
    "user_fields": "an object",
}
_KNOWN = frozenset((*_PLAIN, "identities", "organization", "skip_verify_email", "remote_photo_url", "password"))


def create(call: Call) -> Reply:
    """POST /users."""
    return _create(call, _given(call))


def _create(call: Call, given: Record) -> Reply:
    _validate(call, given, None)
    fields = {key: given[key] for key in _PLAIN if key in given and key not in ("name", "email", "role")}
    user = new_user(call.account, given["name"], given.get("email"), given.get("role") or "end-user", **fields)
    call.account.users[user["id"]] = user
    call.account.touch("user", user)
    headers = {"location": views.url(call.account, "users", user["id"])}
    return Reply(201, {"user": views.user(call.account, user)}, headers)


def create_or_update(call: Call) -> Reply:
    """POST /users/create_or_update: the user with this external id or address is changed, else created."""
    given = _given(call)
    existing = _existing(call, given)
    return _create(call, given) if existing is None else _update(call, existing, given)


def _existing(call: Call, given: Record) -> Record | None:
    external = given.get("external_id")
    if external:
        found = next((u for u in users.active(call.account) if u["external_id"] == external), None)
        if found:
            return found
    return call.account.user_by_email(str(given["email"])) if given.get("email") else None


def update(call: Call) -> Reply:
    """PUT /users/{id}."""
    return _update(call, users.find(call), _given(call))


def _update(call: Call, user: Record, given: Record) -> Reply:
    _validate(call, given, user)
    changes = {key: given[key] for key in _PLAIN if key in given}
    if user["email"] and changes.get("email"):
        # An address given to somebody who has one becomes a second identity; the first stays primary.
        call.account.second_emails[str(changes.pop("email")).casefold()] = user["id"]
    user |= changes
    call.account.touch("user", user)
    return Reply(200, {"user": views.user(call.account, user)})


def _given(call: Call) -> Record:
    given = bodies.read(call, "user", _KNOWN)
    bodies.check(call, given, _PLAIN)
    for key, kind in _PLAIN.items():
        if kind == "an integer" and isinstance(given.get(key), str):
            given[key] = int(given[key]) if given[key] else None
    if "tags" in given:
        given["tags"] = bodies.tags(given["tags"], call)
    return given


def _validate(call: Call, given: Record, user: Record | None) -> None:
    """Refuse blank names, unknown roles and addresses or external ids that somebody else has."""
    if "role" in given and given["role"] not in ("end-user", "agent", "admin"):
        raise invalid_record(role=complaint(f"Role: {given['role']} is not a valid role", "InvalidValue"))
    if given.get("role") in ("agent", "admin") and call.caller.rank < ADMIN:
        raise forbidden()
    name = given.get("name", "" if user is None else user["name"])
    if not str(name or "").strip():
        raise invalid_record(name=complaint("Name: is too short (minimum one characters)", "BlankValue"))
    _validate_email(call, given.get("email"), user)
    external = given.get("external_id")
    if external and any(u["external_id"] == external and u is not user for u in users.active(call.account)):
        raise invalid_record(external_id=complaint("External has already been taken", "DuplicateValue"))
    organization = given.get("organization_id")
    if organization is not None and organization not in call.account.organizations:
        raise invalid_record(organization=complaint("Organization: is invalid", "InvalidValue"))


def _validate_email(call: Call, email: object, user: Record | None) -> None:
    if not email:
        return
    text = str(email)
    mailbox, at, domain = text.partition("@")
    if not (mailbox and at and domain) or " " in text:
        raise invalid_record(email=complaint(f"Email:  {text} is not properly formatted", "InvalidValue"))
    owner = call.account.user_by_email(text)
    if owner is not None and owner is not user:
        description = f"Email: {text} is already being used by another user"
        raise invalid_record(email=complaint(description, "DuplicateValue"))
