"""What a run of a cluster has done and seen so far."""

from __future__ import annotations

from chaos.check import Reading, Write
from chaos.cluster.facts import Call, Kill, Standing

__all__ = ["Books"]


class Books:
    """The notes of one run, of one event loop.

    Attributes:
        calls: Those that ended.
        kills: Of the processes.
        writes: Each logical write by its mark.
        readings: Lists that were read to their end.
        standings: The connectors by their names.
        lost: The digests of refresh tokens whose successor was lost, and when that was mended.
        lags: For each, the seconds between Zendesk's answer and the kill.
        violations: What is wrong.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.kills: list[Kill] = []
        self.writes: dict[str, Write] = {}
        self.readings: list[Reading] = []
        self.standings: dict[str, Standing] = {}
        self.lost: dict[str, float] = {}
        self.lags: list[float] = []
        self.violations: list[str] = []

    def violation(self, text: str) -> None:
        """Something is wrong."""
        if text not in self.violations:
            self.violations.append(text)

    def of(self, kind: str) -> list[Call]:
        """The calls of a kind."""
        return [call for call in self.calls if call.kind == kind]
