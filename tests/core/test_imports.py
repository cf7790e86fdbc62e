"""What importing costs, looked at in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

FRAMEWORKS = {"pydantic_ai", "langchain", "langchain_core", "langgraph", "agents", "openai", "fastmcp", "mcp"}
EXTRAS = {"starlette", "uvicorn", "griffe", "plugbay_adapters", "plugbay.sandbox", "concurrent.futures.process"}


def modules_after(code):
    code += "; import sys, json; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "code",
    [
        "import plugbay",
        "import plugbay.connectors.zendesk_support, plugbay.connectors.zendesk_talk",
        "from plugbay.connectors.zendesk_support import ZendeskSupportConnector as C; C.describe(); C.list_entities()",
        """\
from plugbay.connectors.zendesk_support import ZendeskSupportConnector as C
@C.tool_utils
async def f(entity: str, action: str, params: dict): ...
pass""",
    ],
)
def test_no_framework_is_imported(code):
    """Neither importing nor describing loads an agent framework, a web framework or an adapter."""
    loaded = modules_after(code)

    assert set() == loaded & (FRAMEWORKS | EXTRAS)


def test_importing_does_nothing():
    """Importing a connector starts no thread and opens no event loop."""
    code = "import plugbay.connectors.zendesk_support, threading, plugbay.sync; assert threading.active_count() == 1"

    assert "plugbay.sync" in modules_after(code)


def test_connector_is_built_without_sending():
    """Building a connector opens nothing: no client, no thread, no file."""
    code = (
        "from plugbay.connectors.zendesk_support import ZendeskSupportConnector as C\n"
        "from plugbay.connectors.zendesk_support.models import ZendeskSupportOauth20AuthConfig as A\n"
        "import socket, threading\n"
        "def refuse(*_): raise AssertionError\n"
        "socket.socket.connect = refuse\n"
        "C(auth_config=A(access_token='x'), subdomain='acme')\n"
        "assert threading.active_count() == 1"
    )

    assert modules_after(code)
