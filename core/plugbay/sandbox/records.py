"""New records in the full shape that Zendesk gives them, for the seeds and for writes alike."""

from __future__ import annotations

import html
from typing import Any

from plugbay.sandbox.account import Account, Record

STAFF = ("agent", "admin")


def via(channel: str, **source: Any) -> Record:
    """How a record came in; `source` may hold `sender` and `recipient` descriptions and `rel`."""
    return {
        "channel": channel,
        "source": {"from": source.get("sender", {}), "to": source.get("recipient", {}), "rel": source.get("rel")},
    }


def new_user(account: Account, name: str, email: str | None, role: str = "end-user", **fields: Any) -> Record:
    """A user; it is stored and placed in the exports by the caller."""
    now = account.clock.stamp()
    staff = role in STAFF
    user: Record = {
        "id": account.next_id(),
        "name": name,
        "email": email,
        "created_at": now,
        "updated_at": now,
        "time_zone": "UTC",
        "iana_time_zone": "Etc/UTC",
        "phone": None,
        "shared_phone_number": None,
        "photo": None,
        "locale_id": 1,
        "locale": "en-US",
        "organization_id": None,
        "role": role,
        "verified": staff,
        "external_id": None,
        "tags": [],
        "alias": "",
        "active": True,
        "shared": False,
        "shared_agent": False,
        "last_login_at": None,
        "two_factor_auth_enabled": False if staff else None,
        "signature": "",
        "details": "",
        "notes": "",
        "role_type": {"admin": 4, "agent": 0}.get(role),
        "custom_role_id": None,
        "moderator": staff,
        "ticket_restriction": None if staff else "requested",
        "chat_only": False,
        "only_private_comments": False,
        "restricted_agent": not staff,
        "suspended": False,
        "default_group_id": account.default_group() if staff else None,
        "report_csv": role == "admin",
        "user_fields": {},
    }
    return user | fields


def new_organization(account: Account, name: str, **fields: Any) -> Record:
    """An organization; it is stored and placed in the exports by the caller."""
    now = account.clock.stamp()
    organization: Record = {
        "id": account.next_id(),
        "name": name,
        "shared_tickets": False,
        "shared_comments": False,
        "external_id": None,
        "created_at": now,
        "updated_at": now,
        "domain_names": [],
        "details": None,
        "notes": None,
        "group_id": None,
        "tags": [],
        "organization_fields": {},
    }
    return organization | fields


def new_ticket(account: Account, requester: Record, **fields: Any) -> Record:
    """A ticket without comments; it is stored and placed in the exports by the caller."""
    now = account.clock.stamp()
    values = [
        {"id": field["id"], "value": False if field["type"] == "checkbox" else None}
        for field in account.ticket_fields.values()
        if field["removable"]
    ]
    form = next(form["id"] for form in account.ticket_forms.values() if form["default"])
    status = fields.get("status", "new")
    ticket: Record = {
        "id": account.next_ticket_id(),
        "external_id": None,
        "via": via("api"),
        "created_at": now,
        "updated_at": now,
        "generated_timestamp": int(account.clock.timestamp()),
        "type": None,
        "subject": None,
        "raw_subject": None,
        "description": None,
        "priority": None,
        "status": status,
        "recipient": None,
        "requester_id": requester["id"],
        "submitter_id": requester["id"],
        "assignee_id": None,
        "organization_id": requester["organization_id"],
        "group_id": account.default_group(),
        "collaborator_ids": [],
        "follower_ids": [],
        "email_cc_ids": [],
        "forum_topic_id": None,
        "problem_id": None,
        "has_incidents": False,
        "is_public": True,
        "due_at": None,
        "tags": [],
        "custom_fields": values,
        "satisfaction_rating": {"score": "unoffered"},
        "sharing_agreement_ids": [],
        "custom_status_id": account.default_status_id(status),
        "encoded_id": account.secret(6, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789")
        + "-"
        + account.secret(4, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"),
        "followup_ids": [],
        "ticket_form_id": form,
        "brand_id": account.default_brand(),
        "satisfaction_probability": None,
        "allow_channelback": False,
        "allow_attachments": True,
        "from_messaging_channel": False,
    }
    return ticket | fields


def new_comment(account: Account, author: Record, body: str, **fields: Any) -> Record:
    """A comment; `attachments` holds the ids of stored files."""
    comment: Record = {
        "id": account.next_id(),
        "type": "Comment",
        "author_id": author["id"],
        "body": body,
        "html_body": html_body(body),
        "plain_body": body,
        "public": True,
        "attachments": [],
        "audit_id": account.next_id(),
        "via": via("api"),
        "created_at": account.clock.stamp(),
        "metadata": {
            "system": {
                "client": "sandbox",
                "ip_address": "192.0.2.10",
                "location": "",
                "latitude": None,
                "longitude": None,
            },
            "custom": {},
        },
    }
    return comment | fields


def html_body(body: str) -> str:
    """A plain text as the markup that Zendesk wraps comments in."""
    paragraphs = (html.escape(part, quote=False).replace("\n", "<br>") for part in body.split("\n\n"))
    inner = "".join(f'<p dir="auto">{paragraph}</p>' for paragraph in paragraphs)
    return f'<div class="zd-comment" dir="auto">{inner}</div>'
