"""What reading a request checks beyond its models, said in their schemas."""

from __future__ import annotations

from typing import Any

from plugbay.sendable import MAX_INTEGER, MIN_INTEGER

__all__ = ["ANY_JSON", "bounded"]

Schema = dict[str, Any]

_NO_NUL = "^[^\\u0000]*$"
_BOUNDS = {"minimum": MIN_INTEGER, "maximum": MAX_INTEGER}
_SAYS_WHAT_IT_IS = frozenset({"type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const"})
_SAYS_MORE = frozenset({"pattern", "format", "enum", "const"})
_LOWER, _UPPER = frozenset({"minimum", "exclusiveMinimum"}), frozenset({"maximum", "exclusiveMaximum"})

ANY_JSON: Schema = {
    "description": "Any JSON value whose texts have no NUL and whose numbers are within 64 bits.",
    "anyOf": [
        {"type": "null"},
        {"type": "boolean"},
        {"type": "number", **_BOUNDS},
        {"type": "string", "pattern": _NO_NUL},
        {"type": "array", "items": {"$ref": "#/components/schemas/Json"}},
        {
            "type": "object",
            "propertyNames": {"pattern": _NO_NUL},
            "additionalProperties": {"$ref": "#/components/schemas/Json"},
        },
    ],
}


def bounded(schema: Schema, any_json: str) -> Schema:
    """A schema that promises no more than is taken: texts without NUL, numbers within 64 bits, at every level.

    Args:
        schema: As pydantic made it.
        any_json: The reference to `ANY_JSON`.
    """
    own = dict(schema)
    if not own.keys() & _SAYS_WHAT_IT_IS:
        return {**own, "$ref": any_json}
    if own.get("type") == "string" and not own.keys() & _SAYS_MORE:
        own["pattern"] = _NO_NUL
    if own.get("type") in ("integer", "number"):
        own |= {"minimum": MIN_INTEGER} if not own.keys() & _LOWER else {}
        own |= {"maximum": MAX_INTEGER} if not own.keys() & _UPPER else {}
    if own.get("type") == "object":
        own |= _of_object(own, any_json)
    if isinstance(own.get("items"), dict):
        own["items"] = bounded(own["items"], any_json)
    for name in ("anyOf", "oneOf", "allOf", "prefixItems"):
        if name in own:
            own[name] = [bounded(each, any_json) for each in own[name]]
    return own


def _of_object(schema: Schema, any_json: str) -> Schema:
    changed: Schema = {}
    if "properties" in schema:
        changed["properties"] = {name: bounded(each, any_json) for name, each in schema["properties"].items()}
    # What a model does not know is left out, but it is looked at with the rest.
    more = schema.get("additionalProperties", True)
    if more is not False:
        changed["propertyNames"] = {"pattern": _NO_NUL}
        changed["additionalProperties"] = bounded({} if more is True else more, any_json)
    return changed
