"""What is shipped: the wheel and the sdist of `PLUGBAY_DIST`, a folder with one of each."""

from __future__ import annotations

import configparser
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

DIST = os.environ.get("PLUGBAY_DIST")
ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(DIST is None, reason="PLUGBAY_DIST names no built distributions")


@pytest.fixture(scope="module")
def wheel() -> zipfile.ZipFile:
    return zipfile.ZipFile(next(Path(DIST or "").glob("*.whl")))


@pytest.fixture(scope="module")
def sdist() -> tarfile.TarFile:
    return tarfile.open(next(Path(DIST or "").glob("*.tar.gz")))


def _read(wheel: zipfile.ZipFile, ending: str) -> str:
    return wheel.read(next(name for name in wheel.namelist() if name.endswith(ending))).decode()


def test_wheel_holds_every_source_file_once(wheel: zipfile.ZipFile) -> None:
    """The wheel holds each file of the three packages, once, and nothing else but its metadata."""
    sources = {
        str(path.relative_to(root)): path
        for root in (ROOT / "core", ROOT / "adapters", ROOT / "examples")
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    names = [name for name in wheel.namelist() if ".dist-info/" not in name]

    assert sorted(sources) == sorted(names)


def test_wheel_is_typed(wheel: zipfile.ZipFile) -> None:
    """Both import packages say that they carry their types."""
    assert {"plugbay/py.typed", "plugbay_adapters/py.typed"} <= set(wheel.namelist())


def test_wheel_carries_the_licence(wheel: zipfile.ZipFile) -> None:
    """The licence and the notice travel with the wheel, and the metadata names the licence."""
    names = {name.rpartition("/")[2] for name in wheel.namelist()}

    assert {"LICENSE", "NOTICE"} <= names
    assert "License-Expression: Apache-2.0" in _read(wheel, "METADATA")


def test_extras_are_the_promised_ones(wheel: zipfile.ZipFile) -> None:
    """One extra for each framework, those for the server, the sandbox and what they work with, and all."""
    extras = {
        line.partition(": ")[2] for line in _read(wheel, "METADATA").splitlines() if line.startswith("Provides-Extra")
    }

    frameworks = {"pydantic-ai", "langchain", "openai-agents", "fastmcp"}
    assert frameworks | {"server", "keyring", "otel", "sandbox", "all"} == extras


def test_entry_points_name_files_that_are_there(wheel: zipfile.ZipFile) -> None:
    """Every entry point's module is in the wheel."""
    points = configparser.ConfigParser(delimiters=("=",))
    points.read_string(_read(wheel, "entry_points.txt"))
    modules = {value.partition(":")[0].replace(".", "/") for group in points for value in points[group].values()}

    assert modules
    for module in modules:
        assert f"{module}.py" in wheel.namelist() or f"{module}/__init__.py" in wheel.namelist()


def test_sdist_can_be_worked_on(sdist: tarfile.TarFile) -> None:
    """The sdist holds sources, tests and the files that run them, and no caches."""
    names = {name.partition("/")[2] for name in sdist.getnames()}

    assert {"pyproject.toml", "noxfile.py", "Containerfile", "README.md", "LICENSE", "NOTICE", "CHANGELOG.md"} <= names
    assert any(name.startswith("tests/") for name in names)
    assert not [name for name in names if "__pycache__" in name or "_cache/" in name]
