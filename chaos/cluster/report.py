"""The figures of a run of a cluster, and its violations, as text."""

from __future__ import annotations

from collections import Counter

from chaos.cluster.measure import Latency, of
from chaos.cluster.run import Report

__all__ = ["text_of"]

SHOWN = 30
KINDS = ("read", "list", "keyed create", "comment", "connect", "remove", "token")


def text_of(report: Report, seed: int) -> str:
    """Everything.

    Args:
        report: What came of the run.
        seed: Its.
    """
    books = report.books
    hard = [kill for kill in books.kills if kill.is_hard]
    lines = [
        (
            f"seed {seed}: {len(books.calls)} calls in {report.seconds:.0f} s; {len(hard)} processes killed, "
            f"{len(books.kills) - len(hard)} ended in good order"
        ),
        *(_line(kind, report) for kind in KINDS),
        f"a read at peace through one process: {_of(report.alone)}; through three: {_of(report.together)}",
        f"memory of the processes: {', '.join(f'{each:.0f}' for each in report.memory)} MiB",
        (
            f"pairs: {report.expiries} ends, {report.exchanges} exchanges, {report.refused} refused; "
            f"from Zendesk's answer to the commit: {_of(report.windows)}"
        ),
        (
            f"grants lost with a process that was killed in between: {len(books.lost)} "
            f"({', '.join(f'{1000 * lag:+.0f} ms' for lag in books.lags) or 'none'} after the answer)"
        ),
        f"writes in the audit log: {', '.join(f'{name} {count}' for name, count in report.audited.most_common())}",
        *(f"- {text}" for text in books.violations[:SHOWN]),
    ]
    if books.violations:
        lines.append(f"{len(books.violations)} VIOLATIONS")
    return "\n".join(lines)


def _line(kind: str, report: Report) -> str:
    calls = report.books.of(kind)
    outcomes = Counter(call.said.outcome for call in calls)
    told = ", ".join(f"{name} {count}" for name, count in outcomes.most_common())
    return f"{kind}: {told or 'none'}; {_of(of([call.seconds for call in calls]))}"


def _of(latency: Latency | None) -> str:
    if latency is None:
        return "not measured"
    return f"p50 {latency.p50:.1f} ms, p99 {latency.p99:.1f} ms, longest {latency.most:.0f} ms"
