"""What a model sees of a tool function's `entity`, `action` and `params`, and how the `params` it sends are read.

Frameworks take types from `__annotations__`. The three generic parameters get marks
there with choices and texts; every other parameter of the function, a framework's
context among them, keeps the annotation its author gave it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from plugbay.errors import InvalidParameterError
from plugbay.json_safe import is_list, is_object
from plugbay.mending import parsed_json
from plugbay.tools.catalogue import Catalogue
from plugbay.tools.hints import Hint

__all__ = ["execute_schema", "read_params", "tool_annotations"]

_MOST_FIELDS = 200
_LONGEST_FIELD = 200
"""Fields that a model may choose, and characters of each: what it sends is looked for in every record."""

_PARAMS_TEXT = "The action's arguments by name; also select_fields: [str], to choose the fields of records."


def tool_annotations(
    function: Callable[..., Any], signature: inspect.Signature, catalogues: Sequence[Catalogue]
) -> dict[str, Any]:
    """The annotations of a tool function; without a return type, which frameworks would hold its results to."""
    annotations = dict(inspect.get_annotations(function))
    annotations.pop("return", None)
    if {"entity", "action"} <= set(signature.parameters):
        for name, schema in execute_schema(catalogues)["properties"].items():
            if name in signature.parameters:
                # The OpenAI Agents SDK before 0.24 drops every mark but pydantic's own `Field`.
                annotations[name] = Annotated[Any, Hint(**schema), Field(json_schema_extra=schema)]
    return annotations


def execute_schema(catalogues: Sequence[Catalogue]) -> dict[str, Any]:
    """The JSON schema of a tool that runs any action of the connectors by name."""
    entities = list(dict.fromkeys(entity for each in catalogues for entity in each.operations))
    actions = dict.fromkeys(
        action for each in catalogues for operations in each.operations.values() for action in operations
    )
    return {
        "type": "object",
        "properties": {
            "entity": {"type": "string", **({"enum": entities} if entities else {})},
            "action": {"type": "string", **({"enum": list(actions)} if actions else {})},
            "params": {"type": "object", "additionalProperties": True, "description": _PARAMS_TEXT},
        },
        "required": ["entity", "action"],
        "additionalProperties": False,
    }


def read_params(given: Any) -> tuple[Mapping[str, Any] | None, tuple[str, ...]]:
    """The `params` of a model's call.

    Args:
        given: As the model sent it; an object, or its JSON in a text.

    Returns:
        The action's arguments, None if there are none, and the fields that are asked for.

    Raises:
        InvalidParameterError: It is no object, or the fields are no list of names.
    """
    params = parsed_json(given)
    if params is None or params == "":
        return None, ()
    if not is_object(params):
        raise InvalidParameterError(
            "`params` must be an object.",
            hint='As in {"limit": 10}.',
            details={"fields": {"params": ["not an object"]}},
        )
    rest = dict(params)
    fields = _field_names(parsed_json(rest.pop("select_fields", None)))
    return rest, fields


def _field_names(given: Any) -> tuple[str, ...]:
    names = given.split(",", _MOST_FIELDS) if isinstance(given, str) else [] if given is None else given
    if not (is_list(names) and all(isinstance(name, str) for name in names)):
        raise _wrong_fields("must be a list of field names")
    if len(names) > _MOST_FIELDS:
        raise _wrong_fields(f"has at most {_MOST_FIELDS} names")
    if any(len(name) > _LONGEST_FIELD for name in names):
        raise _wrong_fields(f"has names of at most {_LONGEST_FIELD} characters")
    return tuple(name.strip() for name in names)


def _wrong_fields(problem: str) -> InvalidParameterError:
    return InvalidParameterError(
        f"`select_fields` {problem}.",
        hint='As in {"select_fields": ["id", "subject"]}.',
        details={"fields": {"params.select_fields": [problem]}},
    )
