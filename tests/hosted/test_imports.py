"""What hosted connectors cost those who do without them, looked at in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"starlette", "uvicorn", "plugbay.sandbox", "plugbay.server", "asyncio", "plugbay_adapters"}


def modules_after(code):
    """The modules that are loaded when the code has run."""
    code += "\nimport sys, json; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "code",
    [
        "import plugbay",
        "from plugbay.types import AirbyteAuthConfig",
        "import plugbay.connectors.zendesk_support, plugbay.connectors.zendesk_talk",
        """\
from plugbay.connectors.zendesk_support import *
ZendeskSupportConnector(ZendeskSupportOauth20AuthConfig(access_token='x'), subdomain='acme')""",
    ],
)
def test_local_connectors_load_nothing_of_it(code):
    """A program with local connectors has no module of the hosted ones."""
    assert [] == [name for name in modules_after(code) if name.startswith("plugbay.hosted")]


def test_connecting_loads_little():
    """A hosted connector that is only described needs neither an event loop nor the workspace's module."""
    loaded = modules_after("from plugbay import connect\nconnect('zendesk-support').describe()")
    assert "plugbay.hosted.executor" in loaded
    assert set() == loaded & {*HEAVY, "plugbay.hosted.workspace", "plugbay.sync"}


def test_connecting_starts_nothing():
    """Connecting starts no thread."""
    code = (
        "from plugbay import connect\nconnect('zendesk-talk')\nimport threading\nassert threading.active_count() == 1"
    )
    assert "threading" in modules_after(code)
