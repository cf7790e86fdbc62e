"""The image's recipe, as far as it can be held against the project without an engine that builds it."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECIPE = (ROOT / "Containerfile").read_text()
COMMANDS = [line.replace("\\\n", " ") for line in re.findall(r"^[A-Z]+ (?:.*\\\n)*.*$", RECIPE, re.MULTILINE)]


def arguments(word):
    """What stands behind each instruction of a kind."""
    return [command.removeprefix(f"{word} ").strip() for command in COMMANDS if command.startswith(f"{word} ")]


def copied():
    """The project's own files that are copied in."""
    return [name for each in arguments("COPY") if "--from" not in each for name in each.split()[:-1]]


def test_sources():
    """What is copied in is there, and .dockerignore lets it through."""
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    assert all((ROOT / name).exists() for name in copied())
    assert set(copied()) == let_through


def test_packages():
    """All packages of the wheel, and the files that its build reads, are copied in."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = {Path(name).parts[0] for name in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}
    needed |= {"pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]}

    assert needed == set(copied())


def test_extras():
    """The extras that are installed are the project's, and the server's is among them."""
    (installed,) = re.findall(r"pip install --no-cache-dir \"\.\[(.*)\]\"", RECIPE)
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]

    assert set(installed.split(",")) <= known.keys()
    assert "server" in installed.split(",")


def test_install_command():
    """Its install command is one that the README gives for the project itself: pip, with extras in brackets."""
    readme = (ROOT / "README.md").read_text()

    assert 'python -m pip install ".[' in readme
    assert 'python -m pip install --no-cache-dir ".[' in RECIPE


def test_user():
    """What it runs is nobody's root, and its data lies where that user may write."""
    assert ["plugbay"] == arguments("USER")
    assert ["/data"] == arguments("VOLUME")
    assert COMMANDS.index("USER plugbay") < COMMANDS.index('CMD ["plugbay", "serve"]')


@pytest.mark.parametrize("word", ["CMD"])
def test_command(word):
    """What it starts is a command of plugbay's, in the form that takes signals itself."""
    assert ["plugbay", "serve"] == json.loads(arguments(word)[-1])


def test_settings():
    """Each variable that it sets is a setting of the server, with a value that can be read."""
    pytest.importorskip("sqlalchemy")
    from plugbay.server.settings import Settings

    values = dict(part.split("=", 1) for each in arguments("ENV") for part in each.split())
    ours = {name: value for name, value in values.items() if name.startswith("PLUGBAY_")}
    settings = Settings.from_environment(ours)

    assert {"PLUGBAY_HOST", "PLUGBAY_PORT", "PLUGBAY_DATABASE_URL"} == ours.keys()
    assert arguments("EXPOSE") == [str(settings.port)]
    assert "sqlite:////data/plugbay.db" == settings.database_url


def test_health_check():
    """Its health check is Python that compiles, and asks the server's own address."""
    (check,) = arguments("HEALTHCHECK")
    command = json.loads(check[check.index("[") :])

    assert ["python", "-c"] == command[:2]
    assert compile(command[2], "health", "exec")
    assert "/health" in command[2]
