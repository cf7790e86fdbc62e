"""What a run is judged by: plain records of what was asked, seen and found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chaos.check import Said

__all__ = ["Call", "Entry", "Exchange", "Kill", "Standing"]


@dataclass(slots=True)
class Exchange:
    """A request for a new pair, as Zendesk saw it; times are seconds since the epoch.

    Attributes:
        spent: The digest of the refresh token that it brought.
        arrived: When.
        needed: Whether its pair was due or had ended by then.
        answered: When the answer was ready.
        gave: The digest of the new refresh token; None if it was refused.
    """

    spent: str
    arrived: float
    needed: bool
    answered: float | None = None
    gave: str | None = None


@dataclass(frozen=True, slots=True)
class Kill:
    """An end that a process was given.

    Attributes:
        at: Just before the signal was sent.
        done: Just after.
        member: Which process.
        is_hard: SIGKILL, and not SIGTERM.
    """

    at: float
    done: float
    member: int
    is_hard: bool


@dataclass(slots=True)
class Standing:
    """A connector and what became of it.

    Attributes:
        name: As it was made.
        connector_id: None if its creation was never answered.
        removal: "no", "asked" if the answer to its removal was lost, or "done".
        rows: How many connectors of this name the database has at the end.
        final: What a fresh call at the end came to: "ok" or an error's code; None if there was none.
        message: What the error said.
    """

    name: str
    connector_id: str | None = None
    removal: str = "no"
    rows: int = 0
    final: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that ended.

    Attributes:
        kind: What it was, as "read".
        began: Seconds since the epoch.
        seconds: How long it took.
        said: How it ended.
        excused: Why it may have failed; empty if it may not.
    """

    kind: str
    began: float
    seconds: float
    said: Said
    excused: str = ""


@dataclass(slots=True)
class Entry:
    """A write: what arrived for it, and what the audit log has of it; times are seconds since the epoch.

    Attributes:
        arrivals: When its requests came to Zendesk.
        noted: When its entries were made.
        outcomes: Of those entries.
    """

    arrivals: Sequence[float] = field(default_factory=list[float])
    noted: Sequence[float] = field(default_factory=list[float])
    outcomes: Sequence[str] = field(default_factory=list[str])
