"""A run finds the defects that are planted, and nothing where none is."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.chaos.conftest import ROOT

FOUND = {
    "late": "real seconds after its deadline; ",
    "leak": "a file is left: socket:",
    "lie": "the ticket was reported as done and is not there",
    "skip": "of tickets left out ",
    "sure": "the comment is there 2 times",
    "tell": "the log plugbay.transport shows a secret at DEBUG: ...sent Bearer <secret>",
    "twice": "the ticket is there 2 times",
    "unnamed": "an unnamed exception: Traceback",
}
"""Each defect, and what is to be said of it."""

SEED = 33
"""A seed whose first round is quick, and has the faults that the defects need."""


BESIDE = 3
"""Runs at once: they wait more than they work, but their deadlines are of real time, and short."""

TRIES = 3
"""Runs in which a defect must be found: one that the machine holds up does less before its deadlines."""


def run(plant):
    """What was said, and the status, of the first run that found the defect, or of the last."""
    command = [sys.executable, "-m", "chaos", f"--seed={SEED}", "--operations=60", "--workers=8", f"--plant={plant}"]
    for _ in range(TRIES):
        done = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if FOUND.get(plant, "") in done.stdout:
            break
    return done.stdout, done.returncode


@pytest.fixture(scope="module")
def runs():
    """What came of each defect, and of none, which is tried once: nothing may ever be found there."""
    plants = ("nothing", *FOUND)
    with ThreadPoolExecutor(BESIDE) as threads:
        return dict(zip(plants, threads.map(run, plants), strict=True))


@pytest.mark.parametrize("plant", FOUND)
def test_a_planted_defect_is_found(runs, plant):
    """The run fails, and says what is wrong."""
    text, status = runs[plant]
    assert FOUND[plant] in text
    assert 1 == status


def test_nothing_is_found_where_nothing_is(runs):
    """Without a defect, through the same way as the planted ones, nothing is wrong."""
    text, status = runs["nothing"]
    assert "VIOLATIONS" not in text
    assert 0 == status, text
