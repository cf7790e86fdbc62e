"""An action as data: how it travels, what it does, what it takes and gives.

One `Operation` is the only source of the typed call, `execute()`, the schema, the
description and the tool; nothing else in the library knows an action.
"""

from __future__ import annotations

import enum
import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from plugbay.arguments import Arguments
from plugbay.json_safe import dumps, to_json

__all__ = ["Effect", "FileSource", "Kind", "Operation", "Pager", "Query", "Reader", "Slice"]

Kind: TypeAlias = Literal["get", "list", "create", "update", "delete", "download"]
Query: TypeAlias = tuple[tuple[str, str], ...]
Reader: TypeAlias = Callable[[Mapping[str, Any]], Any]


class Effect(enum.StrEnum):
    """What a call does to the service's data."""

    READ = "read"
    WRITE = "write"
    DESTRUCTIVE = "destructive"


class Slice(NamedTuple):
    """What a pager made of one answer.

    Attributes:
        records: The records that were not given out before.
        next: The state of the page behind this one; None at the end.
        at: From the number of records used to the state that goes on behind them, where paging can stop within a
            page; without it the page is fetched again and its first records passed over.
        total: How many records the service says there are in all.
        resumable: Whether the state behind the last record is worth keeping although the end was reached:
            an export is polled again from there.
        ceiling: Set where the service refuses to go on although there are more records: what to do instead.
    """

    records: list[Any]
    next: str | None
    at: Callable[[int], str] | None = None
    total: int | None = None
    resumable: str | None = None
    ceiling: str | None = None


class FileSource(NamedTuple):
    """Where a download's bytes are.

    Attributes:
        url: The field of the describing record that holds the address.
        hosts: Hosts beside the service's own that may serve it; a leading dot means every host below.
    """

    url: str
    hosts: tuple[str, ...]

    def allows(self, host: str) -> bool:
        """Whether `host` may serve the file."""
        return any(host == known or (known.startswith(".") and host.endswith(known)) for known in self.hosts)


class Pager(Protocol):
    """How one style of paging is spoken. A state is a short text; None is the beginning."""

    @property
    def largest(self) -> int:
        """Most records the service gives in one answer."""
        ...

    def query(self, state: str | None, size: int) -> Query:
        """The query parameters of the page at `state` with up to `size` records."""
        ...

    def replaces(self) -> tuple[str, ...]:
        """The action's own query parameters that a state stands for, so that they are not sent with it."""
        ...

    def read(self, payload: Mapping[str, Any], records: list[Any], state: str | None) -> Slice:
        """What the answer to `query(state, ...)` holds."""
        ...


@dataclass(frozen=True, eq=False)
class Operation:
    """One action of one entity.

    Attributes:
        entity: The entity's name, as `tickets`.
        action: The action's name, as `list`.
        kind: What sort of call it is, which decides how arguments travel and answers are read.
        method: HTTP method.
        path: Path below the service's root; `{name}` stands for an argument.
        declaration: The function whose signature and docstring declare the action.
        record: Key of the record, or of the records, in the answer.
        body: Key, or keys joined by dots, under which the body's fields travel.
        pager: How a list continues.
        read: Makes the record of the answer where a key is not enough.
        summary: The fields that tell one record from another, shown where context is short.
        effect: What a call does to the data.
        idempotent: Whether a second call with the same arguments changes nothing more.
        idempotency_header: The header under which the service recognises a repeated call.
        fixed: Query parameters that every call sends.
        file: Where the bytes of a download are.
        hidden: Fields of the record that nobody is given.
        brief: A few words that an overview adds where the name does not say enough.
        long_work: Whether it is work that nobody waits for, which leaves others a part of the service's budgets.
        seen_by: Of a write: the read that shows whether it was done, as `get` or `ticket_comments.list`.
    """

    entity: str
    action: str
    kind: Kind
    method: str
    path: str
    declaration: Callable[..., Any]
    record: str | None = None
    body: str | None = None
    pager: Pager | None = None
    read: Reader | None = None
    summary: tuple[str, ...] = ()
    effect: Effect = Effect.READ
    idempotent: bool = True
    idempotency_header: str | None = None
    fixed: Query = ()
    file: FileSource | None = None
    hidden: tuple[str, ...] = ()
    brief: str = ""
    long_work: bool = False
    seen_by: str = ""

    @property
    def name(self) -> str:
        """`entity.action`, as a model and a policy know it."""
        return f"{self.entity}.{self.action}"

    @property
    def endpoint(self) -> str:
        """What the service counts its requests by."""
        return f"{self.method} {self.path}"

    @cached_property
    def description(self) -> str:
        """The declaration's docstring."""
        return inspect.getdoc(self.declaration) or ""

    @property
    def headline(self) -> str:
        """The first sentence of the description, on one line."""
        return " ".join(self.description.partition("\n\n")[0].split())

    @cached_property
    def arguments(self) -> Arguments:
        """What the action takes; worked out on first use, since most actions of a catalogue are never called."""
        changes = self.kind == "update"
        return Arguments(self.name, self.declaration, path=self.path, body=self.body, changes=changes)

    def fingerprint(self, arguments: Mapping[str, Any], size: int) -> str:
        """What tells a call of the action with these arguments from others.

        Args:
            arguments: By name.
            size: Bytes of the digest, which is given in hexadecimal.
        """
        text = dumps([self.name, to_json(dict(sorted(arguments.items())))])
        return hashlib.blake2b(text.encode(), digest_size=size).hexdigest()
