"""A JSON schema as a few characters, for people and models that read a signature.

`{"type": "array", "items": {"type": "string"}}` is `[str]`; an enum is its values
joined by bars; an object is its fields in braces.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["type_text"]

_NAMES = {"integer": "int", "number": "number", "string": "str", "boolean": "bool", "object": "object", "null": "null"}
_DEPTH = 3


def type_text(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int = _DEPTH) -> str:
    """The type that `schema` describes, short.

    Args:
        schema: The schema of one value.
        root: The document that holds `$defs`.
        depth: Levels of nested objects that are spelled out.
    """
    schema = _resolved(schema, root)
    if "enum" in schema:
        return "|".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if "anyOf" in schema:
        parts = [type_text(part, root, depth) for part in schema["anyOf"] if part.get("type") != "null"]
        return "|".join(dict.fromkeys(parts))
    if schema.get("type") == "array":
        return f"[{type_text(schema.get('items', {}), root, depth)}]"
    if schema.get("type") == "object" and schema.get("properties") and depth > 0:
        return _object_text(schema, root, depth - 1)
    return _NAMES.get(str(schema.get("type")), "any")


def _object_text(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> str:
    required = schema.get("required", ())
    fields = [
        f"{name}{'' if name in required else '?'}: {type_text(field, root, depth)}"
        for name, field in schema["properties"].items()
    ]
    return "{" + ", ".join(fields) + "}"


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    target = root["$defs"][str(reference).rpartition("/")[2]]
    return _resolved(target, root)
