"""Runs rounds until enough operations were done, and prints what came of them.

    python -m chaos --seed 1 --operations 5000
    python -m chaos --seed 1 --round 3            # one round again

It ends with status 1 if anything is wrong, and says what.
"""

from __future__ import annotations

import argparse
import sys
import time

from chaos.plan import plan_of
from chaos.plants import PLANTS
from chaos.report import Total
from chaos.rounds import run_round, warm_up

__all__ = ["main"]

PER_ROUND = 500


def main(arguments: list[str] | None = None) -> int:
    """Runs, and gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--seed", type=int, default=1, help="decides everything, as far as concurrency allows")
    parser.add_argument("--operations", type=int, default=PER_ROUND, help="how many in all")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no more operations after so long")
    parser.add_argument("--workers", type=int, default=16, help="how many operations are under way at once")
    parser.add_argument("--round", type=int, help="run this round alone")
    parser.add_argument("--plant", choices=sorted(PLANTS), help="plant a defect, to see that it is found")
    given = parser.parse_args(arguments)
    until = time.monotonic() + given.seconds
    warm_up()
    total, number, left = Total(given.seed), given.round or 0, given.operations
    while left > 0 and time.monotonic() < until:
        plan = plan_of(given.seed, number, min(left, PER_ROUND))
        report = run_round(plan, given.workers, PLANTS.get(given.plant), until)
        total.add(report)
        left, number = (0 if given.round is not None else left - len(plan.jobs)), number + 1
    print(total.text())
    return 1 if total.violations else 0


if __name__ == "__main__":
    sys.exit(main())
