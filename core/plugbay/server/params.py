"""The vendor's names for arguments, read as ours.

`id` is the id in the path, `per_page` and `page` are `limit` and a place in the list. Ids as text and nested bodies
are what every connector takes anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from plugbay.errors import InvalidParameterError
from plugbay.walk import cursor_over

if TYPE_CHECKING:
    from plugbay.operation import Operation

__all__ = ["our_params"]

_MOST_PER_PAGE = 100
"""Records of a page where the caller names none, as at Zendesk."""

_FURTHEST = 999_999
"""Records that a page number may pass over."""


def our_params(operation: Operation, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments under the names that the operation has for them.

    Raises:
        InvalidParameterError: A page is not one, or is asked for beside a cursor.
    """
    params = dict(given)
    known = operation.arguments.parameters
    in_path = [name for name, parameter in known.items() if parameter.location == "path"]
    if "id" in params and "id" not in known and len(in_path) == 1 and in_path[0] not in params:
        params[in_path[0]] = params.pop("id")
    if operation.pager is not None:
        _page(operation, params)
    return params


def _page(operation: Operation, params: dict[str, Any]) -> None:
    """Makes `limit` of `per_page` and `cursor` of `page`."""
    known = operation.arguments.parameters
    if "per_page" in params and "per_page" not in known:
        size = params.pop("per_page")
        params.setdefault("limit", size)
    if "page" not in params or "page" in known:
        return
    page = _number(operation, "page", params.pop("page"))
    size = _number(operation, "limit", params.setdefault("limit", _MOST_PER_PAGE))
    if params.pop("cursor", None):
        raise _refusal(operation, "page", "not beside `cursor`")
    if (page - 1) * size > _FURTHEST:
        raise _refusal(operation, "page", f"passes over more than {_FURTHEST} records; go on with `cursor`")
    if page > 1:
        filters = operation.arguments.bind({name: value for name, value in params.items() if name != "limit"})
        params["cursor"] = cursor_over(operation, filters, (page - 1) * size)


def _number(operation: Operation, name: str, value: Any) -> int:
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit() and len(text) <= 6 and int(text)):  # noqa: PLR2004 - digits
        raise _refusal(operation, name, "not a positive whole number")
    return int(text)


def _refusal(operation: Operation, name: str, problem: str) -> InvalidParameterError:
    return InvalidParameterError(
        f"{operation.name}: `{name}`: {problem}.",
        hint="Ask for `limit` records and go on with the `cursor` of the answer.",
        details={"fields": {name: [problem]}},
    )
