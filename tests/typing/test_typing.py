"""The type checkers agree with `api.py`."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
API = Path(__file__).with_name("api.py")


def check(*command: str):
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed")
def test_mypy():
    """Mypy sees the types a user is promised, and refuses every line that is marked."""
    check("mypy", "--strict", "--follow-imports=silent", str(API))


@pytest.mark.skipif(importlib.util.find_spec("pyright") is None, reason="pyright is not installed")
def test_pyright():
    """Pyright sees the same."""
    check("pyright", "--pythonpath", sys.executable, str(API))
