"""What docs/hosting.md says of settings, of the API and of commands is so."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy")
pytest.importorskip("uvicorn")

from tests.server.command import PATIENCE, served

from plugbay import cli, server
from plugbay.server.app import ENDPOINTS
from plugbay.server.setting_checks import variable_of
from plugbay.server.settings import Settings

TEXT = (Path(__file__).parents[2] / "docs" / "hosting.md").read_text(encoding="utf-8")
PREFIX = "/api/v1"


def section(title: str) -> str:
    return TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def first_cells(title: str) -> list[str]:
    return [line.split(" | ")[0] for line in section(title).splitlines() if line.startswith("| `")]


def without_names(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


def test_settings():
    """The table of settings has each of them, and nothing else."""
    named = {name for cell in first_cells("Settings") for name in re.findall(r"`(PLUGBAY_[A-Z_]+)`", cell)}
    own_app = {"PLUGBAY_OAUTH_ZENDESK_CLIENT_ID"}
    assert {variable_of(each.name) for each in fields(Settings) if each.name != "oauth_clients"} | own_app == named


def test_events():
    """The table of the audit log has each event that is noted, and nothing else."""
    named = {event for cell in first_cells("Audit") for event in re.findall(r"`([a-z_.]+)`", cell)}
    rooms = [Path(server.__file__).parent, Path(cli.__file__).parent]
    assert set().union(*(events_of(module) for room in rooms for module in room.rglob("*.py"))) == named - {"event"}


AT = {"tell_audit": 2, "tell_refusal": 2, "note": 0, "_note": 2}
"""The functions that note something, and the place of the event among their arguments."""


def events_of(module: Path) -> set[str]:
    """The events that a module notes, where it names them."""
    found = []
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            found += [each.value for each in node.keywords if each.arg == "event"]
            found += node.args[AT[name] :][:1] if name in AT else []
        elif isinstance(node, ast.AsyncFunctionDef):
            found += [
                value
                for each, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
                if each.arg == "event"
            ]
    return {each.value for each in found if isinstance(each, ast.Constant)}


def test_paths():
    """The table of the API has each method and path of it, and nothing else."""
    known = {(each.method, without_names(each.path)) for each in ENDPOINTS if each.path.startswith(PREFIX)}
    found = set()
    methods: list[str] = []
    for words in re.findall(r"`([A-Z]+(?: [/.]\S+)?)`", section("The API").partition("| What |")[2]):
        method, _, path = words.partition(" ")
        methods.append(method)
        if path:
            ending = without_names(path.removeprefix("..."))
            whole = [each for each in known if each[0] == method and each[1].endswith(ending)]
            exact = [each for each in whole if each[1] == PREFIX + ending] or whole
            assert 1 == len(exact), words
            found |= {(each, exact[0][1]) for each in methods}
            methods = []
    assert known == found


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("bash")), reason="the commands need both")
def test_commands(tmp_path):
    """The commands lead from a client's id and secret to a ticket and to a file, as they stand there."""
    commands = "".join(re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))
    with served(tmp_path / "a.db", "--sandbox") as running:
        zendesk = running.line["sandbox"]
        environment = {
            "PATH": os.environ["PATH"],
            "URL": running.line["url"],
            "CLIENT_ID": running.line["client_id"],
            "CLIENT_SECRET": running.line["client_secret"],
            "SUBDOMAIN": zendesk["subdomain"],
            "ZENDESK_TOKEN": zendesk["access_token"],
        }
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"TOKEN=\n{commands}"],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE,
        )  # fmt: skip

    assert (0, "") == (done.returncode, done.stderr)
    assert 1 == json.loads(done.stdout)["result"]["id"]
    assert (tmp_path / "file").stat().st_size > 0
