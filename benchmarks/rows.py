"""A line of the table."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["HEADING", "Row"]

HEADING = f"{'':<52}{'ours':>10}{'baseline':>10}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Args:
        what: What is measured.
        ours: The figure of this library.
        baseline: The figure of what it is held against; None where there is nothing to hold it against.
        unit: Of both figures.
        target: What the ratio, or with `absolute` the figure itself, is to reach.
        more_is_better: Whether the target is the least and not the most.
        absolute: Whether the target is a figure in the row's unit and no ratio.
    """

    what: str
    ours: float
    baseline: float | None
    unit: str
    target: float | None = None
    more_is_better: bool = False
    absolute: bool = False

    def text(self) -> str:
        """The line."""
        baseline = "" if self.baseline is None else f"{self.baseline:.2f}"
        ratio = self.ratio
        told = "" if ratio is None else f"{ratio:.2f}x"
        return f"{self.what:<52}{self.ours:>10.2f}{baseline:>10} {self.unit:<6}{told:>8}{self._verdict(ratio)}"

    @property
    def ratio(self) -> float | None:
        """Ours as a multiple of the baseline."""
        return None if self.baseline is None else self.ours / self.baseline

    def _verdict(self, ratio: float | None) -> str:
        reached = self.ours if self.absolute else ratio
        if self.target is None or reached is None:
            return ""
        is_met = reached >= self.target if self.more_is_better else reached <= self.target
        sign, unit = (">=" if self.more_is_better else "<="), (f" {self.unit}" if self.absolute else "x")
        return f"   target {sign}{self.target:.2f}{unit}  {'met' if is_met else 'MISSED'}"
