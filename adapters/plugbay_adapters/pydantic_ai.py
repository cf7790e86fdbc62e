"""Plugbay's tools for Pydantic AI.

    agent = Agent("openai:gpt-5.2", toolsets=[toolset(connector)])

A failure is raised as `ToolFailed`: the model reads it, the run goes on, and none of
the run's few retries is spent. `ModelRetry` would end the run at the second failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

try:
    from pydantic_ai import RunContext
    from pydantic_ai.exceptions import ToolFailed
    from pydantic_ai.tools import ToolDefinition
    from pydantic_ai.toolsets import AbstractToolset, ToolsetTool
except ImportError as error:
    raise ImportError('Pydantic AI is not installed: pip install "plugbay[pydantic-ai]"') from error

from pydantic_core import from_json

from plugbay.policy import Policy
from plugbay.tools import (
    MAX_OUTPUT_CHARS,
    Adapter,
    Catalogued,
    Envelope,
    ToolSpec,
    execute_specs,
    failure_text,
    is_failure,
)

__all__ = ["ADAPTER", "PlugbayToolset", "toolset"]

_UNREADABLE = "unreadable_arguments"


class _PydanticAI:
    """Ends a tool function as Pydantic AI wants it."""

    def success(self, envelope: Envelope) -> Envelope:
        return envelope

    def failure(self, envelope: Envelope) -> Any:
        # The framework puts this text into an `{"error": ...}` of its own, so it is no JSON itself.
        raise ToolFailed(failure_text(envelope["error"]))


ADAPTER: Adapter = _PydanticAI()
"""How a function under `tool_utils(framework="pydantic_ai")` ends."""


class PlugbayToolset(AbstractToolset[Any]):
    """Tools as a toolset; it takes part in everything toolsets can do, as `filtered` and `approval_required`.

    Args:
        specs: The tools.
        id: Names the toolset among those of one agent; durable execution needs it to stay the same.
    """

    def __init__(self, specs: Sequence[ToolSpec], *, id: str | None = None) -> None:  # noqa: A002 - the framework's name
        self._specs = {spec.name: spec for spec in specs}
        self._id = id or f"plugbay:{'+'.join(self._specs)}"

    @property
    def id(self) -> str:
        """The toolset's name."""
        return self._id

    async def get_tools(self, ctx: RunContext[Any]) -> dict[str, ToolsetTool[Any]]:
        """The tools by name."""
        return {
            name: ToolsetTool(
                toolset=self,
                tool_def=ToolDefinition(
                    name=name,
                    description=spec.description,
                    parameters_json_schema=dict(spec.parameters),
                    metadata={"annotations": spec.annotations},
                ),
                max_retries=ctx.max_retries,
                args_validator=_AnyArguments(),
            )
            for name, spec in self._specs.items()
        }

    async def call_tool(
        self,
        name: str,
        tool_args: dict[str, Any],
        ctx: RunContext[Any],
        tool: ToolsetTool[Any],  # noqa: ARG002 - the framework's
    ) -> Envelope:
        """The result of a tool.

        Raises:
            ToolFailed: The call failed; the model is told why.
        """
        arguments = tool_args[_UNREADABLE] if set(tool_args) == {_UNREADABLE} else tool_args
        envelope = await self._specs[name].call(arguments, call_id=ctx.tool_call_id)
        result: Envelope = ADAPTER.failure(envelope) if is_failure(envelope) else ADAPTER.success(envelope)
        return result


def toolset(
    *connectors: Catalogued,
    mode: str = "execute",
    only: Sequence[str] = (),
    except_: Sequence[str] = (),
    policy: Policy | None = None,
    max_output_chars: int = MAX_OUTPUT_CHARS,
    id: str | None = None,  # noqa: A002 - the framework's name
) -> PlugbayToolset:
    """Connectors as a toolset for an agent.

    Args:
        connectors: The connectors.
        mode: How actions are laid out as tools: `execute`, one tool for each connector.
        only: Patterns of the actions to offer, as `tickets.*`; all that are permitted if empty.
        except_: Patterns of the actions not to offer.
        policy: What the model may do; a connector's own policy must agree as well. Without either, only read.
        max_output_chars: Characters of JSON that a result may have.
        id: Names the toolset among those of one agent.

    Raises:
        ConfigurationError: The mode or a pattern is unknown, or nothing is left to offer.
    """
    specs = execute_specs(
        connectors, mode=mode, only=only, except_=except_, policy=policy, max_output_chars=max_output_chars
    )
    return PlugbayToolset(specs, id=id)


class _AnyArguments:
    """Validator that refuses nothing: a refusal costs a retry, and the tool's own refusal says more."""

    def validate_json(
        self,
        input: str | bytes | bytearray,  # noqa: A002 - the framework's name
        *,
        allow_partial: bool | Literal["off", "on", "trailing-strings"] = False,
        **_settings: Any,
    ) -> dict[str, Any]:
        try:
            return self.validate_python(from_json(input, allow_partial=allow_partial))
        except ValueError:
            return {_UNREADABLE: input if isinstance(input, str) else input.decode(errors="replace")}

    def validate_python(
        self,
        input: Any,  # noqa: A002 - the framework's name
        *,
        allow_partial: bool | Literal["off", "on", "trailing-strings"] = False,  # noqa: ARG002 - the framework's name
        **_settings: Any,
    ) -> dict[str, Any]:
        return cast("dict[str, Any]", input) if isinstance(input, dict) else {_UNREADABLE: str(input)}
