"""The command line."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import plugbay
from plugbay.cli import main
from plugbay.cli.catalogue import _pair
from plugbay.cli.cost import cost
from plugbay.connectors.zendesk_support import ZendeskSupportConnector


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    """The shell's own Zendesk is none of ours."""
    import os

    for name in [name for name in os.environ if name.startswith("ZENDESK_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def zendesk(monkeypatch):
    """A sandbox whose credentials are in the environment."""
    pytest.importorskip("starlette")
    pytest.importorskip("uvicorn")
    from plugbay.sandbox import Sandbox

    with Sandbox(seed=1, tickets=5, calls=5) as sandbox:
        monkeypatch.setenv("ZENDESK_ACCESS_TOKEN", sandbox.access_token)
        yield sandbox


def failure(capsys, *arguments):
    """The one line that a failing command prints."""
    assert 1 == main(arguments)
    printed = capsys.readouterr()
    assert "" == printed.out
    assert 1 == printed.err.count("\n")
    return printed.err.rstrip("\n")


class TestTools:
    """`plugbay tools`."""

    @pytest.mark.parametrize("names", [(), ("tickets",), ("tickets", "update")])
    def test_text(self, capsys, names):
        """The text is what describe() gives, and what it costs."""
        assert 0 == main(["tools", "zendesk-support", *names])

        text = ZendeskSupportConnector.describe(*names)
        assert f"{text}\n\n[{len(text):,} characters, about {-(-len(text) // 4):,} tokens]\n" == capsys.readouterr().out

    def test_json(self, capsys):
        """With --json it is the schema of the tool's, or of one action's, arguments."""
        assert 0 == main(["tools", "zendesk-support", "--json"])
        tool = json.loads(capsys.readouterr().out)
        assert 0 == main(["tools", "zendesk-support", "tickets", "get", "--json"])
        action = json.loads(capsys.readouterr().out)

        assert ["entity", "action"] == tool["required"]
        assert ["ticket_id"] == action["required"]

    def test_unknown(self, capsys):
        """An unknown connector, entity or action is one line with the nearest."""
        assert failure(capsys, "tools", "zendesk-suport").startswith(
            "plugbay: connector_not_found: There is no connector named 'zendesk-suport'. Did you mean 'zendesk-support'?"
        )
        assert "Did you mean 'tickets'?" in failure(capsys, "tools", "zendesk-support", "ticket")
        assert "Did you mean 'get'?" in failure(capsys, "tools", "zendesk-support", "tickets", "gett")


class TestCall:
    """`plugbay call`."""

    def test_call(self, capsys, zendesk):
        """An action is run with credentials from the environment and printed as JSON."""
        arguments = ["call", "zendesk-support", "tickets", "list", "limit=2", "--base-url", zendesk.base_url]
        assert 0 == main([*arguments, "--select-fields", "id,status"])

        result = json.loads(capsys.readouterr().out)
        assert 2 == result["meta"]["count"]
        assert [{"id", "status"}] * 2 == [set(ticket) for ticket in result["data"]]

    def test_write(self, capsys, zendesk):
        """A person at the shell may write; objects are given as JSON."""
        arguments = ["call", "zendesk-support", "tickets", "create", "--base-url", zendesk.base_url]
        assert 0 == main([*arguments, "subject=007", 'comment={"body": "b"}', "tags=a,b"])

        ticket = json.loads(capsys.readouterr().out)["data"]
        assert ("007", ["a", "b"]) == (ticket["subject"], sorted(ticket["tags"]))

    def test_service_error(self, capsys, zendesk):
        """A failure of the service is one line and status 1."""
        line = failure(
            capsys, "call", "zendesk-support", "tickets", "get", "ticket_id=999999", "--base-url", zendesk.base_url
        )

        assert line.startswith("plugbay: not_found: ")

    def test_without_credentials(self, capsys):
        """Without credentials nothing is sent, and the line says what to set."""
        line = failure(capsys, "call", "zendesk-support", "tickets", "list")

        assert line.startswith("plugbay: configuration: ")
        assert "ZENDESK_ACCESS_TOKEN" in line

    def test_refused_arguments(self, capsys, monkeypatch):
        """Wrong arguments are one line with the right call."""
        monkeypatch.setenv("ZENDESK_ACCESS_TOKEN", "t")
        monkeypatch.setenv("ZENDESK_SUBDOMAIN", "acme")

        assert "Write name=value" in failure(capsys, "call", "zendesk-support", "tickets", "get", "5")
        assert "given twice" in failure(capsys, "call", "zendesk-support", "tickets", "get", "a=1", "a=2")
        assert '{"ticket_id":"<int>"}' in failure(capsys, "call", "zendesk-support", "tickets", "get", "ticket_id=x")

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("a=5", "5"), ("a=007", "007"), ("a=NaN", "NaN"), ("a=1e5", "1e5"), ("a=", ""), ("a=b=c", "b=c"),
            ("a=null", None), ('a="null"', "null"), ('a="x', '"x'), ("a=[1", "[1"), ("a=true", "true"),
        ],
    )  # fmt: skip
    def test_values(self, text, expected):
        """A value stays the text it is unless it is null or a quoted JSON text; what is wanted decides the rest."""
        assert ("a", expected) == _pair(text)


class TestCommand:
    """The command itself."""

    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["nonsense"],
            ["tools"],
            ["call", "zendesk-support"],
            ["tools", "a", "b", "c", "d"],
            ["call", "a", "b", "c", "--nonsense", "d=1"],
        ],
    )
    def test_unreadable(self, capsys, arguments):
        """A command line that cannot be read ends with status 2 and the usage."""
        with pytest.raises(SystemExit) as caught:
            main(arguments)

        assert 2 == caught.value.code
        assert capsys.readouterr().err.startswith("usage: plugbay")

    def test_version(self, capsys):
        """--version prints the version."""
        with pytest.raises(SystemExit) as caught:
            main(["--version"])

        assert 0 == caught.value.code
        assert f"plugbay {plugbay.__version__}\n" == capsys.readouterr().out

    def test_as_a_module(self):
        """`python -m plugbay.cli` is the same command."""
        command = [sys.executable, "-m", "plugbay.cli", "tools", "nothing"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)

        assert (1, "") == (done.returncode, done.stdout)
        assert done.stderr.startswith("plugbay: connector_not_found: ")

    def test_loads_only_what_it_needs(self):
        """`plugbay tools` loads no sandbox and no agent framework."""
        code = (
            "from plugbay.cli import main; import sys; main(['tools', 'zendesk-talk']);"
            "sys.exit(any(name in sys.modules for name in ['plugbay.sandbox', 'starlette', 'pydantic_ai', 'langchain_core']))"
        )

        assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_cost():
    """A cost is in characters and, roughly, tokens."""
    assert "4,001 characters, about 1,001 tokens" == cost("x" * 4_001)
