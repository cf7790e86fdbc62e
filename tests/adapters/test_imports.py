"""What an import costs: nothing of a framework before it is asked for, and only its own then."""

from __future__ import annotations

import subprocess
import sys

import pytest

FRAMEWORKS = {
    "pydantic_ai": "pydantic_ai",
    "langchain": "langchain_core",
    "openai_agents": "agents",
    "fastmcp": "fastmcp",
}
EXTRAS = {
    "pydantic_ai": "pydantic-ai",
    "langchain": "langchain",
    "openai_agents": "openai-agents",
    "fastmcp": "fastmcp",
}


def python(code):
    """What a fresh process prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_library_imports_no_framework():
    """Connectors, tools, a decorated function and a failing call of it come without any framework."""
    code = f"""
import asyncio, sys, plugbay, plugbay_adapters
from plugbay.connectors.zendesk_support import ZendeskSupportConnector
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector
@ZendeskSupportConnector.tool_utils
async def tool(entity: str, action: str, params: dict | None = None):
    raise ValueError
assert "error" in asyncio.run(tool("tickets", "get"))
print([name for name in {[*FRAMEWORKS.values(), "langchain", "langgraph", "mcp", "openai"]} if name in sys.modules])
"""
    assert python(code) == "[]"


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_an_adapter_imports_its_own_framework_only(name):
    """Importing one adapter leaves the other three frameworks alone."""
    pytest.importorskip(FRAMEWORKS[name])
    loaded = python(f"""
import sys, {FRAMEWORKS[name]}  # some frameworks import others themselves
without = set(sys.modules)
import plugbay_adapters.{name}
print([each for each in {list(FRAMEWORKS.values())} if each in set(sys.modules) - without])
""")

    assert loaded == "[]"


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_missing_framework_is_named_with_its_extra(name):
    """Without the framework the import says what to install, and so does `tool_utils(framework=...)`."""
    code = f"""
import sys
sys.modules[{FRAMEWORKS[name]!r}] = None
from plugbay import ConfigurationError, tool_utils
try:
    import plugbay_adapters.{name}
except ImportError as error:
    print(error)
try:
    tool_utils(framework={name!r})(lambda: None)
except ConfigurationError as error:
    print(error.message)
"""
    lines = python(code).splitlines()

    assert len(lines) == 2
    assert lines[0] == lines[1]
    assert lines[0].endswith(f'pip install "plugbay[{EXTRAS[name]}]"')
