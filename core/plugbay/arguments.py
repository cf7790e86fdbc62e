"""What an action takes, read from its signature: checking, mending, schema.

Arguments are checked before anything is sent. A slip whose meaning is plain is
mended (`"5"` for 5, a JSON text for an object, `Open` for `open`); everything else
is refused with the field, what is allowed, and a call that would be right.
"""

from __future__ import annotations

import difflib
import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal, NotRequired, Required, TypeAlias, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from plugbay.errors import InvalidParameterError, clip
from plugbay.json_safe import dumps, to_json
from plugbay.schema_text import type_text

__all__ = ["UNSET", "Arguments", "Parameter", "Unset", "Wire", "nearest", "parsed_json"]

Location: TypeAlias = Literal["path", "query", "body"]

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_QUOTED = re.compile(r"'([^']*)'")
_MENDING_ROUNDS = 4
_MAX_SHOWN = 60


class Unset:
    """The type of `UNSET`."""

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Any = Unset()
"""Default of a parameter for which `None` is a value of its own: leaving it out and clearing it differ."""


@dataclass(frozen=True, slots=True)
class Wire:
    """Marks a parameter whose name or place on the wire is not the usual one.

    Attributes:
        name: Its name on the wire; the parameter's own if not given.
        location: Where it travels; the operation's usual place if not given.
    """

    name: str | None = None
    location: Location | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of an action.

    Attributes:
        name: Its name for callers.
        wire: Its name on the wire.
        location: Where it travels.
        required: Whether a call must give it.
        nullable: Whether an explicit null is a value that is sent.
    """

    name: str
    wire: str
    location: Location
    required: bool
    nullable: bool


class Arguments:
    """The arguments of one action.

    Args:
        name: `entity.action`, for messages.
        declaration: The function whose signature declares them.
        path: The operation's path template.
        body: The key under which body fields travel, if the operation has a body.
    """

    def __init__(self, name: str, declaration: Callable[..., Any], *, path: str, body: str | None) -> None:
        self._name = name
        self._body = body
        self._hints = get_type_hints(declaration, include_extras=True)
        in_path = set(_PLACEHOLDER.findall(path))
        usual: Location = "query" if body is None else "body"
        signature = list(inspect.signature(declaration).parameters.values())[1:]
        self.parameters = {p.name: _parameter(p, self._hints[p.name], in_path, usual) for p in signature}
        self.defaults = {
            p.name: p.default for p in signature if p.default not in (inspect.Parameter.empty, None, UNSET)
        }
        self.returns: Any = self._hints.get("return")

    @cached_property
    def _adapter(self) -> TypeAdapter[dict[str, Any]]:
        fields: dict[str, Any] = {}
        for parameter in self.parameters.values():
            hint = self._hints[parameter.name]
            fields[parameter.name] = Required[hint] if parameter.required else NotRequired[hint]
        # Built from data, which the type checkers' idea of a TypedDict does not foresee.
        make: Any = TypedDict
        typed = make(self._name.replace(".", "_"), fields)
        typed.__pydantic_config__ = ConfigDict(extra="forbid", coerce_numbers_to_str=True)
        return TypeAdapter(typed)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of the arguments, an object."""
        return self._adapter.json_schema()

    def positional(self, values: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
        """One mapping of the arguments of a Python call.

        Raises:
            InvalidParameterError: There are more positional values than parameters, or one is given twice.
        """
        names = list(self.parameters)
        given = dict(zip(names, values, strict=False))
        if len(values) > len(names):
            raise self._refusal({"": [f"at most {len(names)} positional arguments"]}, dict(named), {})
        if twice := sorted(given.keys() & named.keys()):
            raise self._refusal({name: ["given twice"] for name in twice}, dict(named), {})
        return {**given, **named}

    def bind(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as they will be sent: known, complete, of the right types.

        Args:
            params: By name; None and `UNSET` stand for "not given" wherever null is not a value of its own.

        Raises:
            InvalidParameterError: Something is unknown, missing or wrong; all of it is named at once.
        """
        given = self._given(self._unnested(params))
        if self.defaults:
            given = {**self.defaults, **given}
        try:
            return self._adapter.validate_python(given)
        except ValidationError as error:
            return self._mended(given, error)

    def _given(self, params: Mapping[str, Any]) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for name, value in params.items():
            if value is UNSET:
                continue
            parameter = self.parameters.get(name)
            if value is None and parameter is not None and not parameter.nullable:
                continue
            given[name] = value
        return given

    def _unnested(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """`params` with the service's own nested body, `{"ticket": {...}}`, laid flat."""
        outer = self._body.partition(".")[0] if self._body else None
        if not outer or outer in self.parameters or outer not in params:
            return params
        inner = parsed_json(params[outer])
        if not isinstance(inner, Mapping):
            raise self._refusal({outer: ["an object with the fields of the body, or the fields themselves"]}, {}, {})
        rest = {name: value for name, value in params.items() if name != outer}
        if twice := sorted(rest.keys() & inner.keys()):
            raise self._refusal({name: [f"given twice, inside `{outer}` and outside"] for name in twice}, rest, {})
        return {**rest, **inner}

    def _mended(self, given: dict[str, Any], error: ValidationError) -> dict[str, Any]:
        for _ in range(_MENDING_ROUNDS):
            attempt = _mend(given, error)
            if attempt is None:
                break
            try:
                return self._adapter.validate_python(attempt)
            except ValidationError as again:
                given, error = attempt, again
        raise self._explained(given, error) from None

    def _explained(self, given: dict[str, Any], error: ValidationError) -> InvalidParameterError:
        problems: dict[str, list[str]] = {}
        fixed: dict[str, Any] = {}
        for item in error.errors(include_url=False):
            where = ".".join(str(part) for part in item["loc"])
            top = str(item["loc"][0]) if item["loc"] else ""
            text, replacement = self._problem(item, top)
            problems.setdefault(where, []).append(text)
            fixed[top] = replacement
        return self._refusal(problems, given, fixed)

    def _problem(self, item: Any, top: str) -> tuple[str, Any]:
        """What is wrong in words, and what to put there: a value, a placeholder, or (name, value) for a new name."""
        kind = item["type"]
        if kind == "extra_forbidden" and len(item["loc"]) == 1:
            known = nearest(top, self.parameters)
            others = f"; it takes {', '.join(self.parameters)}" if self.parameters else "; it takes none"
            return f"unknown{f', did you mean `{known}`?' if known else ''}{others}", _Renamed(known)
        if kind == "missing":
            return "missing", f"<{self._type_of(top)}>"
        if kind == "literal_error":
            allowed = _QUOTED.findall(item["ctx"]["expected"]) or [item["ctx"]["expected"]]
            close = nearest(str(item["input"]), allowed)
            shown = clip(dumps(to_json(item["input"])), _MAX_SHOWN)
            return f"{shown} is not one of {', '.join(allowed)}", close or allowed[0]
        message = str(item["msg"]).removeprefix("Value error, ")
        return message[:1].lower() + message[1:], f"<{self._type_of(top)}>"

    def _type_of(self, name: str) -> str:
        return type_text(self.schema["properties"].get(name, {}), self.schema)

    def _refusal(
        self, problems: dict[str, list[str]], given: dict[str, Any], fixed: dict[str, Any]
    ) -> InvalidParameterError:
        said = "; ".join(
            f"`{where}`: {', '.join(texts)}" if where else ", ".join(texts) for where, texts in problems.items()
        )
        return InvalidParameterError(
            f"{self._name}: {said}.",
            hint=f"Call {self._name} with {clip(dumps(to_json(_corrected(given, fixed))), 400)}.",
            details={"fields": problems},
        )


@dataclass(frozen=True, slots=True)
class _Renamed:
    name: str | None


def _corrected(given: Mapping[str, Any], fixed: Mapping[str, Any]) -> dict[str, Any]:
    corrected = {name: value for name, value in given.items() if name not in fixed}
    for name, value in fixed.items():
        if not isinstance(value, _Renamed):
            corrected[name] = value
        elif value.name is not None and value.name not in fixed:
            corrected.setdefault(value.name, given.get(name))
    for name in [name for name, value in fixed.items() if isinstance(value, _Renamed) and value.name in fixed]:
        corrected[fixed[name].name] = given.get(name)
    return corrected


def _parameter(declared: inspect.Parameter, hint: Any, in_path: set[str], usual: Location) -> Parameter:
    mark = next((extra for extra in _extras(hint) if isinstance(extra, Wire)), Wire())
    return Parameter(
        name=declared.name,
        wire=mark.name or declared.name,
        location="path" if declared.name in in_path else mark.location or usual,
        required=declared.default is inspect.Parameter.empty,
        nullable=declared.default is UNSET,
    )


def _extras(hint: Any) -> list[Any]:
    """Every `Annotated` mark of a hint, those inside an optional too."""
    if get_origin(hint) is Annotated:
        inner, *extras = get_args(hint)
        return [*extras, *_extras(inner)]
    return [extra for part in get_args(hint) if part is not type(None) for extra in _extras(part)]


def nearest(name: str, known: Sequence[str] | Mapping[str, Any]) -> str | None:
    """The known name that `name` most likely stands for, if one is close."""
    folded = {_folded(candidate): candidate for candidate in known}
    wanted = _folded(name)
    if wanted in folded:
        return folded[wanted]
    ending = [candidate for key, candidate in folded.items() if wanted and key.endswith(wanted)]
    if len(ending) == 1:
        return ending[0]
    close = difflib.get_close_matches(wanted, list(folded), n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def _folded(name: str) -> str:
    """A name without what writers vary: case, spaces, `_` and `-`; a leading `-`, which turns a sort round, stays."""
    text = name.strip().casefold()
    return ("-" if text.startswith("-") else "") + re.sub(r"[^a-z0-9]", "", text)


def parsed_json(value: Any) -> Any:
    """`value`, or what it says if it is the JSON text of an object or array."""
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _mend(given: dict[str, Any], error: ValidationError) -> dict[str, Any] | None:
    """A copy of `given` with the slips put right that `error` points at; None if there is none to put right."""
    mended = given
    for item in error.errors(include_url=False):
        replacement = _replacement(item)
        if replacement is not None:
            mended = _put(mended, item["loc"], replacement[0])
    return None if mended is given else mended


def _replacement(item: Any) -> tuple[Any] | None:
    kind, value = item["type"], item["input"]
    if kind == "literal_error" and isinstance(value, str):
        exact = {_folded(choice): choice for choice in _QUOTED.findall(item["ctx"]["expected"])}
        choice = exact.get(_folded(value))
        return None if choice is None else (choice,)
    if kind in {"dict_type", "list_type", "sequence_str"} and isinstance(value, str):
        parsed = parsed_json(value)
        if parsed is not value:
            return (parsed,)
    if kind == "sequence_str":
        return ([part.strip() for part in value.split(",")],)
    if kind in {"list_type", "is_instance_of"} and isinstance(value, str | int) and not isinstance(value, bool):
        return ([value],)
    return None


def _put(tree: Any, path: Sequence[str | int], value: Any) -> Any:
    """A copy of `tree` with `value` at `path`; the caller's own objects stay as they are."""
    if not path:
        return value
    head, *rest = path
    if isinstance(tree, dict) and head in tree:
        return {**tree, head: _put(tree[head], rest, value)}
    if isinstance(tree, list) and isinstance(head, int) and head < len(tree):
        return [*tree[:head], _put(tree[head], rest, value), *tree[head + 1 :]]
    return tree
