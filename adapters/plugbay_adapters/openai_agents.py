"""Plugbay's tools for the OpenAI Agents SDK.

    agent = Agent(name="Support", tools=tools(connector))

The framework tells the model nothing of an exception but that there was one, so a
failure is a result like a success is: the JSON of `{"error": ...}`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

try:
    from agents import FunctionTool, Tool
    from agents.tool_context import ToolContext
except ImportError as error:
    raise ImportError('The OpenAI Agents SDK is not installed: pip install "plugbay[openai-agents]"') from error

from plugbay.policy import Policy
from plugbay.tools import MAX_OUTPUT_CHARS, Adapter, Catalogued, Envelope, ToolSpec, execute_specs

__all__ = ["ADAPTER", "tools"]


class _OpenAIAgents:
    """Ends a tool function as the OpenAI Agents SDK wants it."""

    # The framework calls `str()` on a result, which for an envelope is its JSON.

    def success(self, envelope: Envelope) -> Envelope:
        return envelope

    def failure(self, envelope: Envelope) -> Envelope:
        return envelope


ADAPTER: Adapter = _OpenAIAgents()
"""How a function under `tool_utils(framework="openai_agents")` ends."""


def tools(
    *connectors: Catalogued,
    mode: str = "execute",
    only: Sequence[str] = (),
    except_: Sequence[str] = (),
    policy: Policy | None = None,
    max_output_chars: int = MAX_OUTPUT_CHARS,
) -> list[Tool]:
    """Connectors as tools for an agent.

    Args:
        connectors: The connectors.
        mode: How actions are laid out as tools: `execute`, one tool for each connector.
        only: Patterns of the actions to offer, as `tickets.*`; all that are permitted if empty.
        except_: Patterns of the actions not to offer.
        policy: What the model may do; a connector's own policy must agree as well. Without either, only read.
        max_output_chars: Characters of JSON that a result may have.

    Returns:
        `FunctionTool`s, in the list type that `Agent(tools=...)` takes.

    Raises:
        ConfigurationError: The mode or a pattern is unknown, or nothing is left to offer.
    """
    specs = execute_specs(
        connectors, mode=mode, only=only, except_=except_, policy=policy, max_output_chars=max_output_chars
    )
    return [_function_tool(spec) for spec in specs]


def _function_tool(spec: ToolSpec) -> FunctionTool:
    async def on_invoke(ctx: ToolContext[Any], arguments: str) -> str:
        return str(await spec.call(arguments, call_id=ctx.tool_call_id))

    return FunctionTool(
        name=spec.name,
        description=spec.description,
        params_json_schema=dict(spec.parameters),
        on_invoke_tool=on_invoke,
        # A strict schema allows no open object, which `params` is.
        strict_json_schema=False,
    )
