"""Every operation of the sandbox, in one table."""

from __future__ import annotations

from plugbay.sandbox import (
    attachments,
    catalog,
    comments,
    incremental,
    oauth,
    oauth_pages,
    organizations,
    search,
    talk,
    talk_stats,
    ticket_writes,
    tickets,
    user_writes,
    users,
    views,
)
from plugbay.sandbox import limits as by
from plugbay.sandbox.auth import ADMIN, ANYONE, END_USER
from plugbay.sandbox.router import Route, Router

_API = "/api/v2"
_TICKETS = f"{_API}/tickets"
_USERS = f"{_API}/users"
_ORGANIZATIONS = f"{_API}/organizations"
_EXPORTS = f"{_API}/incremental"
_TALK = f"{_API}/channels/voice"

_TICKET_ROUTES = (
    Route("GET", _TICKETS, tickets.index, "tickets", buckets=(by.TICKETS_INDEX,)),
    Route("POST", _TICKETS, ticket_writes.create, "tickets"),
    Route("GET", f"{_TICKETS}/count", tickets.count, "tickets"),
    Route("GET", f"{_TICKETS}/show_many", tickets.show_many, "tickets"),
    Route("GET", f"{_TICKETS}/{{id}}", tickets.show, "tickets"),
    Route(
        "PUT", f"{_TICKETS}/{{id}}", ticket_writes.update, "tickets",
        buckets=(by.TICKETS_UPDATE, by.PER_TICKET_UPDATES),
    ),
    Route("DELETE", f"{_TICKETS}/{{id}}", ticket_writes.destroy, "tickets", buckets=(by.TICKETS_DESTROY,)),
    Route("GET", f"{_TICKETS}/{{id}}/comments", comments.index, "tickets"),
    Route("GET", f"{_TICKETS}/{{id}}/comments/count", comments.count, "tickets"),
    Route("GET", f"{_USERS}/{{id}}/tickets/requested", tickets.requested, "tickets"),
    Route("GET", f"{_ORGANIZATIONS}/{{id}}/tickets", tickets.of_organization, "tickets"),
)  # fmt: skip
_ATTACHMENT_ROUTES = (
    Route("GET", f"{_API}/attachments/{{id}}", attachments.show, "ticket_attachments"),
    Route("POST", f"{_API}/uploads", attachments.upload, "ticket_attachments", END_USER),
    Route("DELETE", f"{_API}/uploads/{{token}}", attachments.destroy_upload, "ticket_attachments", END_USER),
)
_PEOPLE_ROUTES = (
    Route("GET", _USERS, users.index, "users"),
    Route("POST", _USERS, user_writes.create, "users"),
    Route("GET", f"{_USERS}/me", users.me, "users", ANYONE),
    Route("GET", f"{_USERS}/count", users.count, "users"),
    Route("GET", f"{_USERS}/search", users.search, "users"),
    Route("GET", f"{_USERS}/autocomplete", users.autocomplete, "users"),
    Route("GET", f"{_USERS}/show_many", users.show_many, "users"),
    Route("POST", f"{_USERS}/create_or_update", user_writes.create_or_update, "users"),
    Route("GET", f"{_USERS}/{{id}}", users.show, "users", END_USER),
    Route("PUT", f"{_USERS}/{{id}}", user_writes.update, "users", buckets=(by.USER_WRITE,)),
    Route("GET", _ORGANIZATIONS, organizations.index, "organizations"),
    Route("GET", f"{_ORGANIZATIONS}/count", organizations.count, "organizations"),
    Route("GET", f"{_ORGANIZATIONS}/search", organizations.search, "organizations"),
    Route("GET", f"{_ORGANIZATIONS}/autocomplete", organizations.autocomplete, "organizations"),
    Route("GET", f"{_ORGANIZATIONS}/show_many", organizations.show_many, "organizations"),
    Route("GET", f"{_ORGANIZATIONS}/{{id}}", organizations.show, "organizations"),
)
_SEARCH_ROUTES = (
    Route("GET", f"{_API}/search", search.index, buckets=(by.SEARCH_INDEX,)),
    Route("GET", f"{_API}/search/count", search.count),
    Route("GET", f"{_API}/search/export", search.export, buckets=(by.SEARCH_EXPORT,)),
)
_EXPORT_CURSOR_ROUTES = tuple(
    Route(
        "GET",
        f"{_EXPORTS}/{plural}/cursor",
        incremental.by_cursor(kind, plural),
        plural,
        ADMIN,
        (by.INCREMENTAL_CURSOR,),
    )
    for kind, plural in (("ticket", "tickets"), ("user", "users"))
)
_EXPORT_TIME_ROUTES = tuple(
    Route("GET", f"{_EXPORTS}/{plural}", incremental.by_time(kind, plural), plural, ADMIN, (by.INCREMENTAL,))
    for kind, plural in (("ticket", "tickets"), ("user", "users"), ("organization", "organizations"))
)
_FIELDS = (by.TICKET_FIELDS_INDEX,)
_CATALOG_ROUTES = (
    Route("GET", f"{_API}/groups", catalog.listing("groups", views.group)),
    Route("GET", f"{_API}/groups/{{id}}", catalog.single("groups", "group", views.group)),
    Route("GET", f"{_API}/brands", catalog.listing("brands", views.brand)),
    Route("GET", f"{_API}/brands/{{id}}", catalog.single("brands", "brand", views.brand)),
    Route("GET", f"{_API}/ticket_fields", catalog.listing("ticket_fields", views.ticket_field), buckets=_FIELDS),
    Route("GET", f"{_API}/ticket_fields/{{id}}", catalog.single("ticket_fields", "ticket_field", views.ticket_field)),
    Route("GET", f"{_API}/ticket_forms", catalog.whole("ticket_forms", views.ticket_form)),
    Route("GET", f"{_API}/ticket_forms/{{id}}", catalog.single("ticket_forms", "ticket_form", views.ticket_form)),
    Route("GET", f"{_API}/custom_statuses", catalog.whole("custom_statuses", views.custom_status)),
    Route(
        "GET", f"{_API}/custom_statuses/{{id}}", catalog.single("custom_statuses", "custom_status", views.custom_status)
    ),
    Route("GET", f"{_API}/satisfaction_ratings", catalog.listing("satisfaction_ratings", views.satisfaction_rating)),
    Route(
        "GET",
        f"{_API}/satisfaction_ratings/{{id}}",
        catalog.single("satisfaction_ratings", "satisfaction_rating", views.satisfaction_rating),
    ),
)
_TALK_ROUTES = (
    Route("GET", f"{_TALK}/phone_numbers", talk.phone_numbers, buckets=(by.TALK,)),
    Route("GET", f"{_TALK}/phone_numbers/search", talk.available_numbers, role=ADMIN, buckets=(by.TALK,)),
    Route("GET", f"{_TALK}/phone_numbers/{{id}}", talk.phone_number, buckets=(by.TALK,)),
    Route("GET", f"{_TALK}/stats/agents_activity", talk_stats.agents_activity, buckets=(by.TALK,)),
    Route("GET", f"{_TALK}/stats/agents_overview", talk_stats.agents_overview, buckets=(by.TALK,)),
    Route("GET", f"{_TALK}/stats/account_overview", talk_stats.account_overview, buckets=(by.TALK,)),
    Route(
        "GET", f"{_TALK}/stats/current_queue_activity", talk_stats.current_queue_activity,
        buckets=(by.TALK, by.TALK_QUEUE),
    ),
    Route(
        "GET", f"{_TALK}/stats/incremental/calls", talk.export("calls"),
        role=ADMIN, buckets=(by.TALK, by.TALK_INCREMENTAL),
    ),
    Route(
        "GET", f"{_TALK}/stats/incremental/legs", talk.export("legs"),
        role=ADMIN, buckets=(by.TALK, by.TALK_INCREMENTAL),
    ),
)  # fmt: skip
_OAUTH_ROUTES = (
    Route("GET", "/oauth/authorizations/new", oauth_pages.consent, "", ANYONE),
    Route("POST", "/oauth/authorizations", oauth_pages.decide, "", ANYONE),
    Route("POST", "/oauth/tokens", oauth.issue, "", ANYONE),
    *(
        route
        for root in ("/oauth/tokens", f"{_API}/oauth/tokens")
        for route in (
            Route("GET", f"{root}/current", oauth.current, "", END_USER),
            Route("DELETE", f"{root}/current", oauth.revoke_current, "", END_USER),
        )
    ),
    Route("DELETE", f"{_API}/oauth/tokens/{{id}}", oauth.revoke, None, END_USER),
)


def router() -> Router:
    """A router over all operations."""
    return Router(
        (
            *_TICKET_ROUTES,
            *_ATTACHMENT_ROUTES,
            *_PEOPLE_ROUTES,
            *_SEARCH_ROUTES,
            *_EXPORT_CURSOR_ROUTES,
            *_EXPORT_TIME_ROUTES,
            *_CATALOG_ROUTES,
            *_TALK_ROUTES,
            *_OAUTH_ROUTES,
        )
    )
