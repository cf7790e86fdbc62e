"""Customers and agents."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Required, TypeAlias

from pydantic import Field, WithJsonSchema
from typing_extensions import TypedDict

from plugbay import declare
from plugbay.connectors.zendesk.connector import signed_in
from plugbay.connectors.zendesk.fields import Id
from plugbay.connectors.zendesk.paging import CursorPager, OffsetPager
from plugbay.declare import Cursor, Entity, Limit, Listing

__all__ = ["User", "Users"]

Role: TypeAlias = Literal["end-user", "agent", "admin"]
_USUAL = ("organizations", "groups", "identities", "open_ticket_count")
Include: TypeAlias = Annotated[
    Sequence[Literal["organizations", "groups", "identities", "roles", "abilities", "open_ticket_count"]],
    WithJsonSchema({"type": "array", "items": {"type": "string", "enum": [*_USUAL]}}),
]
"""Shown are those that are of use to many."""
UserId: TypeAlias = Annotated[Id, Field(description="The user's id.")]


class User(TypedDict, total=False):
    """A user as Zendesk gives it."""

    id: Required[int]
    url: str
    name: str
    email: str | None
    phone: str | None
    role: str
    active: bool
    verified: bool
    suspended: bool
    organization_id: int | None
    default_group_id: int | None
    external_id: str | None
    alias: str | None
    details: str | None
    notes: str | None
    locale: str
    time_zone: str
    tags: list[str]
    user_fields: dict[str, Any]
    created_at: str
    updated_at: str
    last_login_at: str | None


class Users(Entity):
    """Customers (end users), agents and administrators."""

    summary = ("id", "name", "email", "role", "organization_id", "phone", "suspended")

    @declare.listing("/api/v2/users", records="users", pager=CursorPager())
    def list(
        self,
        *,
        role: Role | None = None,
        external_id: str | None = None,
        include: Include | None = None,
        limit: Limit | None = None,
        cursor: Cursor | None = None,
    ) -> Listing[User]:
        """All users, or those of one role; to find a person use `search`."""
        ...

    @declare.get("/api/v2/users/{user_id}", record="user")
    async def get(self, user_id: UserId, *, include: Include | None = None) -> User:
        """One user."""
        ...

    @declare.listing(
        "/api/v2/users/search",
        records="users",
        pager=OffsetPager(ceiling=10_000, beyond="Narrow the query, or read all users with users.list."),
    )
    def search(
        self,
        query: str | None = None,
        *,
        external_id: str | None = None,
        include: Include | None = None,
        limit: Limit | None = None,
        cursor: Cursor | None = None,
    ) -> Listing[User]:
        """Users by part of a name, by e-mail address, phone number or search terms; or by `external_id`."""
        ...

    @declare.get("/api/v2/users/me", record="user", read=signed_in, hidden=("authenticity_token",))
    async def me(self, *, include: Include | None = None) -> User:
        """The user the credentials belong to."""
        ...
