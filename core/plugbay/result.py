"""What a call gives: Result, Page, Listing; and how a result is made to fit.

Records are the service's own JSON, never re-validated. Shaping works on them
afterwards: select fields, drop what is empty, clip long texts, and fit what is
left to a budget of characters, saying what was cut and how to continue.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import core_schema

from plugbay.errors import InvalidParameterError, ResponseIntegrityError
from plugbay.json_safe import is_list, is_object
from plugbay.sink import check_told

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Listing", "Meta", "Page", "Progress", "Result", "clip_texts", "exclude", "prune", "select"]

T = TypeVar("T")

LONG_TEXT = 2_000
"""Characters of one text kept when a call asks for long texts to be clipped."""


_KNOWN = frozenset({"has_more", "cursor", "count", "total", "included", "note", "dry_run", "waited"})


class Meta(dict[str, Any]):
    """What is known about a result beside its data: a dict of what is known, whose keys are attributes too.

    Attributes:
        has_more: Whether there are more records behind these.
        cursor: Continues behind the last record when passed as `cursor`. An export gives one at its end too,
            from which a later call goes on.
        count: Number of records in the data of a list.
        total: Number of records the service says there are in all.
        included: Records of other kinds that the service sent along, by their key.
        note: What a reader must know: what was cut, where a service's limit was met.
        dry_run: True if the call was only built, not sent.
        waited: Seconds that the call waited for the service's limits, or before trying again.
    """

    if TYPE_CHECKING:
        has_more: bool | None
        cursor: str | None
        count: int | None
        total: int | None
        included: dict[str, Any] | None
        note: str | None
        dry_run: bool | None
        waited: float | None

    def __init__(self, **known: Any) -> None:
        super().__init__({name: value for name, value in known.items() if value is not None})

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        if name in _KNOWN:
            return None
        raise AttributeError(f"{type(self).__name__} has no {name!r}")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        known = core_schema.dict_schema(core_schema.str_schema(), core_schema.any_schema())
        return core_schema.no_info_after_validator_function(lambda values: cls(**values), known)


class Result(BaseModel):
    """The answer of `execute()`.

    Attributes:
        data: A list of records, or one record.
        meta: What is known beside it.
    """

    # The schema is built at the first result, not at import.
    model_config = ConfigDict(defer_build=True)

    data: Any
    meta: Meta


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some records of a list.

    Attributes:
        data: The records.
        meta: `has_more`, `cursor` and what else is known.
    """

    data: list[T]
    meta: Meta

    def __iter__(self) -> Iterator[T]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)


class Progress(NamedTuple):
    """How far the reading of a list has come.

    Attributes:
        records: Records given out so far.
        pages: Pages read so far.
        total: How many records the service says there are in all, if it does.
        cursor: Goes on behind these records, in another process as well; None at the end, except for an export,
            whose cursor finds later what will have changed by then.
    """

    records: int
    pages: int
    total: int | None
    cursor: str | None


class Fetch(Protocol[T]):
    """Reads a part of a list."""

    async def __call__(self, limit: int | None, cursor: str | None, *, patient: bool) -> Page[T]:
        """The records from `cursor` on: up to `limit`, or without one a page of the service's own size."""
        ...


class Listing(Generic[T]):
    """A list that is not read yet: await it for one page, iterate it for every record.

    `page = await zd.tickets.list(limit=10)` reads at most ten records; `async for ticket in zd.tickets.list()`
    reads page after page to the end, one in memory at a time. With `limit`, iterating ends there. Iterating is
    work that nobody sits before: it waits when the service asks it to, and leaves a part of the service's
    budget of requests to other calls.
    """

    def __init__(self, fetch: Fetch[T], *, limit: int | None, cursor: str | None, page_size: int) -> None:
        self._fetch = fetch
        self._limit = limit
        self._cursor = cursor
        self._page_size = page_size
        self._tell: Callable[[Progress], None] | None = None

    def __await__(self) -> Generator[Any, Any, Page[T]]:
        return self._fetch(self._limit, self._cursor, patient=False).__await__()

    def progress(self, tell: Callable[[Progress], None]) -> Self:
        """The same list, which tells how far its iteration has come.

        Args:
            tell: Is called behind each page, when all its records have been given out: whoever keeps the
                cursor it is given, and has dealt with the records before, can go on from there after a crash.

        Raises:
            ConfigurationError: It is no function, or a coroutine function, which nobody would await.
        """
        check_told(tell, "progress", "one Progress")
        self._tell = tell
        return self

    async def pages(self) -> AsyncGenerator[Page[T]]:
        """Page after page, one in memory at a time; `page.meta.cursor` goes on behind it."""
        left, cursor, given, count = self._limit, self._cursor, 0, 0
        seen = {cursor}
        while left is None or left > 0:
            # Without a limit a fetch reads one page, however many records the service puts on it.
            wanted = left if left is not None and left < self._page_size else None
            page = await self._fetch(wanted, cursor, patient=True)
            if left is not None and len(page.data) > left:
                page = await self._fetch(left, cursor, patient=True)
            yield page
            given, count = given + len(page.data), count + 1
            if self._tell is not None:
                self._tell(Progress(given, count, page.meta.total, page.meta.cursor))
            left = left if left is None else left - len(page.data)
            if not page.meta.has_more or (left is not None and left <= 0):
                return
            cursor = page.meta.cursor
            if cursor is None:
                raise InvalidParameterError(f"The list cannot be read to its end. {page.meta.note or ''}".rstrip())
            if cursor in seen:
                raise ResponseIntegrityError("The service gave the same page twice.")
            seen.add(cursor)

    async def __aiter__(self) -> AsyncIterator[T]:
        async with aclosing(self.pages()) as pages:
            async for page in pages:
                for record in page.data:
                    yield record


def select(data: Any, fields: Sequence[str]) -> Any:
    """Only `fields` of each record; a dotted name reaches into objects and lists of objects."""
    tree = _tree(fields)
    return _each(data, lambda record: _selected(record, tree))


def exclude(data: Any, fields: Sequence[str]) -> Any:
    """Each record without `fields`; dotted names as in `select`."""
    tree = _tree(fields)
    return _each(data, lambda record: _excluded(record, tree))


def prune(data: Any) -> Any:
    """The data without nulls, empty texts, empty lists and empty objects, which tell a model nothing."""
    if is_list(data):
        return [prune(item) for item in data]
    return _pruned(data) if is_object(data) else data


def _pruned(record: Mapping[Any, Any]) -> dict[Any, Any]:
    left: dict[Any, Any] = {}
    for key, value in record.items():
        kind = type(value)  # pyright: ignore[reportUnknownVariableType] - of any type
        # Most values are words, numbers and nulls; these tests alone cost less than a call.
        if kind is str or value is None:
            if value:
                left[key] = value
        elif kind is int or kind is bool:
            left[key] = value
        elif (kept := _pruned(value) if kind is dict else prune(value)) or kept not in ("", [], {}):
            left[key] = kept
    return left


def clip_texts(data: Any, limit: int = LONG_TEXT) -> Any:
    """The data with every text cut to `limit` characters, each cut saying how much is gone."""
    if isinstance(data, str):
        cut = f"{data[:limit]}… [{len(data) - limit} more characters]"
        return cut if len(cut) < len(data) else data
    if is_object(data):
        return {key: clip_texts(value, limit) for key, value in data.items()}
    if is_list(data):
        return [clip_texts(item, limit) for item in data]
    return data


def _each(data: Any, shape: Callable[[Any], Any]) -> Any:
    return [shape(item) for item in data] if is_list(data) else shape(data)


def _tree(fields: Sequence[str]) -> dict[str, Any]:
    """The names as a tree; a name without branches stands for all that is below it, whatever else is named there."""
    tree: dict[str, Any] = {}
    for field in fields:
        *above, last = field.split(".")
        branch = tree
        for part in above:
            below = branch.get(part)
            if below == {}:
                break
            branch = branch.setdefault(part, {}) if below is None else below
        else:
            branch[last] = {}
    return tree


def _selected(record: Any, tree: dict[str, Any]) -> Any:
    if not tree:
        return record
    if is_list(record):
        return [_selected(item, tree) for item in record]
    if not is_object(record):
        return record
    return {key: _selected(record[key], branch) for key, branch in tree.items() if key in record}


def _excluded(record: Any, tree: dict[str, Any]) -> Any:
    if is_list(record):
        return [_excluded(item, tree) for item in record]
    if not is_object(record):
        return record
    return {
        key: _excluded(value, tree[key]) if tree.get(key) else value
        for key, value in record.items()
        if key not in tree or tree[key]
    }
