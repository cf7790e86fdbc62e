"""The published connector pages: their blocks of code, and the copies of them that are kept here.

The copies in `seeds` are the pages' own text, whose indentation is lost; only the package's name is another.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

SEEDS = Path(__file__).parent / "seeds"
PAGES = next(
    (
        folder / "shared" / "seeds"
        for folder in Path(__file__).resolve().parents
        if (folder / "shared" / "seeds").is_dir()
    ),
    None,
)


def text_of(name: str) -> str:
    """The copy of a block."""
    return (SEEDS / f"{name}.txt").read_text(encoding="utf-8")


def restored(text: str) -> str:
    """The block with the indentation of its function put back: all from `def` to `return`."""
    lines, inside = [], False
    for line in text.splitlines():
        lines.append(f"    {line}" if inside else line)
        if line.startswith(("def ", "async def ")):
            inside = True
        elif line.startswith("return "):
            inside = False
    return "\n".join(lines) + "\n"


def blocks_of(page: str) -> list[str]:
    """The Python blocks of a page's text.

    A block begins with an import after a line that is none, and goes on as long as its lines are code; a heading
    of one word is not code, though it would parse.
    """
    lines = page.splitlines()
    starts = [
        number
        for number, line in enumerate(lines)
        if line.startswith("from ") and not lines[number - 1].startswith("from ")
    ]
    blocks = []
    for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True):
        end = next((number for number in range(start, stop) if lines[number].isalpha()), stop)
        while end > start and not parses(lines[start:end]):
            end -= 1
        blocks.append("\n".join(lines[start:end]) + "\n")
    return blocks


def parses(lines: list[str]) -> bool:
    """Whether lines are Python once their indentation is restored."""
    try:
        ast.parse(restored("\n".join(lines)))
    except SyntaxError:
        return False
    return True


def renamed(text: str) -> str:
    """The text with this project's package in place of the published one."""
    return text.replace("airbyte_agent_zendesk_talk", "plugbay.connectors.zendesk_talk").replace(
        "airbyte_agent_sdk", "plugbay"
    )


def curls_of(page: str) -> list[str]:
    """The shell commands of a page's text."""
    return [f"{found}\n" for found in re.findall(r"^curl .*?\}'$", page, re.MULTILINE | re.DOTALL)]
