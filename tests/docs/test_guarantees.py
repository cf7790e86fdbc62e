"""The table of guarantees names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", (ROOT / "docs/guarantees.md").read_text())))


def test_every_line_names_a_test():
    """No guarantee stands alone."""
    rows = [line for line in (ROOT / "docs/guarantees.md").read_text().splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    assert [] == [row for row in rows if "`tests/" not in row.rsplit("|", 2)[1]]


@pytest.mark.parametrize("named", NAMED)
def test_the_test_is_there(named):
    """A test that a guarantee names can be found where it says."""
    path, _, name = named.partition("::")
    tree = ast.parse((ROOT / path).read_text())
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert (name or next(each for each in functions if each.startswith("test_"))) in functions
