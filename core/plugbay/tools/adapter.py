"""The interface an adapter fills, and how it is found.

An adapter hands a tool's outcome over in its framework's own manner. Adapters plug in
by the entry-point group `plugbay.adapters`; the core knows none of them and imports
one only when it is named.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from plugbay.errors import ConfigurationError
from plugbay.tools.envelope import Envelope

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["PLAIN", "Adapter", "find_adapter", "is_control_flow"]

GROUP = "plugbay.adapters"
CONTROL_FLOW = "plugbay.control_flow"
_ALIASES = {"mcp": "fastmcp"}


class Adapter(Protocol):
    """How one framework wants a tool function to end."""

    def success(self, envelope: Envelope) -> Any:
        """What the function returns for a success."""
        ...

    def failure(self, envelope: Envelope) -> Any:
        """What the function returns for a failure, or the framework's own exception that a run survives, raised."""
        ...


class _Plain:
    """Hands the envelope over as it is, which every framework understands."""

    def success(self, envelope: Envelope) -> Any:
        return envelope

    def failure(self, envelope: Envelope) -> Any:
        return envelope


PLAIN: Adapter = _Plain()


def find_adapter(framework: str | None) -> Adapter:
    """The adapter of a framework.

    Args:
        framework: `pydantic_ai`, `langchain`, `openai_agents`, `fastmcp` (also `mcp`), the name of somebody
            else's adapter, or `none`.

    Raises:
        ConfigurationError: There is no such adapter, or its framework is not installed.
    """
    if framework is None or framework == "none":
        return PLAIN
    name = _ALIASES.get(framework, framework).replace("-", "_")
    known = _points(GROUP)
    if name not in known:
        raise ConfigurationError(
            f"There is no adapter for framework={framework!r}.", hint=f"Known: {', '.join([*sorted(known), 'none'])}."
        )
    try:
        adapter: Adapter = known[name].load()
    except ImportError as error:
        raise ConfigurationError(str(error)) from error
    return adapter


def is_control_flow(error: Exception) -> bool:
    """Whether an exception is a framework's own signal, such as an interrupt, that a tool must let pass.

    Adapters name the modules whose exceptions these are in the entry-point group `plugbay.control_flow`, so that
    nothing needs to be imported to tell.
    """
    module = type(error).__module__
    return any(module == name or module.startswith(f"{name}.") for name in _points(CONTROL_FLOW))


@cache
def _points(group: str) -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points  # noqa: PLC0415 - dear at import, and needed by few

    return {point.name: point for point in entry_points(group=group)}
