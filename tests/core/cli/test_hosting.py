"""The command lines of `plugbay serve` and `plugbay admin`, as far as they need no server."""

from __future__ import annotations

import subprocess
import sys

import pytest

from plugbay.cli import main


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["serve", "--help"], "--reuse-port"),
        (["admin", "--help"], "audit"),
        (["admin", "client", "--help"], "revoke"),
        (["admin", "audit", "export", "--help"], "--since MOMENT"),
    ],
)
def test_help(capsys, arguments, expected):
    """Each command says what it takes."""
    with pytest.raises(SystemExit) as raised:
        main(arguments)

    assert 0 == raised.value.code
    assert expected in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["serve", "extra"],
        ["serve", "--port", "many"],
        ["serve", "--log-level", "loud"],
        ["admin"],
        ["admin", "client"],
        ["admin", "client", "create", "organization"],
        ["admin", "audit", "export", "organization", "--since", "yesterday"],
        ["admin", "audit", "export", "organization", "--since", "1850-01-01"],
    ],
)
def test_cannot_be_read(capsys, arguments):
    """A command line that cannot be read ends with status 2 and how it is written."""
    with pytest.raises(SystemExit) as raised:
        main(arguments)

    assert 2 == raised.value.code
    assert capsys.readouterr().err.startswith("usage: plugbay ")


def test_loads_no_server():
    """Neither the library nor the command line loads the server or what it needs, until it is run."""
    program = """
import sys, plugbay
from plugbay.cli.main import _parser
_parser()
print(sorted({"plugbay.server", "sqlalchemy", "starlette", "uvicorn", "alembic"} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "[]\n" == done.stdout
