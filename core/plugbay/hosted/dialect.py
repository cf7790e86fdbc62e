"""Arguments as the hosted service takes them: our own names where it knows them, Zendesk's forms where it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugbay.errors import InvalidParameterError, ResponseIntegrityError
from plugbay.hosted.answer import Answer
from plugbay.operation import Operation, Slice

__all__ = ["PER_PAGE", "PageReader", "vendor_params"]

PER_PAGE = 100
"""Records of a page that are asked for at most where lists are read by page."""

_LARGEST_PAGE = 999_999


def vendor_params(operation: Operation, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments for the vendor's service: fields of a body are nested as Zendesk nests them.

    Args:
        operation: The operation.
        arguments: Bound, without `limit` and `cursor`.
    """
    known = operation.arguments.parameters
    outside = {name: value for name, value in arguments.items() if known[name].location != "body"}
    body: Any = {known[name].wire: value for name, value in arguments.items() if known[name].location == "body"}
    if operation.body is None:
        return outside
    for key in reversed(operation.body.split(".")):
        body = {key: body}
    return {**outside, **body}


class PageReader:
    """Reads the answers of a list that is asked for by `page` and `per_page`; a state is `<page>x<per_page>`.

    Args:
        operation: The list.
    """

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._before: list[Any] = []

    def params(self, state: str | None, size: int) -> dict[str, int]:
        """What to ask for."""
        page, per_page = (1, size) if state is None else _page(state)
        return {"page": page, "per_page": per_page}

    def read(self, answer: Answer, records: list[Any], asked: Mapping[str, int]) -> Slice:
        """What came.

        Raises:
            ResponseIntegrityError: It is what came before: the service has not understood the page.
        """
        if records and records == self._before:
            raise ResponseIntegrityError(f"{self._operation.name}: the service gave the same page twice.")
        self._before = records
        following = f"{asked['page'] + 1}x{asked['per_page']}"
        total = answer.pagination.get("total")
        has_more = _has_more(answer.pagination, len(records) >= asked["per_page"])
        return Slice(records, following if records and has_more else None, total=total if type(total) is int else None)


def _has_more(pagination: Mapping[str, Any], otherwise: bool) -> bool:
    """Whether there is another page: as the service says it, in either of two ways, or as the page's length tells."""
    if isinstance(told := pagination.get("has_more"), bool):
        return told
    return bool(pagination["next_page"]) if "next_page" in pagination else otherwise


def _page(state: str) -> tuple[int, int]:
    numbers = [
        int(part)
        for part in state.split("x")
        if part.isascii() and part.isdigit() and len(part) <= len(str(_LARGEST_PAGE))
    ]
    if len(numbers) != len(("page", "per_page")) or state.count("x") != 1 or not all(numbers):
        raise InvalidParameterError("`cursor` is damaged.", hint="Pass meta.cursor of the last answer unchanged.")
    return numbers[0], numbers[1]
