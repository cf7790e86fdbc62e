"""Prints the whole table: ours beside its baselines, measured in one run.

    python benchmarks/run.py [--rounds N] [--only NAME ...]

Times are CPU times, the best of several rounds taken in turns, since a shared machine only ever makes them
longer. Each group's module says what is measured, against what, and what it is to reach. Memory is read from
`/proc`, so the whole table needs Linux.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module

from rows import HEADING, Row

GROUPS = {
    "imports": "imports",
    "calls": "calls",
    "throughput": "throughput",
    "walking": "walking",
    "downloads": "downloads",
    "tenants": "tenants",
    "tool-text": "tool_text",
    "hosting": "hosting",
}
"""What `--only` takes, and the module and function of that."""


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="Figures of this library beside their baselines.")
    parser.add_argument("--rounds", type=int, default=15, help="how often each figure is taken; the best counts")
    parser.add_argument("--only", action="append", choices=GROUPS, metavar="NAME", help=f"of {', '.join(GROUPS)}")
    given = parser.parse_args()
    print(HEADING)
    for name in given.only or GROUPS:
        measure: Callable[[int], list[Row]] = getattr(import_module(GROUPS[name]), GROUPS[name])
        for row in measure(given.rounds):
            print(row.text(), flush=True)


if __name__ == "__main__":
    main()
