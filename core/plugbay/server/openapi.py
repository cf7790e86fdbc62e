"""The OpenAPI 3.1 document, made from the very declarations that requests are checked by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any, Literal, TypeGuard

from pydantic import BaseModel, RootModel
from pydantic.json_schema import models_json_schema

from plugbay import __version__
from plugbay.server.endpoint import Endpoint
from plugbay.server.failures import ErrorBody
from plugbay.server.reading import PATH_SEGMENT
from plugbay.server.schema_bounds import ANY_JSON, bounded

__all__ = ["Document", "document"]

Schema = dict[str, Any]
Mode = Literal["validation", "serialization"]

_REF = "#/components/schemas/{model}"

ALWAYS = (405, 408, 413, 500, 503, 504)
WITH_TOKEN = (400, 401, 403, 429)
WITH_BODY = (400, 415, 422)

_OF_STATUS = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After"}
_HEADERS: dict[str, Schema] = {
    "X-Request-Id": {"description": "What the request is called in the server's logs.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string", "pattern": "^[0-9]+$"}},
    "Allow": {"description": "The methods that the address takes.", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "How to authenticate.", "schema": {"type": "string"}},
}
_ORGANIZATION: Schema = {
    "name": "X-Organization-Id",
    "in": "header",
    "required": False,
    "description": "Which of the client's organizations is meant; its first one if not given.",
    "schema": {"type": "string", "pattern": "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})?$"},
}


class Document(RootModel[dict[str, Any]]):
    """An OpenAPI document."""


def document(endpoints: Iterable[Endpoint], public_url: str) -> Schema:
    """The OpenAPI document.

    Args:
        endpoints: All that there are.
        public_url: How clients reach the server.
    """
    known = list(endpoints)
    schemas = _Schemas(known)
    paths: dict[str, Schema] = {}
    for each in known:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "plugbay", "version": __version__, "summary": "Connectors for agents, hosted."},
        "servers": [{"url": public_url}],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": {f"Error{status}": _error(status) for status in _failures_of(known)},
            "headers": {name: {**header, "required": True} for name, header in _HEADERS.items()},
            "parameters": {"Organization": _ORGANIZATION},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


class _Schemas:
    """The schemas of all models, under names that are unique."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        wanted: dict[tuple[type[BaseModel], Mode], None] = {(ErrorBody, "serialization"): None}
        for each in endpoints:
            wanted |= {(model, "validation"): None for model in (each.body, each.query) if model is not None}
            if each.answer is not None:
                wanted[each.answer, "serialization"] = None
        self._by_model, definitions = models_json_schema(list(wanted), ref_template=_REF)
        self.components: dict[str, Schema] = dict(definitions.get("$defs", {}))
        for name in self._inputs():
            self.components[name] = bounded(self.components[name], _REF.format(model="Json"))
        self.components["Json"] = ANY_JSON

    def of(self, model: type[BaseModel], mode: Mode) -> Schema:
        """A reference to the schema of a model."""
        return dict(self._by_model[model, mode])

    def properties(self, query: type[BaseModel]) -> Iterator[tuple[str, Schema, bool]]:
        """Each parameter of a query: its name, its schema, and whether it must be given."""
        schema = self.components[_name(self.of(query, "validation")["$ref"])]
        for name, described in schema.get("properties", {}).items():
            yield name, described, name in schema.get("required", ())

    def _inputs(self) -> set[str]:
        """The names of what a request may be made of."""
        found: set[str] = set()
        left = [_name(schema["$ref"]) for (_, mode), schema in self._by_model.items() if mode == "validation"]
        while left:
            name = left.pop()
            if name not in found:
                found.add(name)
                left += map(_name, _references(self.components[name]))
        return found


def _operation(declared: Endpoint, schemas: _Schemas) -> Schema:
    described: Schema = {
        "operationId": declared.handler.__name__,
        "summary": declared.summary,
        "description": declared.description,
        "tags": [declared.tag] if declared.tag else [],
        "security": [] if declared.auth == "none" else [{"bearer": []}],
        "parameters": list(_parameters(declared, schemas)),
        "responses": {str(status): response for status, response in _responses(declared, schemas)},
    }
    if declared.body is not None:
        content = {"application/json": {"schema": schemas.of(declared.body, "validation")}}
        described["requestBody"] = {"required": not declared.body_optional, "content": content}
    return {name: value for name, value in described.items() if value not in ("", [])} | {
        "security": described["security"]
    }


def _parameters(declared: Endpoint, schemas: _Schemas) -> Iterator[Schema]:
    for name in re.findall(r"{(\w+)", declared.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": PATH_SEGMENT}}
    if declared.query is not None:
        for name, schema, is_required in schemas.properties(declared.query):
            yield _query_parameter(name, schema, required=is_required)
    for name, description in declared.headers.items():
        yield {
            "name": name,
            "in": "header",
            "required": False,
            "description": description,
            "schema": {"type": "string"},
        }
    if declared.auth != "none":
        yield {"$ref": "#/components/parameters/Organization"}


def _query_parameter(name: str, schema: Schema, *, required: bool) -> Schema:
    """A query has no null: what may be null may be left out."""
    kinds = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    own = {key: value for key, value in schema.items() if key not in ("anyOf", "title", "description")}
    if own.get("default", ...) is None:
        del own["default"]
    if kinds:
        own |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    described = {"description": schema["description"]} if "description" in schema else {}
    return {"name": name, "in": "query", "required": required, **described, "schema": own}


def _responses(declared: Endpoint, schemas: _Schemas) -> Iterator[tuple[int, Schema]]:
    success: Schema = {"description": declared.summary, "headers": _headers("X-Request-Id")}
    content: Schema = {}
    if declared.answer is not None:
        content["application/json"] = {"schema": schemas.of(declared.answer, "serialization")}
    if declared.streams:
        content["*/*"] = {}
    yield declared.status, {**success, "content": content} if content else success
    for status, meaning in declared.also.items():
        yield status, {"description": meaning, "headers": _headers("X-Request-Id")}
    for status in _failures_of([declared]):
        yield status, {"$ref": f"#/components/responses/Error{status}"}


def _failures_of(endpoints: Iterable[Endpoint]) -> list[int]:
    found: set[int] = set(ALWAYS)
    for each in endpoints:
        found.update(each.errors)
        found.update(WITH_TOKEN if each.auth != "none" else ())
        found.update(WITH_BODY if each.body is not None else ())
        found.update((422,) if each.query is not None else ())
        found.update((404,) if "{" in each.path else ())
        found.update((429,) if each.guarded else ())
    return sorted(found)


def _error(status: int) -> Schema:
    headers = _headers("X-Request-Id", *([_OF_STATUS[status]] if status in _OF_STATUS else ()))
    schema = {"$ref": _REF.format(model=ErrorBody.__name__)}
    return {
        "description": HTTPStatus(status).phrase,
        "headers": headers,
        "content": {"application/json": {"schema": schema}},
    }


def _headers(*names: str) -> Schema:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _name(reference: str) -> str:
    return reference.rsplit("/", 1)[-1]


def _references(value: Any) -> Iterator[str]:
    if _is_schema(value):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from _references(item)
    elif _is_list(value):
        for item in value:
            yield from _references(item)


def _is_schema(value: Any) -> TypeGuard[Schema]:
    return isinstance(value, dict)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
