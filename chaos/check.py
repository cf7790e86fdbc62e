"""What may be in the account after what was reported: the model that a run is held to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from plugbay.json_safe import dumps, is_object

__all__ = ["Reading", "Said", "Write", "wrong_with_reading", "wrong_with_write"]

REQUEST_TIMEOUT = 408
REFUSALS = range(400, 500)
LOST = " after"
"""How the names of faults end that may keep an answer, a refusal too, from its caller."""


@dataclass(frozen=True)
class Said:
    """What one call reported.

    Attributes:
        outcome: "ok", the error's code, or "cancelled".
        unknown: Whether the error said that the write may have been done all the same.
        broken_off: Whether the call was ended from outside, so that its last request may not have arrived.
        record: What came back.
        message: What the error said.
        retry_after: Seconds that it asked to wait.
        whole: Whether the record is as the service gave it, and not shortened for a model.
    """

    outcome: str
    unknown: bool = False
    broken_off: bool = False
    record: Any = None
    message: str = ""
    retry_after: float = 0.0
    whole: bool = True

    @property
    def is_done(self) -> bool:
        """Whether the write was reported as done."""
        return self.outcome == "ok"

    @property
    def is_certain(self) -> bool:
        """Whether the write was reported as certainly not done."""
        return not (self.is_done or self.unknown or self.outcome == "cancelled")


@dataclass
class Write:
    """A logical write: what was reported by each call that was made for it.

    Attributes:
        kind: "ticket", "comment" or "audit".
        job: The number of the operation.
        said: One for each call; they are equal calls, or one call and its repetitions.
    """

    kind: str
    job: int
    said: list[Said] = field(default_factory=list[Said])


@dataclass(frozen=True)
class Reading:
    """A list that was read to its end.

    Attributes:
        job: The number of the operation.
        name: Which list.
        ids: What it gave, in order.
        must: What was there from the beginning to the end, and was not changed: each once.
    """

    job: int
    name: str
    ids: Sequence[int]
    must: frozenset[int]


def wrong_with_write(
    write: Write, there: Sequence[Mapping[str, Any]], seen: Sequence[tuple[str, int | None, str]]
) -> Iterator[str]:
    """What is wrong with a write.

    Args:
        write: What was reported.
        there: The records in the account that it made.
        seen: The requests that arrived for it: method, status of the answer, and name of the fault.
    """
    done = [said for said in write.said if said.is_done]
    if len(there) > 1:
        yield f"the {write.kind} is there {len(there)} times"
    if done and not there:
        yield f"the {write.kind} was reported as done and is not there"
    if there and all(said.is_certain for said in write.said):
        yield f"the {write.kind} was reported as certainly not done ({_outcomes(write)}) and is there"
    for said in done:
        yield from _wrong_with_record(write.kind, said, there)
    if len(write.said) == 1 and write.said[0].unknown and not _may_be_done(write.said[0], seen):
        yield f"the fate was said to be unknown ({_outcomes(write)}), but each request was refused or none arrived"


def wrong_with_reading(reading: Reading) -> Iterator[str]:
    """What is wrong with a list that was read to its end."""
    times = Counter(reading.ids)
    missing = sorted(reading.must - times.keys())
    twice = sorted(number for number, count in times.items() if count > 1 and number in reading.must)
    if missing:
        yield f"{reading.name} left out {len(missing)} of {len(reading.must)} records, such as {missing[:5]}"
    if twice:
        yield f"{reading.name} gave {len(twice)} records more than once, such as {twice[:5]}"


def _wrong_with_record(kind: str, said: Said, there: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not there or kind == "audit":
        return
    if not is_object(said.record) or "id" not in said.record:
        yield f"the {kind} was reported as done with the record {dumps(said.record)[:300]}"
        return
    record = said.record
    is_whole = said.whole and kind == "ticket"
    names = record.keys() | there[0].keys() if is_whole else record.keys() & there[0].keys()
    wrong = sorted(name for name in names if record.get(name) != there[0].get(name))
    if wrong:
        facts = ", ".join(f"{name}: {record.get(name)!r} for {there[0].get(name)!r}" for name in wrong[:4])
        yield f"the {kind} was reported as another than it is ({facts})"


def _may_be_done(said: Said, seen: Iterable[tuple[str, int | None, str]]) -> bool:
    """Whether the caller cannot know; a request that was refused was certainly not carried out."""
    return said.broken_off or any(
        status not in REFUSALS or status == REQUEST_TIMEOUT or fault.endswith(LOST) for _, status, fault in seen
    )


def _outcomes(write: Write) -> str:
    return ", ".join(said.outcome for said in write.said)
