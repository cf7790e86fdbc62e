"""A tool as data, for frameworks that build tools without a Python signature."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from plugbay.errors import ConfigurationError, InvalidParameterError, clip
from plugbay.json_safe import is_object
from plugbay.mending import parsed_json
from plugbay.operation import Effect, Operation
from plugbay.policy import Policy, Rules
from plugbay.result import Result
from plugbay.tools.catalogue import Catalogue, permitted
from plugbay.tools.decorator import MAX_OUTPUT_CHARS, Settings, identified, wrap
from plugbay.tools.envelope import Envelope, failure
from plugbay.tools.parameters import execute_schema

__all__ = ["Catalogued", "ToolSpec", "execute_specs"]

MAX_NAME = 64
"""Characters a tool's name may have with every model provider."""

_MAX_SHOWN = 60

_MAX_PROBLEMS = 50
"""Arguments that are told to be unknown; the others are counted."""


class Catalogued(Protocol):
    """A connector, as it is handed to tools.

    It is a `Catalogue` as well. That is not said here: pyright does not let a class variable, which a connector's
    catalogue is, stand for a property of a protocol, and mypy nothing else for a connector's class.
    """

    @property
    def policy(self) -> Policy | None: ...

    async def execute(self, entity: str, action: str, params: Mapping[str, Any] | None = None) -> Result: ...


@dataclass(frozen=True, slots=True, eq=False)
class ToolSpec:
    """One tool.

    Attributes:
        name: At most 64 letters, digits, `_` and `-`.
        title: Its name for people.
        description: What the model is told, markdown.
        parameters: JSON schema of the arguments, an object.
        read_only: Whether no call changes anything.
        destructive: Whether a call may remove data.
        idempotent: Whether a second equal call changes nothing more.
        invoke: Runs it with the arguments by name.
    """

    name: str
    title: str
    description: str
    parameters: Mapping[str, Any]
    read_only: bool
    destructive: bool
    idempotent: bool
    invoke: Callable[..., Awaitable[Envelope]]

    @property
    def annotations(self) -> dict[str, Any]:
        """What kind of tool it is, in the words of the Model Context Protocol."""
        return {
            "title": self.title,
            "readOnlyHint": self.read_only,
            "destructiveHint": self.destructive,
            "idempotentHint": self.idempotent,
            "openWorldHint": True,
        }

    async def call(self, arguments: Mapping[str, Any] | str | None, *, call_id: str | None = None) -> Envelope:
        """The tool's outcome as an envelope; a failure is one too, never an exception.

        Args:
            arguments: By name, or the JSON text of that.
            call_id: The framework's id of the call, if it gives one.
        """
        try:
            given: Any = parsed_json(arguments) or {}
        except RecursionError:
            given = None
        required = self.parameters.get("required", ())
        hint = f"Call {self.name} with {json.dumps({name: f'<{name}>' for name in required})}."
        if not is_object(given):
            return failure(InvalidParameterError("The arguments must be a JSON object.", hint=hint))
        unknown = [str(name) for name in given if name not in self.parameters["properties"]]
        missing = [name for name in required if name not in given]
        if unknown or missing:
            return failure(_unfit(unknown, missing, hint))
        with identified(call_id):
            return await self.invoke(**given)


def _unfit(unknown: Sequence[str], missing: Sequence[str], hint: str) -> InvalidParameterError:
    """The error of arguments that are not the tool's; `missing` are names of its own, and few."""
    problems = {clip(name, _MAX_SHOWN): ["unknown"] for name in unknown[:_MAX_PROBLEMS]}
    problems |= {name: ["missing"] for name in missing}
    message = "; ".join(f"`{name}`: {texts[0]}" for name, texts in problems.items())
    count = f"{len(unknown)} arguments are unknown. " if len(unknown) > _MAX_PROBLEMS else ""
    return InvalidParameterError(f"{count}{message}.", hint=hint, details={"fields": problems})


def execute_specs(
    connectors: Sequence[Catalogued],
    *,
    mode: str = "execute",
    only: Sequence[str] = (),
    except_: Sequence[str] = (),
    policy: Policy | None = None,
    max_output_chars: int = MAX_OUTPUT_CHARS,
) -> list[ToolSpec]:
    """One tool for each connector that runs any of its actions by name.

    Args:
        connectors: The connectors.
        mode: How actions are laid out as tools; `execute` is the one there is.
        only: Patterns of the actions to offer; all that are permitted if empty.
        except_: Patterns of the actions not to offer.
        policy: What a model may do with these tools; a connector's own policy must agree as well. Without
            either, a model may only read.
        max_output_chars: Characters of JSON that a result may have.

    Raises:
        ConfigurationError: The mode or a pattern is unknown, or nothing is left to offer.
    """
    if mode != "execute":
        raise ConfigurationError(f"mode={mode!r} is not known.", hint='Use mode="execute".')
    narrowed = Policy(allow=only, deny=except_) if only or except_ else None
    catalogues = cast("Sequence[Catalogue]", connectors)
    if idle := [pattern for pattern in (*only, *except_) if not _matches_any(pattern, catalogues)]:
        raise ConfigurationError(f"No action is named {', '.join(map(repr, idle))}.", hint=_known(catalogues))
    settings = [
        Settings((catalogue,), policy=policy, only=narrowed, max_output_chars=max_output_chars)
        for catalogue in catalogues
    ]
    return [_execute_spec(name, each) for name, each in zip(_names(catalogues), settings, strict=True)]


def _matches_any(pattern: str, catalogues: Sequence[Catalogue]) -> bool:
    narrowed = Rules([Policy(allow=[pattern])])
    return any(next(permitted(catalogue, narrowed), None) is not None for catalogue in catalogues)


def _known(catalogues: Sequence[Catalogue]) -> str:
    return f"Entities are {', '.join(entity for catalogue in catalogues for entity in catalogue.operations)}."


def _execute_spec(name: str, settings: Settings) -> ToolSpec:
    connector: Any = settings.catalogues[0]
    operations = list(permitted(connector, settings.rules(connector)))
    if not operations:
        raise ConfigurationError(f"{name}: no action is left to offer.", hint="Widen `only`, `except_` or the policy.")

    async def run(entity: str, action: str, params: dict[str, Any] | None = None) -> Result:
        result: Result = await connector.execute(entity, action, params)
        return result

    run.__name__ = name
    tool = wrap(run, settings)
    effects = {operation.effect for operation in operations}
    return ToolSpec(
        name=name,
        title=f"{connector.title}",
        description=tool.__doc__,
        parameters=execute_schema([_Permitted(connector, operations)]),
        read_only=effects <= {Effect.READ},
        destructive=Effect.DESTRUCTIVE in effects,
        idempotent=all(operation.idempotent for operation in operations),
        invoke=tool,
    )


class _Permitted:
    """A catalogue of only some operations."""

    def __init__(self, catalogue: Catalogue, operations: Sequence[Operation]) -> None:
        self.slug = catalogue.slug
        self.title = catalogue.title
        self.entity_docs = catalogue.entity_docs
        self.operations: dict[str, dict[str, Operation]] = {}
        for operation in operations:
            self.operations.setdefault(operation.entity, {})[operation.action] = operation


def _names(catalogues: Sequence[Catalogue]) -> list[str]:
    """A name for each connector's tool; connectors of one service are told apart by a number."""
    seen: Counter[str] = Counter()
    names: list[str] = []
    for catalogue in catalogues:
        base = re.sub(r"[^A-Za-z0-9_-]", "_", catalogue.slug.replace("-", "_"))
        seen[base] += 1
        suffix = "_execute" if seen[base] == 1 else f"_{seen[base]}_execute"
        names.append(base[: MAX_NAME - len(suffix)] + suffix)
    return names
