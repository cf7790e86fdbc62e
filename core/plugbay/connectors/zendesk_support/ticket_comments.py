"""The conversation of a ticket."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Required, TypeAlias

from pydantic import Field
from typing_extensions import TypedDict

from plugbay import declare
from plugbay.connectors.zendesk.fields import Id
from plugbay.connectors.zendesk.paging import CursorPager
from plugbay.connectors.zendesk_support.attachments import Attachment
from plugbay.connectors.zendesk_support.tickets import TicketId
from plugbay.declare import Cursor, Entity, Limit, Listing, Rare
from plugbay.errors import ResponseIntegrityError
from plugbay.json_safe import is_list, is_object

__all__ = ["Comment", "TicketComments"]

Sort: TypeAlias = Literal["created_at", "-created_at"]


class Comment(TypedDict, total=False):
    """A comment as Zendesk gives it."""

    id: Required[int]
    type: str
    author_id: int
    body: str
    html_body: str
    plain_body: str
    public: bool
    attachments: list[Attachment]
    audit_id: int
    via: dict[str, Any]
    created_at: str
    metadata: dict[str, Any]


def _added_comment(payload: Mapping[str, Any]) -> Any:
    """The new comment, which the update's answer holds among the events of its audit."""
    audit = payload.get("audit")
    events = audit.get("events") if is_object(audit) else None
    for event in events if is_list(events) else ():
        if is_object(event) and event.get("type") in {"Comment", "VoiceComment"}:
            return event
    raise ResponseIntegrityError(
        "Zendesk accepted the update and did not show the new comment.",
        hint="The comment may have been added: read ticket_comments.list before adding it again.",
    )


class TicketComments(Entity):
    """What was said on a ticket, to the customer and internally."""

    summary = ("id", "author_id", "public", "created_at", "plain_body", "attachments")

    @declare.listing("/api/v2/tickets/{ticket_id}/comments", records="comments", pager=CursorPager())
    def list(
        self,
        ticket_id: TicketId,
        *,
        sort: Sort | None = None,
        include: Sequence[Literal["users"]] | None = None,
        include_inline_images: Annotated[bool, Rare()] | None = None,
        limit: Limit | None = None,
        cursor: Cursor | None = None,
    ) -> Listing[Comment]:
        """A ticket's comments, oldest first."""
        ...

    @declare.create("/api/v2/tickets/{ticket_id}", body="ticket.comment", method="PUT", read=_added_comment)
    async def create(
        self,
        ticket_id: TicketId,
        body: Annotated[str, Field(min_length=1, description="The text; markdown is shown formatted.")],
        *,
        public: Annotated[
            bool, Field(description="True shows it to the customer and may mail it; otherwise it is an internal note.")
        ] = False,
        author_id: Annotated[Id, Rare()] | None = None,
        uploads: Annotated[Sequence[str], Rare()] | None = None,
    ) -> Comment:
        """Add a comment to a ticket: an internal note, or with `public` an answer to the customer."""
        ...
