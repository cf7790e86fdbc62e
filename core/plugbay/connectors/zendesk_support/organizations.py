"""The companies that customers belong to."""

from typing import Annotated, Any, Required, TypeAlias

from pydantic import Field
from typing_extensions import TypedDict

from plugbay import declare
from plugbay.connectors.zendesk.fields import Id
from plugbay.connectors.zendesk.paging import CursorPager
from plugbay.declare import Cursor, Entity, Limit, Listing

__all__ = ["Organization", "Organizations"]

OrganizationId: TypeAlias = Annotated[Id, Field(description="The organization's id.")]


class Organization(TypedDict, total=False):
    """An organization as Zendesk gives it."""

    id: Required[int]
    url: str
    name: str
    domain_names: list[str]
    details: str | None
    notes: str | None
    group_id: int | None
    external_id: str | None
    shared_tickets: bool
    shared_comments: bool
    tags: list[str]
    organization_fields: dict[str, Any] | None
    created_at: str
    updated_at: str


class Organizations(Entity):
    """The companies that customers belong to."""

    summary = ("id", "name", "domain_names", "tags", "updated_at")

    @declare.listing("/api/v2/organizations", records="organizations", pager=CursorPager())
    def list(self, *, limit: Limit | None = None, cursor: Cursor | None = None) -> Listing[Organization]:
        """All organizations."""
        ...

    @declare.get("/api/v2/organizations/{organization_id}", record="organization")
    async def get(self, organization_id: OrganizationId) -> Organization:
        """One organization."""
        ...
