"""How adapters are found, and which exceptions are a framework's own signals."""

from __future__ import annotations

import pytest

from plugbay.errors import ConfigurationError
from plugbay.tools.adapter import PLAIN, find_adapter, is_control_flow


def raised_in(module: str) -> Exception:
    """An exception of a class that says it is of `module`."""
    return type("Signal", (Exception,), {"__module__": module})()


@pytest.mark.parametrize(
    ("module", "passes"),
    [
        ("langgraph.errors", True),
        ("pydantic_ai.exceptions", True),
        ("langchain_core.tools.base", True),
        ("fastmcp.exceptions", True),
        ("agents.exceptions", False),
        ("agents", False),
        ("mcp.my_tools", False),
        ("langgraph.errors_of_mine", False),
        ("builtins", False),
    ],
)
def test_signals_are_told_by_their_module(module, passes):
    """Only the modules that adapters name hold signals; a user's own package of a framework's name holds none."""
    assert passes is is_control_flow(raised_in(module))


@pytest.mark.parametrize("name", [None, "none"])
def test_no_framework_is_plain(name):
    """Without a framework the envelope is handed over as it is."""
    assert find_adapter(name) is PLAIN


def test_unknown_framework_names_the_known():
    """An unknown framework is refused with those there are."""
    with pytest.raises(ConfigurationError, match="pydantic_ai"):
        find_adapter("nonesuch")
