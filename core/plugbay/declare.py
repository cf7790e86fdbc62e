"""How a connector is written: entities as classes, actions as methods without bodies.

    class Tickets(Entity):
        \"\"\"Customer requests.\"\"\"

        summary = ("id", "subject", "status")

        @declare.get("/api/v2/tickets/{ticket_id}", record="ticket")
        async def get(self, ticket_id: TicketId) -> Ticket:
            \"\"\"One ticket.\"\"\"
            ...

The signature is the schema, the docstring the description, the decorator says how
the call travels. To a type checker the decorators are identities: a user sees the
methods as they stand. At run time each becomes a descriptor that calls the service.

In a class with an action named `list`, annotate with `Sequence[...]`: there the
name `list` is the action.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, TypeAlias, TypeVar, cast, overload

from pydantic import Field

from plugbay.arguments import UNSET, Rare, Unset, Wire
from plugbay.download import Download
from plugbay.operation import Effect, FileSource, Kind, Operation, Pager, Query, Reader
from plugbay.result import Listing

if TYPE_CHECKING:
    from typing import Self

__all__ = [
    "UNSET",
    "Action",
    "Cursor",
    "Download",
    "Entity",
    "Limit",
    "Listing",
    "Rare",
    "Unset",
    "Wire",
    "create",
    "delete",
    "download",
    "entity",
    "get",
    "listing",
    "update",
]


Limit: TypeAlias = Annotated[int, Field(ge=1, description="Most records to return; by default one page.")]
"""Type of the parameter `limit` of every list."""

Cursor: TypeAlias = Annotated[str, Field(description="Where to go on: meta.cursor of the answer before.")]
"""Type of the parameter `cursor` of every list."""

F = TypeVar("F", bound=Callable[..., Any])
E = TypeVar("E", bound="Entity")


class Action:
    """A declared action; on an entity of a connector it is called, on the class it is only data."""

    def __init__(self, declaration: Callable[..., Any], kind: Kind, method: str, path: str, **rest: Any) -> None:
        self.declaration = declaration
        self.kind: Kind = kind
        self._wire: dict[str, Any] = {"method": method, "path": path, **rest}

    def operation(self, entity: str, action: str, summary: tuple[str, ...]) -> Operation:
        """The action as data, under the names the connector gives it."""
        return Operation(entity, action, self.kind, declaration=self.declaration, summary=summary, **self._wire)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Entity | None, owner: type[Entity]) -> Any:
        if instance is None:
            return self
        # One mechanism, two classes.
        return instance._bound(self.name)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


class Entity:
    """A kind of record and what can be done with it.

    Attributes:
        summary: The fields that tell one record from another, shown where context is short.
    """

    summary: ClassVar[tuple[str, ...]] = ()

    def __init__(self, bind: Callable[[str], Callable[..., Any]]) -> None:
        self._bound = bind

    @classmethod
    def actions(cls) -> Iterator[tuple[str, Action]]:
        """The declared actions by name, in the order they are written."""
        for base in reversed(cls.__mro__):
            for name, value in vars(base).items():
                if isinstance(value, Action):
                    yield name, value


class entity(Generic[E]):  # noqa: N801 - reads as a declaration: `tickets = entity(Tickets)`
    """Gives a connector an entity under the attribute's name."""

    def __init__(self, kind: type[E]) -> None:
        self.kind = kind

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> type[E]: ...
    @overload
    def __get__(self, instance: Any, owner: type) -> E: ...
    def __get__(self, instance: Any, owner: type) -> E | type[E] | Self:
        if instance is None:
            return self.kind
        made = self.kind(lambda action: instance._bind(self.name, action))  # noqa: SLF001 - one mechanism, two classes
        # Kept on the instance, where the next look-up finds it before this descriptor.
        instance.__dict__[self.name] = made
        return made

    def operations(self) -> Mapping[str, Operation]:
        """The entity's operations by action."""
        return {name: action.operation(self.name, name, self.kind.summary) for name, action in self.kind.actions()}


def _declares(kind: Kind, method: str, path: str, **rest: Any) -> Callable[[F], F]:
    def decorate(declaration: F) -> F:
        return cast("F", Action(declaration, kind, method, path, **rest))

    return decorate


def get(
    path: str,
    *,
    record: str | None = None,
    read: Reader | None = None,
    fixed: Query = (),
    hidden: tuple[str, ...] = (),
) -> Callable[[F], F]:
    """Declares reading one record.

    Args:
        path: Path with `{name}` for arguments; the others travel in the query.
        record: The key of the record in the answer.
        read: Makes the record of the answer where a key is not enough.
        fixed: Query parameters that every call sends.
        hidden: Fields of the record that nobody is given.
    """
    return _declares("get", "GET", path, record=record, read=read, fixed=fixed, hidden=hidden)


def listing(
    path: str, *, records: str, pager: Pager, fixed: Query = (), brief: str = "", long_work: bool = False
) -> Callable[[F], F]:
    """Declares reading many records; the method takes `limit` and `cursor` and returns a `Listing`.

    Args:
        path: Path with `{name}` for arguments; the others travel in the query.
        records: The key of the records in the answer.
        pager: How the list continues.
        fixed: Query parameters that every call sends.
        brief: A few words that an overview adds where the name does not say enough.
        long_work: Whether it is work that nobody waits for, which leaves others a part of the service's budgets.
    """
    return _declares("list", "GET", path, record=records, pager=pager, fixed=fixed, brief=brief, long_work=long_work)


def create(
    path: str,
    *,
    record: str | None = None,
    body: str,
    read: Reader | None = None,
    method: str = "POST",
    idempotency_header: str | None = None,
    seen_by: str = "list",
) -> Callable[[F], F]:
    """Declares making a record.

    Args:
        path: Path with `{name}` for arguments; the others travel in the body.
        record: The key of the record in the answer.
        body: The key, or keys joined by dots, that holds the fields in the request.
        read: Makes the record of the answer where a key is not enough.
        method: HTTP method, where it is not POST.
        idempotency_header: The header by which the service knows a repeated call, if it has one.
        seen_by: The read that shows whether it was done, as `list` or `tickets.search`.
    """
    return _declares(
        "create", method, path, record=record, body=body, read=read, effect=Effect.WRITE, idempotent=False,
        idempotency_header=idempotency_header, seen_by=seen_by,
    )  # fmt: skip


def update(
    path: str,
    *,
    record: str | None = None,
    body: str,
    read: Reader | None = None,
    idempotent: bool = True,
    seen_by: str = "get",
) -> Callable[[F], F]:
    """Declares changing a record; only the fields given change.

    Args:
        path: Path with `{name}` for arguments; the others travel in the body.
        record: The key of the record in the answer.
        body: The key, or keys joined by dots, that holds the fields in the request.
        read: Makes the record of the answer where a key is not enough.
        idempotent: Whether doing it twice is the same as doing it once.
        seen_by: The read that shows whether it was done, as `get`.
    """
    return _declares(
        "update", "PUT", path, record=record, body=body, read=read, effect=Effect.WRITE, idempotent=idempotent,
        seen_by=seen_by,
    )  # fmt: skip


def delete(path: str, *, seen_by: str = "get") -> Callable[[F], F]:
    """Declares removing a record, which the service answers without one.

    Args:
        path: Path with `{name}` for arguments.
        seen_by: The read that shows whether it was done, as `get`.
    """
    return _declares("delete", "DELETE", path, effect=Effect.DESTRUCTIVE, seen_by=seen_by)


def download(path: str, *, record: str, url: str, hosts: tuple[str, ...]) -> Callable[[F], F]:
    """Declares reading a file; the method takes `offset` and `max_bytes` and returns a `Download`.

    Args:
        path: Path of the record that describes the file.
        record: The key of that record in the answer.
        url: The record's field that says where the file is.
        hosts: Hosts beside the service's own that may serve it; a leading dot means every host below.
    """
    return _declares("download", "GET", path, record=record, file=FileSource(url, hosts))
