"""What a model sees of a tool function's `entity`, `action` and `params`.

Frameworks take types from `__annotations__`. The three generic parameters get marks
there with choices and texts; every other parameter of the function, a framework's
context among them, keeps the annotation its author gave it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from pydantic import Field

from plugbay.tools.catalogue import Catalogue
from plugbay.tools.hints import Hint

__all__ = ["execute_schema", "tool_annotations"]

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
