"""Tickets."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NotRequired, Required, TypeAlias

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import TypedDict

from plugbay import declare
from plugbay.connectors.zendesk.fields import Id, Instant
from plugbay.connectors.zendesk.paging import CursorPager, ExportPager, OffsetPager
from plugbay.declare import UNSET, Cursor, Entity, Limit, Listing, Rare

__all__ = ["CommentInput", "CopyInput", "CustomField", "Requester", "Ticket", "TicketId", "Tickets"]

Status: TypeAlias = Literal["new", "open", "pending", "hold", "solved", "closed"]
Priority: TypeAlias = Literal["low", "normal", "high", "urgent"]
Kind: TypeAlias = Literal["problem", "incident", "question", "task"]
Sort: TypeAlias = Literal["updated_at", "-updated_at", "id", "-id", "status", "-status"]
SearchSort: TypeAlias = Literal["updated_at", "created_at", "priority", "status", "ticket_type"]
Order: TypeAlias = Literal["asc", "desc"]
Sideload: TypeAlias = Literal[
    "users", "groups", "organizations", "comment_count", "metric_sets", "metric_events", "last_audits", "dates", "slas",
    "ticket_forms", "sharing_agreements", "incident_counts",
]  # fmt: skip
_USUAL = ("users", "groups", "organizations", "comment_count", "metric_sets")
Include: TypeAlias = Annotated[
    Sequence[Sideload], WithJsonSchema({"type": "array", "items": {"type": "string", "enum": [*_USUAL]}})
]
"""Shown are those that are of use to many; a catalogue is read with every call, and a model pays for each word."""
TicketId: TypeAlias = Annotated[Id, Field(description="The ticket's number.")]


class CustomField(TypedDict):
    id: int
    value: Any


class Requester(TypedDict, total=False):
    """Made a user if the e-mail address is new; a new user needs a name."""

    name: str
    email: str
    locale_id: SkipJsonSchema[int]


class CopyInput(TypedDict, total=False):
    """A user who is to follow or get copies, or with action delete no more."""

    user_id: int | str
    user_email: str
    user_name: str
    action: Literal["put", "delete"]


class CommentInput(TypedDict, total=False):
    """An internal note, unless public is true: then the customer sees it."""

    body: str
    html_body: str
    value: SkipJsonSchema[str]
    public: bool
    author_id: int
    uploads: Sequence[str]


def explicit_visibility(comment: CommentInput) -> CommentInput:
    """The comment with `public` said: left out, Zendesk takes it from the ticket's history and may mail a customer."""
    if not (comment.get("body") or comment.get("html_body") or comment.get("value")):
        raise ValueError("a comment needs `body` or `html_body`")
    return {"public": False, **comment}


def _worded(comment: Any) -> Any:
    """The comment that a bare text stands for."""
    return {"body": comment} if isinstance(comment, str) and not comment.lstrip().startswith("{") else comment


NewComment: TypeAlias = Annotated[CommentInput, AfterValidator(explicit_visibility), BeforeValidator(_worded)]
FirstComment: TypeAlias = Annotated[NewComment, Field(validation_alias=AliasChoices("comment", "description"))]
"""Zendesk takes a new ticket's description for its first comment, a public one; here it is as internal as any."""

CustomFields: TypeAlias = Annotated[
    Sequence[CustomField] | None, Field(validation_alias=AliasChoices("custom_fields", "fields"))
]
"""`fields` is Zendesk's other name for them."""

Collaborators: TypeAlias = Annotated[
    Sequence[int | str | Mapping[str, Any]],
    Field(description="Users to copy in: ids, e-mail addresses, or name and email."),
]


class Ticket(TypedDict, total=False):
    """A ticket as Zendesk gives it."""

    id: Required[int]
    url: str
    external_id: str | None
    created_at: str
    updated_at: str
    type: str | None
    subject: str | None
    raw_subject: str | None
    description: str | None
    priority: str | None
    status: str
    custom_status_id: int | None
    recipient: str | None
    requester_id: int
    submitter_id: int
    assignee_id: int | None
    organization_id: int | None
    group_id: int | None
    brand_id: int | None
    ticket_form_id: int | None
    collaborator_ids: list[int]
    follower_ids: list[int]
    email_cc_ids: list[int]
    problem_id: int | None
    has_incidents: bool
    is_public: bool
    due_at: str | None
    tags: list[str]
    custom_fields: list[CustomField]
    satisfaction_rating: dict[str, Any] | None
    via: dict[str, Any]
    comment_count: NotRequired[int]


_TYPE_TERM = re.compile(r"(?<![\w-])-?type\s*:\s*(\w+)", re.IGNORECASE)


def _tickets_only(query: str) -> str:
    """The query held to tickets, unless it says so itself."""
    named = [found.lower() for found in _TYPE_TERM.findall(query)]
    if any(found != "ticket" for found in named):
        raise ValueError("this searches tickets; leave `type:` out, and use users.search for users")
    return query if named else f"type:ticket {query}".strip()


TicketQuery: TypeAlias = Annotated[
    str,
    AfterValidator(_tickets_only),
    Field(
        description="Zendesk search terms: words, and fields as status, requester, assignee, tags, created, priority.",
        examples=["refund status<solved requester:ann@example.com tags:vip created>2026-01-31"],
    ),
]


class Tickets(Entity):
    """Customers' requests."""

    summary = (
        "id", "subject", "status", "priority", "requester_id", "assignee_id", "organization_id", "created_at",
        "updated_at", "tags",
    )  # fmt: skip

    @declare.listing("/api/v2/tickets", records="tickets", pager=CursorPager(), brief="all; to filter, search")
    def list(
        self,
        *,
        sort: Sort | None = None,
        external_id: str | None = None,
        include: Include | None = None,
        limit: Limit | None = None,
        cursor: Cursor | None = None,
    ) -> Listing[Ticket]:
        """All tickets that are not archived; to narrow them use `search`."""
        ...

    @declare.get("/api/v2/tickets/{ticket_id}", record="ticket")
    async def get(self, ticket_id: TicketId, *, include: Include | None = None) -> Ticket:
        """One ticket with all its fields; its conversation is in `ticket_comments`."""
        ...

    @declare.create("/api/v2/tickets", record="ticket", body="ticket", idempotency_header="Idempotency-Key")
    async def create(
        self,
        *,
        comment: FirstComment,
        subject: str | None = None,
        requester_id: Id | None = None,
        requester: Requester | None = None,
        submitter_id: Annotated[Id, Rare()] | None = None,
        assignee_id: Id | None = None,
        assignee_email: Annotated[str, Rare()] | None = None,
        group_id: Id | None = None,
        organization_id: Id | None = None,
        status: Status | None = None,
        priority: Priority | None = None,
        type: Kind | None = None,  # noqa: A002 - the field's name
        tags: Sequence[str] | None = None,
        custom_fields: CustomFields = None,
        due_at: Annotated[str, Rare()] | None = None,
        external_id: Annotated[str, Rare()] | None = None,
        ticket_form_id: Annotated[Id, Rare()] | None = None,
        brand_id: Annotated[Id, Rare()] | None = None,
        problem_id: Annotated[Id, Rare()] | None = None,
        custom_status_id: Annotated[Id, Rare()] | None = None,
        recipient: Annotated[str, Rare()] | None = None,
        collaborator_ids: Annotated[Sequence[int], Rare()] | None = None,
        collaborators: Annotated[Collaborators, Rare()] | None = None,
        email_ccs: Annotated[Sequence[CopyInput], Rare()] | None = None,
        followers: Annotated[Sequence[CopyInput], Rare()] | None = None,
        macro_ids: Annotated[Sequence[int], Rare()] | None = None,
        sharing_agreement_ids: Annotated[Sequence[int], Rare()] | None = None,
        via_followup_source_id: Annotated[Id, Rare()] | None = None,
        metadata: Annotated[Mapping[str, Any], Rare()] | None = None,
    ) -> Ticket:
        """Open a ticket for `requester_id` or `requester`; for the caller itself if neither is given.

        The first comment is the description. It is internal unless `comment.public` is true.
        """
        ...

    @declare.update("/api/v2/tickets/{ticket_id}", record="ticket", body="ticket", idempotent=False)
    async def update(
        self,
        ticket_id: TicketId,
        *,
        status: Status | None = None,
        comment: NewComment | None = None,
        priority: Priority | None = UNSET,
        type: Kind | None = UNSET,  # noqa: A002 - the field's name
        subject: str | None = None,
        assignee_id: Id | None = UNSET,
        assignee_email: Annotated[str, Rare()] | None = None,
        group_id: Id | None = UNSET,
        requester_id: Id | None = None,
        organization_id: Id | None = UNSET,
        tags: Annotated[Sequence[str], Field(description="Replaces all tags.")] | None = None,
        custom_fields: CustomFields = None,
        due_at: Annotated[str, Rare()] | None = UNSET,
        external_id: Annotated[str, Rare()] | None = UNSET,
        problem_id: Annotated[Id, Rare()] | None = UNSET,
        custom_status_id: Annotated[Id, Rare()] | None = None,
        ticket_form_id: Annotated[Id, Rare()] | None = None,
        brand_id: Annotated[Id, Rare()] | None = None,
        recipient: Annotated[str, Rare()] | None = None,
        collaborator_ids: Annotated[Sequence[int], Rare()] | None = None,
        additional_collaborators: Annotated[Collaborators, Rare()] | None = None,
        email_ccs: Annotated[Sequence[CopyInput], Rare()] | None = None,
        followers: Annotated[Sequence[CopyInput], Rare()] | None = None,
        macro_ids: Annotated[Sequence[int], Rare()] | None = None,
        sharing_agreement_ids: Annotated[Sequence[int], Rare()] | None = None,
        metadata: Annotated[Mapping[str, Any], Rare()] | None = None,
        updated_stamp: Annotated[
            str, Field(description="The updated_at that was read; with safe_update, a newer ticket is left alone.")
        ]
        | None = None,
        safe_update: bool | None = None,
    ) -> Ticket:
        """Change a ticket's fields or add a comment; only the fields given change.

        `closed` is final: a closed ticket takes no change.
        """
        ...

    @declare.listing(
        "/api/v2/search",
        records="results",
        pager=OffsetPager(
            ceiling=1_000, beyond="Narrow the query, or read everything with tickets.incremental_export."
        ),
    )
    def search(
        self,
        query: TicketQuery,
        *,
        sort_by: SearchSort | None = None,
        sort_order: Order | None = None,
        limit: Limit | None = None,
        cursor: Cursor | None = None,
    ) -> Listing[Ticket]:
        """Tickets that match Zendesk search terms, the most relevant first; new ones appear after some minutes."""
        ...

    @declare.listing(
        "/api/v2/incremental/tickets/cursor",
        records="tickets",
        pager=ExportPager(),
        brief="changed since then; admins only",
        long_work=True,
    )
    def incremental_export(
        self,
        *,
        start_time: Instant,
        include: Include | None = None,
        exclude_deleted: Annotated[bool, Rare()] | None = None,
        limit: Limit | None = None,
        cursor: Cursor | None = None,
    ) -> Listing[Ticket]:
        """Every ticket changed since a moment, deleted ones too; for administrators, ten calls a minute.

        The cursor at the end goes on later with what has changed by then.
        """
        ...
