"""Any module of the server can be the first that a program imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy")

import plugbay.server

ROOT = Path(plugbay.server.__file__).parent

EACH_ALONE = """
import importlib, os, sys
import plugbay.server, sqlalchemy, starlette, alembic, jinja2, uvicorn
for name in sys.argv[1:]:
    if os.fork() == 0:
        try:
            importlib.import_module(name)
        except BaseException as error:
            print(name, type(error).__name__, error, flush=True)
        os._exit(0)
    os.wait()
"""


def test_each_module_can_be_imported_first():
    """No room of the server, and no module beside them, needs that another was imported before it."""
    names = [
        ".".join(("plugbay", "server", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
        for path in sorted(ROOT.rglob("*.py"))
        if path.name == "__init__.py" or path.parent == ROOT
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", EACH_ALONE, *names], capture_output=True, text=True, env=environment, check=True
    )
    assert "" == done.stdout
