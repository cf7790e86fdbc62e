"""What a round does: a list of jobs, decided by its seed alone."""

from __future__ import annotations

import random
from dataclasses import dataclass

__all__ = ["CONNECTORS", "PLANS", "Job", "Round", "plan_of"]

CONNECTORS = ("token", "basic", "pair", "pair too", "client", "talk", "talk pair")
"""By their credentials; the pairs share one store, as the connectors of one program do."""

SUPPORT = tuple(name for name in CONNECTORS if not name.startswith("talk"))
TALK = ("talk", "talk pair")
PLANS = ("team", "professional", "enterprise", "enterprise_plus")
SHARES = (0.03, 0.1, 0.25)
TIMEOUTS = (20.0, 40.0, 60.0)

_WEIGHTS = {
    "create": 22, "create and insist": 8, "tool call repeated": 8, "tool call raced": 4, "comment": 16, "update": 10,
    "get": 12, "page": 8, "read all": 3, "read on": 3, "export": 2, "calls": 2, "download": 4, "check": 2, "search": 3,
    "refused": 2, "denied": 1, "close": 1,
}  # fmt: skip

_CANCELLED_SHARE = 0.08
_WAYS = ("typed", "execute", "tool")


@dataclass(frozen=True)
class Job:
    """One operation of a round.

    Attributes:
        number: Its place in the plan.
        kind: What is done.
        mark: What tells its write from all others.
        connector: Through which connector.
        way: By a typed call, `execute()`, or a model's tool call; a worker without an event loop uses the sync face.
        size: A number for what has one: a ticket, a limit, an offset.
        cancel_after: Seconds after which it is cancelled, if it is.
    """

    number: int
    kind: str
    mark: str
    connector: str
    way: str
    size: int
    cancel_after: float | None = None


@dataclass(frozen=True)
class Round:
    """A round and what is in force in it.

    Attributes:
        seed: Of the run.
        number: Of the round.
        plan: Whose rate limits are in force.
        share: The part of all requests that fail.
        timeout: Seconds that a call may take.
        expire_every: After how many requests all renewable access tokens end before their time.
        jobs: What is done.
    """

    seed: int
    number: int
    plan: str
    share: float
    timeout: float
    expire_every: int
    jobs: tuple[Job, ...]

    @property
    def name(self) -> str:
        """What decides everything in it."""
        return f"{self.seed}:{self.number}"


def plan_of(seed: int, number: int, operations: int) -> Round:
    """The round of that number.

    Args:
        seed: Of the run.
        number: Of the round, counted from 0.
        operations: How many jobs it has.
    """
    rng = random.Random(f"{seed}:{number}")
    return Round(
        seed=seed,
        number=number,
        plan=rng.choice(PLANS),
        share=rng.choice(SHARES),
        timeout=rng.choice(TIMEOUTS),
        expire_every=rng.choice((100, 250, 600)),
        jobs=tuple(_job(rng, number, place) for place in range(operations)),
    )


def _job(rng: random.Random, round_number: int, place: int) -> Job:
    kind = rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    names = TALK if kind == "calls" else CONNECTORS if kind in {"check", "close"} else SUPPORT
    connector, way, size = rng.choice(names), rng.choice(_WAYS), rng.randrange(1, 10_000)
    cancelled, after = rng.random() < _CANCELLED_SHARE, rng.choice((0.0, 0.2, 1.0, 3.0)) * rng.random()
    return Job(place, kind, f"chaos-{round_number}-{place}", connector, way, size, after if cancelled else None)
