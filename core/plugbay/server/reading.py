"""A request's path, query and body as values that hold what their declarations promise.

Everything that is refused is refused with the place and the rule, and never with the input. Beyond what the models
say, no text has a NUL, which PostgreSQL cannot keep, and no number is beyond 64 bits.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from itertools import islice
from types import NoneType
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json
from starlette.datastructures import QueryParams
from starlette.requests import Request

from plugbay.json_safe import is_list, is_object
from plugbay.sendable import unsendable
from plugbay.server.failures import MAX_FIELD_ERRORS, ApiError, FieldError, field_errors, not_found, too_large

__all__ = ["PATH_SEGMENT", "check_path", "check_values", "read_body", "read_query"]

PATH_SEGMENT = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$"
"""What a parameter in a path may be: ids and slugs."""

_segment = re.compile(PATH_SEGMENT[:-1] + r"\Z").match
# Seldom true, and then the body is looked at piece by piece.
_is_suspicious = re.compile(rb"\\u0000|\d{19}|NaN|Infinity|\d[eE]\+?\d{2}").search
_JSON = re.compile(r"application/json\s*(;\s*charset\s*=\s*\"?utf-8\"?\s*)?\Z", re.IGNORECASE)

_RULES = {
    "half_character": "A text must not have half of a surrogate pair.",
    "nul_character": "A text must not have a NUL character.",
    "int_64": "A number must be within 64 bits.",
}


def check_path(values: Mapping[str, str]) -> None:
    """Lets the parameters of a path pass.

    Raises:
        ApiError: 404, one cannot be the name of anything.
    """
    if not all(map(_segment, values.values())):
        raise not_found()


def read_query(model: type[BaseModel], given: QueryParams) -> BaseModel:
    """The query as its model; names that the model does not have are ignored, unless it forbids them.

    Raises:
        ApiError: 422, it does not fit.
    """
    if model.model_config.get("extra") == "forbid":
        _check_names({field.alias or name for name, field in model.model_fields.items()}, given)
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        key = field.alias or name
        found = given.getlist(key)
        if len(found) > 1 and not _takes_several(field.annotation):
            raise _refused([_fault(key, "It is given more than once.", "repeated")])
        if found:
            values[key] = found if _takes_several(field.annotation) else found[0]
    try:
        read = model.model_validate(values)
    except ValidationError as error:
        raise _refused(field_errors(error)) from None
    check_values(read.model_dump(by_alias=True))
    return read


def _check_names(known: Collection[str], given: QueryParams) -> None:
    strange = next((name for name in given if name not in known), None)
    if strange is not None:
        text = f"There is no such parameter; there are {', '.join(sorted(known))}."
        raise _refused([_fault(strange, text, "extra_forbidden")])


async def read_body(
    model: type[BaseModel], request: Request, *, optional: bool, limit: int | None = None
) -> BaseModel | None:
    """The body as its model.

    Args:
        model: What it must be.
        request: Whose body.
        optional: Whether there may be none; then the answer is None.
        limit: Bytes that it may have, where that is less than for other bodies.

    Raises:
        ApiError: 400, it is no JSON; 413, it has more than `limit`; 415, it is not said to be JSON; 422, it does not
            fit; and what reading it raises.
    """
    raw = await request.body()
    if limit is not None and len(raw) > limit:
        raise too_large(limit)
    if not raw and optional:
        return None
    if raw and not _JSON.match(request.headers.get("content-type", "").strip()):
        raise ApiError(415, "The body must be application/json in UTF-8.", error_code="unsupported_media_type")
    if _is_suspicious(raw):
        check_values(_parsed(raw))
    try:
        return _validated(model, raw)
    except ValidationError as error:
        found = field_errors(error)
        raise (_malformed() if found[0].error_code == "json_invalid" else _refused(found)) from None


def _validated(model: type[BaseModel], raw: bytes) -> BaseModel:
    try:
        return model.model_validate_json(raw, strict=True)
    except ValidationError as error:
        if all(each["type"] != "int_type" for each in error.errors(include_input=False)):
            raise
    # 5.0 is the integer 5 (JSON Schema 2020-12 Core, section 4.2.3), which pydantic takes only when it is lax with texts.
    return model.model_validate_json(to_json(_with_integers(_parsed(raw))), strict=True)


def _with_integers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if is_object(value):
        return {name: _with_integers(part) for name, part in value.items()}
    return [_with_integers(part) for part in value] if is_list(value) else value


def _parsed(raw: bytes) -> Any:
    try:
        return from_json(raw, allow_inf_nan=False)
    except ValueError:
        raise _malformed() from None


def _malformed() -> ApiError:
    return ApiError(400, "The body is not well-formed JSON in UTF-8 (RFC 8259).", error_code="malformed_json")


def check_values(value: Any) -> None:
    """Lets JSON values pass that everything behind can hold.

    Raises:
        ApiError: 422, a text has a NUL, or a number is beyond 64 bits or none at all.
    """
    found = list(islice(unsendable(value), MAX_FIELD_ERRORS))
    if found:
        raise _refused([_fault(".".join(map(str, each.path)), _RULES[each.rule], each.rule) for each in found])


def _fault(place: str, message: str, code: str) -> FieldError:
    return FieldError(field=place.replace("\0", "")[:200] or None, message=message, error_code=code)


def _refused(found: list[FieldError]) -> ApiError:
    first = found[0]
    text = f"{first.field}: {first.message}" if first.field else first.message
    return ApiError(422, text, error_code=first.error_code, errors=found)


def _takes_several(annotation: Any) -> bool:
    return get_origin(annotation) in (list, tuple) or any(
        get_origin(each) in (list, tuple) for each in get_args(annotation) if each is not NoneType
    )
