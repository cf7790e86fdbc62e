"""What frameworks read from a tool's parameters: text, choices, and that anything may come.

All four build a pydantic model from a function's annotations, and a value that does
not fit ends some runs before the tool has a say. A `Hint` shows the model a precise
schema, but lets every value through: the checking, with an answer a model can use,
is ours.
"""

from __future__ import annotations

from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

__all__ = ["Hint"]


class Hint:
    """Mark for `Annotated` that replaces a parameter's schema.

    Args:
        schema: The JSON schema that the model is shown.
    """

    def __init__(self, **schema: Any) -> None:
        self.schema = schema

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.any_schema()

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return dict(self.schema)

    def __repr__(self) -> str:
        return f"Hint({self.schema.get('type', '')})"
