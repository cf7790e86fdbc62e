"""The generated reference is what the connectors say today."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_reference_is_up_to_date() -> None:
    """Each page equals what `python docs/generate.py` would write now."""
    pages = runpy.run_path(str(ROOT / "docs" / "generate.py"))["pages"]()

    assert pages
    for path, text in pages.items():
        assert text == path.read_text(encoding="utf-8"), f"run python docs/generate.py: {path.name} is old"


def test_links_lead_somewhere() -> None:
    """Every relative link of README and docs is a file of the project."""
    import re

    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
