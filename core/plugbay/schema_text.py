"""A JSON schema as a few characters, for people and models that read a signature.

`{"type": "array", "items": {"type": "string"}}` is `[str]`; an enum is its values
joined by bars; an object is its fields in braces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["fields_at", "schema_at", "type_text"]

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


def schema_at(root: Mapping[str, Any], path: Sequence[str | int]) -> Mapping[str, Any]:
    """The schema of what is at `path` in a value of the schema `root`; empty if it says nothing of it.

    Args:
        root: The schema, with `$defs`.
        path: Names of fields and indexes of items.
    """
    found = root
    for part in path:
        found = _inside(found, root, part)
    return found


def fields_at(root: Mapping[str, Any], path: Sequence[str | int]) -> list[str]:
    """The names that the object at `path` may have."""
    return [name for each in _alternatives(schema_at(root, path), root) for name in each.get("properties", ())]


def _inside(schema: Mapping[str, Any], root: Mapping[str, Any], part: str | int) -> Mapping[str, Any]:
    for each in _alternatives(schema, root):
        found: Mapping[str, Any] | bool | None = (
            each.get("items") if isinstance(part, int) else each.get("properties", {}).get(part)
        )
        if isinstance(found, Mapping):
            return found
    return {}


def _alternatives(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    resolved = _resolved(schema, root)
    for each in resolved.get("anyOf", (resolved,)):
        yield _resolved(each, root)
