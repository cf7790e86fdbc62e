"""Plugbay's tools for LangChain and LangGraph.

    agent = create_agent("openai:gpt-5.2", toolkit(connector).get_tools())

A failed call becomes a `ToolMessage` with `status="error"`, which the model reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

try:
    from langchain_core.tools import BaseTool, BaseToolkit, ToolException
except ImportError as error:
    raise ImportError('LangChain is not installed: pip install "plugbay[langchain]"') from error

from pydantic import PrivateAttr

from plugbay.policy import Policy
from plugbay.sync import run
from plugbay.tools import MAX_OUTPUT_CHARS, Adapter, Catalogued, Envelope, ToolSpec, execute_specs, is_failure

__all__ = ["ADAPTER", "PlugbayTool", "PlugbayToolkit", "toolkit"]


class _LangChain:
    """Ends a tool function as LangChain's `@tool` wants it.

    A failure is the envelope, not an exception: `@tool` handles no `ToolException`, so that raising one ends the run.
    """

    def success(self, envelope: Envelope) -> Envelope:
        return envelope

    def failure(self, envelope: Envelope) -> Envelope:
        return envelope


ADAPTER: Adapter = _LangChain()
"""How a function under `tool_utils(framework="langchain")` ends."""


class PlugbayTool(BaseTool):
    """A tool that works with `invoke` and with `ainvoke`.

    Args:
        spec: The tool.
    """

    _spec: ToolSpec = PrivateAttr()

    def __init__(self, spec: ToolSpec) -> None:
        super().__init__(
            name=spec.name,
            description=spec.description,
            args_schema=dict(spec.parameters),
            handle_tool_error=True,
            metadata={"annotations": spec.annotations},
        )
        self._spec = spec

    def _to_args_and_kwargs(
        self, tool_input: str | dict[str, Any], tool_call_id: str | None
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        # As positions, so that no argument a model makes up can meet a parameter of the framework's or ours.
        return (tool_input, tool_call_id), {}

    async def _arun(self, arguments: str | dict[str, Any], call_id: str | None = None) -> str:
        envelope = await self._spec.call(arguments, call_id=call_id)
        if is_failure(envelope):
            raise ToolException(str(envelope))
        return str(envelope)

    def _run(self, arguments: str | dict[str, Any], call_id: str | None = None) -> str:
        return run(self._arun(arguments, call_id))


class PlugbayToolkit(BaseToolkit):
    """The tools of some connectors.

    Attributes:
        tools: The tools.
    """

    tools: Sequence[BaseTool]

    def get_tools(self) -> list[BaseTool]:
        """The tools, for an agent."""
        return list(self.tools)


def toolkit(
    *connectors: Catalogued,
    mode: str = "execute",
    only: Sequence[str] = (),
    except_: Sequence[str] = (),
    policy: Policy | None = None,
    max_output_chars: int = MAX_OUTPUT_CHARS,
) -> PlugbayToolkit:
    """Connectors as a toolkit for an agent.

    Args:
        connectors: The connectors.
        mode: How actions are laid out as tools: `execute`, one tool for each connector.
        only: Patterns of the actions to offer, as `tickets.*`; all that are permitted if empty.
        except_: Patterns of the actions not to offer.
        policy: What the model may do; a connector's own policy must agree as well. Without either, only read.
        max_output_chars: Characters of JSON that a result may have.

    Raises:
        ConfigurationError: The mode or a pattern is unknown, or nothing is left to offer.
    """
    specs = execute_specs(
        connectors, mode=mode, only=only, except_=except_, policy=policy, max_output_chars=max_output_chars
    )
    return PlugbayToolkit(tools=[PlugbayTool(spec) for spec in specs])
