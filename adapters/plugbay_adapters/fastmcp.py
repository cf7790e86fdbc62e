"""Plugbay's tools as a Model Context Protocol server, by FastMCP.

    server(connector).run()

A failure is a result with `isError` and the JSON of `{"error": ...}` as its text. It has
no structured content: clients hold that to the schema of successes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

try:
    from fastmcp import FastMCP
    from fastmcp.server.dependencies import get_context
    from fastmcp.server.providers import Provider
    from fastmcp.tools import Tool, ToolResult
    from mcp_types import ToolAnnotations
except ImportError as error:
    raise ImportError('FastMCP is not installed: pip install "plugbay[fastmcp]"') from error

from pydantic import PrivateAttr

from plugbay import __version__
from plugbay.policy import Policy
from plugbay.tools import MAX_OUTPUT_CHARS, Adapter, Catalogued, Envelope, ToolSpec, execute_specs, is_failure

__all__ = ["ADAPTER", "PlugbayProvider", "PlugbayTool", "provider", "server"]


class _FastMCP:
    """Ends a tool function as FastMCP wants it."""

    def success(self, envelope: Envelope) -> Envelope:
        return envelope

    def failure(self, envelope: Envelope) -> ToolResult:
        return ToolResult(content=str(envelope), is_error=True)


ADAPTER: Adapter = _FastMCP()
"""How a function under `tool_utils(framework="fastmcp")` ends."""


class PlugbayTool(Tool):
    """A tool of a server.

    Args:
        spec: The tool.
    """

    _spec: ToolSpec = PrivateAttr()

    def __init__(self, spec: ToolSpec) -> None:
        super().__init__(
            name=spec.name,
            title=spec.title,
            description=spec.description,
            parameters=dict(spec.parameters),
            annotations=ToolAnnotations.model_validate(spec.annotations),
        )
        self._spec = spec

    async def run(self, arguments: dict[str, Any]) -> ToolResult:
        """The outcome of a call."""
        envelope = await self._spec.call(arguments, call_id=_call_id())
        if is_failure(envelope):
            failed: ToolResult = ADAPTER.failure(envelope)
            return failed
        return ToolResult(content=str(envelope), structured_content=envelope)


class PlugbayProvider(Provider):
    """The tools of some connectors, for `FastMCP(providers=[...])` and `mcp.add_provider(...)`.

    Args:
        specs: The tools.

    Attributes:
        title: The tools' titles, each once.
    """

    def __init__(self, specs: Sequence[ToolSpec]) -> None:
        super().__init__()
        self.title = ", ".join(dict.fromkeys(spec.title for spec in specs))
        self._tools = [PlugbayTool(spec) for spec in specs]

    async def _list_tools(self) -> Sequence[Tool]:
        return self._tools


def provider(
    *connectors: Catalogued,
    mode: str = "execute",
    only: Sequence[str] = (),
    except_: Sequence[str] = (),
    policy: Policy | None = None,
    max_output_chars: int = MAX_OUTPUT_CHARS,
) -> PlugbayProvider:
    """Connectors as a provider of tools for a server of one's own.

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
    return PlugbayProvider(
        execute_specs(
            connectors, mode=mode, only=only, except_=except_, policy=policy, max_output_chars=max_output_chars
        )
    )


def server(
    *connectors: Catalogued,
    mode: str = "execute",
    only: Sequence[str] = (),
    except_: Sequence[str] = (),
    policy: Policy | None = None,
    max_output_chars: int = MAX_OUTPUT_CHARS,
    name: str | None = None,
) -> FastMCP[Any]:
    """Connectors as a server of their own; `run()` serves standard input and output.

    Over HTTP, run it with `host_origin_protection="auto"`: without it a web page in a browser on the same
    machine may call the tools.

    Args:
        connectors: The connectors.
        mode: As in `provider`.
        only: As in `provider`.
        except_: As in `provider`.
        policy: As in `provider`.
        max_output_chars: As in `provider`.
        name: The server's name; the connectors' titles if not given.

    Raises:
        ConfigurationError: The mode or a pattern is unknown, or nothing is left to offer.
    """
    tools = provider(
        *connectors, mode=mode, only=only, except_=except_, policy=policy, max_output_chars=max_output_chars
    )
    return FastMCP(name or tools.title or None, version=__version__, providers=[tools])


def _call_id() -> str | None:
    """An id of the request that no other connection's request has: clients number theirs from one."""
    try:
        context = get_context()
    except RuntimeError:
        return None
    return f"{context.session_id}:{context.request_id}"
