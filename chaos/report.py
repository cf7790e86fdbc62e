"""The figures of a run, and its violations, as text."""

from __future__ import annotations

from collections import Counter

from chaos.rounds import Report

__all__ = ["Total"]

SHOWN = 20
"""Violations that are told of one round."""

WIDTH = 112


class Total:
    """The sum of all rounds.

    Args:
        seed: Of the run.

    Attributes:
        violations: How many there are so far.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._figures: Counter[str] = Counter()
        self._outcomes: Counter[tuple[str, str]] = Counter()
        self._faults: Counter[str] = Counter()
        self._seconds = self._waited = self._overrun = 0.0
        self.violations = 0

    def add(self, report: Report) -> None:
        """Adds a round, and prints a line of it and what is wrong."""
        books, plan = report.books, report.plan
        self._figures.update(books.figures)
        self._figures["operations"] += report.done
        self._figures["rounds"] += 1
        self._figures["requests"] += report.truth["count"]
        self._figures["requests that failed on purpose"] += sum(report.truth["faults"].values())
        self._figures["answers of 429"] += report.truth["throttled"]
        self._figures["log records read"] += report.records
        self._figures["writes checked"] += len(books.writes)
        self._figures["lists checked"] += len(books.readings)
        self._outcomes.update(books.outcomes)
        self._faults.update(report.truth["faults"])
        self._seconds += report.seconds
        self._waited += books.waited
        self._overrun = max(self._overrun, books.overrun)
        self.violations += len(books.violations)
        print(
            f"round {plan.name}: plan {plan.plan}, {plan.share:.0%} faults, timeout {plan.timeout:g} s, "
            f"{report.done} operations, {report.truth['count']} requests, {report.seconds:.1f} s, "
            f"{len(books.violations)} violations",
            *(_told(report, job, text) for job, text in books.violations[:SHOWN]),
            sep="\n",
            flush=True,
        )

    def text(self) -> str:
        """Everything."""
        lines = [
            (
                f"seed {self._seed}: {self._seconds:.1f} real seconds; calls waited {self._waited:.0f} seconds of the "
                f"run's own time; the latest call ended {self._overrun:.2f} real seconds after its deadline"
            ),
            *_listed("figures", self._figures),
            *_listed("faults", self._faults),
            *_listed("outcomes", _summed(self._outcomes)),
        ]
        if self.violations:
            lines.append(f"{self.violations} VIOLATIONS")
        return "\n".join(lines)


def _told(report: Report, job: int | None, text: str) -> str:
    plan = report.plan
    lines = [f"- {text}"]
    if job is not None:
        lines.append(f"  operation {job}: {plan.jobs[job]}")
    lines.append(f"  again: python -m chaos --seed {plan.seed} --round {plan.number} --operations {len(plan.jobs)}")
    return "\n".join(lines)


def _summed(outcomes: Counter[tuple[str, str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for (kind, outcome), count in outcomes.items():
        total["ok" if outcome == "ok" else outcome] += count
        total[f"{kind} ok" if outcome == "ok" else f"{kind} not ok"] += count
    return total


def _listed(title: str, figures: Counter[str]) -> list[str]:
    lines, line = [f"{title}:"], " "
    for name, count in figures.most_common():
        part = f" {name} {count:,};"
        if len(line) + len(part) > WIDTH:
            lines.append(line)
            line = " "
        line += part
    return [*lines, line.rstrip(";")]
