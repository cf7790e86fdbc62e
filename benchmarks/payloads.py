"""What the service answers in the benchmarks: recorded shapes, fixed bytes, Zendesk's own headers."""

from __future__ import annotations

import gzip
import json
from typing import Any

__all__ = ["HEADERS", "ONE", "PAGE", "TICKET", "packed", "page"]

_PLENTY = "9999999"
"""Requests left of each budget: a benchmark that waits for the next minute measures nothing."""

HEADERS = {
    "date": "Mon, 24 Aug 2026 14:57:25 GMT",
    "content-type": "application/json; charset=utf-8",
    "cache-control": "max-age=0, private, must-revalidate",
    "etag": 'W/"6d2b8a4f0e5d4a77a6d1d5e2b0c4f3a1"',
    "ratelimit-limit": _PLENTY,
    "ratelimit-remaining": _PLENTY,
    "ratelimit-reset": "41",
    "referrer-policy": "strict-origin-when-cross-origin",
    "server": "cloudflare",
    "strict-transport-security": "max-age=31536000;",
    "vary": "Accept-Encoding",
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "x-rate-limit": _PLENTY,
    "x-rate-limit-remaining": _PLENTY,
    "x-request-id": "8e63c0d3-95b1-4c6f-8a93-0f2b9a0e6f11",
    "x-runtime": "0.184233",
    "x-zendesk-api-version": "v2",
    "zendesk-ratelimit-tickets-index": f"total={_PLENTY}; remaining={_PLENTY}; resets=41",
}

TICKET: dict[str, Any] = {
    "url": "https://acme.zendesk.com/api/v2/tickets/1.json",
    "id": 1,
    "external_id": None,
    "via": {"channel": "web", "source": {"from": {}, "to": {}, "rel": None}},
    "created_at": "2026-08-24T14:57:25Z",
    "updated_at": "2026-08-24T14:57:25Z",
    "type": "incident",
    "subject": "Broken zip on my dry bag",
    "raw_subject": "Broken zip on my dry bag",
    "description": "The bag I received is damaged: see the pictures. I would like a replacement. " * 6,
    "priority": "normal",
    "status": "open",
    "recipient": None,
    "requester_id": 46406769512579,
    "submitter_id": 46406769512579,
    "assignee_id": 46406769416195,
    "organization_id": None,
    "group_id": 46406769325443,
    "collaborator_ids": [],
    "follower_ids": [],
    "email_cc_ids": [],
    "problem_id": None,
    "has_incidents": False,
    "is_public": True,
    "due_at": None,
    "tags": ["area_products", "damaged", "vip", "warranty"],
    "custom_fields": [{"id": 46406769374083 + n, "value": f"value {n}"} for n in range(12)],
    "satisfaction_rating": {"score": "unoffered"},
    "sharing_agreement_ids": [],
    "custom_status_id": 46406769341443,
    "ticket_form_id": 46406769397251,
    "brand_id": 46406769400963,
    "allow_channelback": False,
    "allow_attachments": True,
    "from_messaging_channel": False,
}


def page(after: str | None = None, first: int = 1) -> bytes:
    """A page of 100 tickets; `after` is the cursor of the next page, if there is one."""
    cursor = after or "x"
    return json.dumps(
        {
            "tickets": [{**TICKET, "id": number} for number in range(first, first + 100)],
            "meta": {"has_more": after is not None, "after_cursor": cursor, "before_cursor": "y"},
            "links": {"next": f"https://acme.zendesk.com/api/v2/tickets?page[after]={cursor}", "prev": None},
        }
    ).encode()


def packed(body: bytes) -> bytes:
    """`body` as Zendesk sends it to whoever accepts gzip."""
    return gzip.compress(body, 6, mtime=0)


ONE = json.dumps({"ticket": TICKET}).encode()
PAGE = page()
