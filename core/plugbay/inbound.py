"""From an answer to the record or records that it must hold."""

from __future__ import annotations

from typing import Any

from plugbay.errors import ResponseIntegrityError, clip
from plugbay.json_safe import dumps, is_list, is_object, to_json
from plugbay.operation import Effect, Operation

__all__ = ["Included", "incomplete", "read_record", "read_records", "uncertain"]

_PAGING_KEYS = {
    "meta", "links", "next_page", "previous_page", "count", "page", "page_count", "per_page", "sort_by", "sort_order",
    "end_of_stream", "end_time", "after_url", "before_url", "after_cursor", "before_cursor",
}  # fmt: skip


def read_record(operation: Operation, payload: Any) -> Any:
    """The record that the operation promises.

    Raises:
        ResponseIntegrityError: The answer does not hold it; an empty success would be a lie.
    """
    if operation.kind == "delete":
        return {"deleted": True}
    if not is_object(payload):
        raise incomplete(operation, "an object", payload)
    if operation.read is not None:
        return operation.read(payload)
    record = payload.get(operation.record) if operation.record else payload
    if not is_object(record) or not record:
        raise incomplete(operation, f"`{operation.record}`" if operation.record else "the record", payload)
    return record


def read_records(operation: Operation, payload: Any) -> list[Any]:
    """The records that the operation promises.

    Raises:
        ResponseIntegrityError: The answer does not hold a list of them.
    """
    records = payload.get(operation.record) if is_object(payload) else None
    if not is_list(records) or not all(type(record) is dict or is_object(record) for record in records):
        raise incomplete(operation, f"`{operation.record}`, a list of records,", payload)
    return records


class Included:
    """What came beside the records of one or more answers: users that were asked for along with them, an audit.

    Args:
        record: The key of the records.

    Attributes:
        data: The records by the service's key for them, each once.
    """

    def __init__(self, record: str | None) -> None:
        self.data: dict[str, Any] = {}
        self._record = record
        self._known: dict[str, set[Any]] = {}

    def add(self, payload: Any) -> None:
        """Adds what an answer brought."""
        for key, value in payload.items() if is_object(payload) else ():
            if key == self._record or key in _PAGING_KEYS or value is None:
                continue
            if is_list(value):
                known, items = self._known.setdefault(key, set()), self.data.setdefault(key, [])
                for item in value:
                    mark = _mark(item)
                    if mark not in known:
                        known.add(mark)
                        items.append(item)
            else:
                self.data[key] = value


def _mark(item: Any) -> Any:
    """What tells a record from others of its kind."""
    mark = item.get("id") if is_object(item) else None
    return mark if isinstance(mark, int | str) else dumps(to_json(item))


def incomplete(operation: Operation, missing: str, payload: Any) -> ResponseIntegrityError:
    """The error for an answer without what was promised, with what came instead."""
    error = ResponseIntegrityError(
        f"{operation.name}: the answer has not {missing} that was promised.",
        details={"received": clip(dumps(to_json(payload)), 500)},
    )
    return uncertain(operation, error)


def uncertain(operation: Operation, error: ResponseIntegrityError) -> ResponseIntegrityError:
    """`error`, saying that a write may have been done although its answer cannot be used."""
    if operation.effect is not Effect.READ:
        error.hint = error.hint or "It may have been done all the same."
        error.details = {**(error.details or {}), "fate": "unknown"}
    return error
