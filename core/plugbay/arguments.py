"""What an action takes, read from its signature: checking, mending, schema.

Arguments are checked before anything is sent. A slip whose meaning is plain is
mended (`"5"` for 5, a JSON text for an object, `Open` for `open`); everything else
is refused with the field, what is allowed, and a call that would be right.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    NotRequired,
    Required,
    TypeAlias,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import SchemaValidator, core_schema
from typing_extensions import TypedDict

from plugbay.errors import InvalidParameterError, clip
from plugbay.json_safe import dumps, is_list, is_object, to_json
from plugbay.mending import (
    MAX_SHOWN,
    NOWHERE,
    Placeholder,
    at,
    choices_of,
    mended,
    nearest,
    parsed_json,
    put,
    replacement_of,
    shown,
)
from plugbay.schema_text import fields_at, schema_at, type_text
from plugbay.sendable import holds_at_most, unsendable

__all__ = ["UNSET", "Arguments", "Parameter", "Rare", "Unset", "Wire"]

Location: TypeAlias = Literal["path", "query", "body"]

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_MENDING_ROUNDS = 4
_MAX_PROBLEMS = 50
"""Mistakes that are told, and with which a call is worth mending: with more of them it is no slip."""
_MAX_VALUES = 20_000
"""Values of a call, at any depth: what is wrong with them is written down for each before any of it can be left out."""
_UNSENDABLE = {
    "half_character": "has half a character, which no service takes",
    "nul_character": "has a NUL character, which not every service takes",
    "int_64": "a number must be within 64 bits",
}
_OTHER_NAMES = {
    "per_page": "limit",
    "page_size": "limit",
    "page[size]": "limit",
    "page": "cursor",
    "page[after]": "cursor",
}
"""What services call the two parameters that every list of ours has."""


class Unset:
    """The type of `UNSET`."""

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Any = Unset()
"""Default of a parameter for which `None` is a value of its own: leaving it out and clearing it differ."""


class Wire(NamedTuple):
    """Marks a parameter whose name or place on the wire is not the usual one.

    Attributes:
        name: Its name on the wire; the parameter's own if not given.
        location: Where it travels; the operation's usual place if not given.
    """

    name: str | None = None
    location: Location | None = None


class Rare:
    """Marks a parameter that few calls need: it is taken like any other, but a catalogue's overview leaves it out."""


class Parameter(NamedTuple):
    """One argument of an action.

    Attributes:
        name: Its name for callers.
        wire: Its name on the wire.
        location: Where it travels.
        required: Whether a call must give it.
        nullable: Whether an explicit null is a value that is sent.
        rare: Whether an overview leaves it out.
    """

    name: str
    wire: str
    location: Location
    required: bool
    nullable: bool
    rare: bool


class Arguments:
    """The arguments of one action.

    Args:
        name: `entity.action`, for messages.
        declaration: The function whose signature declares them.
        path: The operation's path template.
        body: The key under which body fields travel, if the operation has a body.
        changes: Whether a call must give one of the body's fields.
    """

    def __init__(
        self, name: str, declaration: Callable[..., Any], *, path: str, body: str | None, changes: bool = False
    ) -> None:
        self._name = name
        self._body = body
        self._changes = changes
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
        typed.__pydantic_config__ = ConfigDict(extra="forbid", coerce_numbers_to_str=True, allow_inf_nan=False)
        return TypeAdapter(typed)

    @cached_property
    def _validator(self) -> SchemaValidator:
        return SchemaValidator(_without_flags(self._adapter.core_schema))

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
            raise self._refusal({"": [f"at most {len(names)} positional arguments"]}, {**given, **named})
        if twice := sorted(given.keys() & named.keys()):
            raise self._refusal({name: ["given twice"] for name in twice}, {**given, **named})
        return {**given, **named}

    def bind(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as they will be sent: known, complete, of the right types.

        Args:
            params: By name; None and `UNSET` stand for "not given" wherever null is not a value of its own.

        Raises:
            InvalidParameterError: Something is unknown, missing or wrong; all of it is named at once.
        """
        given = self._given(self._unnested(self._named(params)))
        if self.defaults:
            given = {**self.defaults, **given}
        try:
            bound: dict[str, Any] = self._validator.validate_python(given)
        except ValidationError as error:
            bound = self._mended(given, error)
        if (found := next(unsendable(bound), None)) is not None:
            raise self._refusal({_place(found.path): [_UNSENDABLE[found.rule]]}, {})
        if self._changes and not self._changes_something(bound, params):
            raise self._refusal({"": ["nothing to change was given"]}, {**bound, **self._example_change()})
        return bound

    def _changes_something(self, bound: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
        """Whether a call has a field of the body, or says itself, with an empty body, that it has none."""
        if self._body is not None and parsed_json(params.get(self._body)) == {}:
            return True
        return any(self.parameters[name].location == "body" for name in bound)

    def _example_change(self) -> dict[str, Any]:
        name = next(each.name for each in self.parameters.values() if each.location == "body")
        return {name: self._placeholder((name,))}

    def _named(self, params: Any) -> Mapping[str, Any]:
        given = parsed_json(params)
        if not is_object(given):
            raise self._refusal({"": ["the arguments must be an object, by name"]}, {})
        if strange := [name for name in given if not isinstance(name, str)]:
            names = [clip(dumps(to_json(name)), MAX_SHOWN) for name in strange[:_MAX_PROBLEMS]]
            raise self._refusal({name: ["not a name"] for name in names}, {})
        self._check_size(given)
        return given

    def _check_size(self, given: Any) -> None:
        if not holds_at_most(given, _MAX_VALUES):
            raise self._refusal({"": [f"a call has at most {_MAX_VALUES} values"]}, {})

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
        for outer in self._body.split(".") if self._body else ():
            if outer in self.parameters or outer not in params:
                continue
            rest = {name: value for name, value in params.items() if name != outer}
            inner = parsed_json(params[outer])
            if inner is None or inner is UNSET:
                inner = {}
            if not is_object(inner):
                text = "an object with the fields of the body, or the fields themselves"
                raise self._refusal({outer: [text]}, rest)
            rest, inner = self._one_id(rest, dict(inner))
            if twice := sorted(str(name) for name in rest.keys() & inner.keys())[:_MAX_PROBLEMS]:
                problems = {name: [f"given twice, inside `{outer}` and outside"] for name in twice}
                raise self._refusal(problems, {**inner, **rest})
            params = self._named({**rest, **inner})
        return params

    def _one_id(self, rest: dict[str, Any], inner: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The outer arguments and a nested body, in which some clients repeat the record's own id, or have it alone."""
        own = self._own_id()
        if own is None or "id" not in inner:
            return rest, inner
        body = {name: value for name, value in inner.items() if name != "id"}
        outer = {own: inner["id"], **rest}
        if str(outer[own]) != str(inner["id"]):
            raise self._refusal({f"{self._body}.id": [f"not the same as `{own}`"]}, {**outer, **body})
        return outer, body

    def _mended(self, given: dict[str, Any], error: ValidationError) -> dict[str, Any]:
        for _ in range(_MENDING_ROUNDS):
            attempt = mended(given, error) if error.error_count() <= _MAX_PROBLEMS else None
            if attempt is None:
                break
            # A text may have held a call of any size.
            self._check_size(attempt)
            try:
                bound: dict[str, Any] = self._validator.validate_python(attempt)
            except ValidationError as again:
                given, error = attempt, again
            else:
                return bound
        raise self._explained(given, error) from None

    def _explained(self, given: dict[str, Any], error: ValidationError) -> InvalidParameterError:
        problems: dict[str, list[str]] = {}
        for item in error.errors(include_url=False)[:_MAX_PROBLEMS]:
            problems.setdefault(_place(item["loc"]), []).append(self._problem(item))
        return self._refusal(problems, given)

    def _problem(self, item: Any) -> str:
        """What is wrong, in words."""
        kind, loc = item["type"], item["loc"]
        if kind == "extra_forbidden":
            fields = self._fields_beside(loc)
            known = self._meant(str(loc[-1]), loc)
            others = f"; it takes {', '.join(fields)}" if fields else "; it takes none"
            return f"unknown{f', did you mean `{known}`?' if known else ''}{others}"
        if kind == "missing":
            return "missing"
        if choices := choices_of(item):
            return f"{clip(dumps(to_json(item['input'])), MAX_SHOWN)} is not one of {', '.join(choices)}"
        message = str(item["msg"]).removeprefix("Value error, ")
        return message[:1].lower() + message[1:]

    def _meant(self, name: str, loc: Sequence[str | int]) -> str | None:
        """The known name that an unknown one stands for; `id` is the id in the path."""
        own = self._own_id()
        if name == "id" and len(loc) == 1 and own is not None:
            return own
        if len(loc) == 1 and _OTHER_NAMES.get(name) in self.parameters:
            return _OTHER_NAMES[name]
        return nearest(name, self._fields_beside(loc))

    def _own_id(self) -> str | None:
        named = [parameter.name for parameter in self.parameters.values() if parameter.location == "path"]
        return named[0] if len(named) == 1 and "id" not in self.parameters else None

    def _fields_beside(self, loc: Sequence[str | int]) -> list[str]:
        return list(self.parameters) if len(loc) == 1 else fields_at(self.schema, loc[:-1])

    def _refusal(self, problems: dict[str, list[str]], given: Mapping[str, Any]) -> InvalidParameterError:
        said = "; ".join(
            f"`{where}`: {', '.join(texts)}" if where else ", ".join(texts) for where, texts in problems.items()
        )
        is_worth_showing = holds_at_most(given, _MAX_VALUES) and next(unsendable(given), None) is None
        call = to_json(shown(self._corrected(given if is_worth_showing else {})))
        return InvalidParameterError(
            f"{self._name}: {said}.",
            hint=f"Call {self._name} with {clip(dumps(call))}.",
            details={"fields": problems},
        )

    def _corrected(self, given: Mapping[str, Any]) -> Any:
        """The nearest call that would be right, with placeholders where only the caller can know."""
        call: Any = given
        for _ in range(2 * _MENDING_ROUNDS):
            try:
                self._validator.validate_python(call)
            except ValidationError as error:
                if error.error_count() > _MAX_PROBLEMS:
                    call = {}
                    continue
                items = [item for item in error.errors(include_url=False) if type(item["input"]) is not Placeholder]
                if not items:
                    break
                # Unknown names first: what stands under one may be what is missing under another.
                for item in sorted(items, key=lambda item: item["type"] != "extra_forbidden"):
                    call = self._corrected_at(call, item)
            else:
                break
        return call

    def _corrected_at(self, call: Any, item: Any) -> Any:
        kind, loc = item["type"], item["loc"]
        if kind == "missing":
            return call if at(call, loc) is not NOWHERE else put(call, loc, self._placeholder(loc), new=True)
        if kind == "extra_forbidden":
            *outer, name = loc
            holder = at(call, outer)
            if not is_object(holder) or name not in holder:
                return call
            rest = {key: value for key, value in holder.items() if key != name}
            known = self._meant(str(name), loc)
            return put(call, outer, rest if known is None or known in rest else {**rest, known: holder[name]})
        # What a union adds to the place of an error, the names of its members, is no place of the call's own.
        while loc and at(call, loc) is NOWHERE:
            loc = loc[:-1]
        if replacement := replacement_of(item):
            return put(call, loc, replacement[0])
        return put(call, loc, self._choice(item) or self._placeholder(loc))

    def _choice(self, item: Any) -> str | None:
        """The choice that was meant, unless it might as well be its opposite."""
        choices = choices_of(item)
        near = nearest(str(item["input"]), choices)
        return None if near is None or {f"-{near}", near.removeprefix("-")} & (set(choices) - {near}) else near

    def _placeholder(self, loc: Sequence[str | int]) -> Placeholder:
        return Placeholder(f"<{type_text(schema_at(self.schema, loc), self.schema)}>")


def _parameter(declared: inspect.Parameter, hint: Any, in_path: set[str], usual: Location) -> Parameter:
    extras = _extras(hint)
    mark = next((extra for extra in extras if isinstance(extra, Wire)), Wire())
    return Parameter(
        name=declared.name,
        wire=mark.name or declared.name,
        location="path" if declared.name in in_path else mark.location or usual,
        required=declared.default is inspect.Parameter.empty,
        nullable=declared.default is UNSET,
        rare=any(extra is Rare or isinstance(extra, Rare) for extra in extras),
    )


def _extras(hint: Any) -> list[Any]:
    """Every `Annotated` mark of a hint, those inside an optional too."""
    if get_origin(hint) is Annotated:
        inner, *extras = get_args(hint)
        return [*extras, *_extras(inner)]
    return [extra for part in get_args(hint) if part is not type(None) for extra in _extras(part)]


def _without_flags(schema: Any) -> Any:
    """A validation schema whose numbers are not true or false, which Python takes for 1 and 0."""
    if is_list(schema):
        return [_without_flags(part) for part in schema]
    if isinstance(schema, tuple):
        return tuple(_without_flags(part) for part in schema)  # pyright: ignore[reportUnknownVariableType] - of anything
    if not is_object(schema):
        return schema
    made: Any = {key: part if key == "metadata" else _without_flags(part) for key, part in schema.items()}
    if made.get("type") in ("int", "float"):
        return core_schema.no_info_before_validator_function(_no_flag, made)
    return made


def _no_flag(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a number, not true or false")  # noqa: TRY004 - pydantic reads ValueError
    return value


def _place(path: Sequence[Any]) -> str:
    return ".".join(clip(str(part), MAX_SHOWN) for part in path)
