"""Runs three processes of the server on a throw-away PostgreSQL, kills them under load, and prints what came of it.

    python -m chaos.cluster --seconds 60 --seed 1 --kills 12

It ends with status 1 if anything is wrong, and says what.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.server.postgres import postgres

from chaos.cluster.report import text_of
from chaos.cluster.run import run

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Runs, and gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m chaos.cluster", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the load goes on")
    parser.add_argument("--seed", type=int, default=1, help="decides what is done and what is killed")
    parser.add_argument("--kills", type=int, default=12, help="how many processes are ended meanwhile")
    parser.add_argument("--logs", type=Path, help="keep the processes' logs in this folder")
    given = parser.parse_args(arguments)
    with postgres() as url, tempfile.TemporaryDirectory() as temporary:
        folder = given.logs or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        report = asyncio.run(run(url, folder, seed=given.seed, seconds=given.seconds, kills=given.kills))
    print(text_of(report, given.seed))
    return 1 if report.books.violations else 0


if __name__ == "__main__":
    sys.exit(main())
