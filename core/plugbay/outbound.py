"""From an operation and its bound arguments to the request that carries them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from plugbay.errors import InvalidParameterError
from plugbay.operation import Effect, Operation
from plugbay.transport import Request

__all__ = ["build_request"]

_FORBIDDEN_SEGMENTS = {"", ".", ".."}


def build_request(operation: Operation, arguments: Mapping[str, Any], *, key: str | None = None) -> Request:
    """The request that carries an operation.

    Args:
        operation: The operation.
        arguments: Its bound arguments.
        key: What the service is to know the call by when it is repeated, if it knows calls by a key.

    Raises:
        InvalidParameterError: A path argument would leave its place in the path.
    """
    parameters = operation.arguments.parameters
    path = operation.path
    query: list[tuple[str, str]] = list(operation.fixed)
    body: dict[str, Any] = {}
    for name, value in arguments.items():
        parameter = parameters[name]
        if parameter.location == "path":
            path = path.replace("{" + name + "}", _segment(operation, name, value))
        elif parameter.location == "query":
            if operation.file is None or name not in {"offset", "max_bytes"}:
                query.append((parameter.wire, _query_text(value)))
        else:
            body[parameter.wire] = value
    headers: dict[str, str] = {}
    repeatable = operation.effect is Effect.READ
    if operation.idempotency_header and key is not None:
        headers[operation.idempotency_header] = key
        repeatable = True
    return Request(
        operation.method,
        path,
        tuple(query),
        _nested(operation.body, body),
        headers=headers,
        repeatable=repeatable,
        group=operation.endpoint,
    )


def _segment(operation: Operation, name: str, value: Any) -> str:
    text = str(value)
    if text in _FORBIDDEN_SEGMENTS or any(char in "/\\?#%" or ord(char) < 0x20 for char in text):  # noqa: PLR2004 - controls
        raise InvalidParameterError(
            f"{operation.name}: `{name}` cannot be part of a path.", details={"fields": {name: ["not an id"]}}
        )
    return quote(text, safe="")


def _query_text(value: str | float | Sequence[Any]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(_query_text(item) for item in value)
    return str(value)


def _nested(keys: str | None, body: dict[str, Any]) -> Any:
    if keys is None:
        return None
    nested: Any = body
    for key in reversed(keys.split(".")):
        nested = {key: nested}
    return nested
