"""The promises of a cluster, and what breaks them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from chaos.cluster.facts import Call, Entry, Exchange, Kill, Standing

__all__ = [
    "AFTER",
    "killed_within",
    "wrong_with_call",
    "wrong_with_connector",
    "wrong_with_entry",
    "wrong_with_exchanges",
    "wrong_with_leftovers",
    "wrong_with_log",
]

BEFORE, AFTER = 0.5, 2.0
"""Seconds that a kill may be before a request's arrival, or after its answer, to have come between it and the commit."""

TRIES = 3
"""How often the client sends what can be repeated, if nothing else is asked for."""

MUST_SUCCEED = frozenset({"read", "list", "keyed create", "token"})
"""What can be repeated without harm, so that the client repeats it until its deadline."""

_STRAY = re.compile(
    r"Traceback \(most recent call last\)|never retrieved|was never awaited|Unclosed|\"level\": ?\"error\""
)


def wrong_with_connector(standing: Standing) -> Iterator[str]:
    """What is wrong with a connector at the end."""
    name, answered = standing.name, standing.connector_id is not None
    if standing.rows > 1:
        yield f"the connector {name} is there {standing.rows} times"
    if standing.removal == "done":
        if standing.rows:
            yield f"the connector {name} was reported as removed and is there"
        return
    if answered and standing.removal == "no" and not standing.rows:
        yield f"the connector {name} was reported as made and is not there"
    if standing.rows == 1 and standing.final not in (None, "ok"):
        yield f"the connector {name} does not work at the end: {standing.final}: {standing.message}"


def wrong_with_exchanges(
    exchanges: Sequence[Exchange], lost: frozenset[str] | set[str], kills: Sequence[Kill]
) -> Iterator[str]:
    """What is wrong with how pairs were renewed.

    Args:
        exchanges: In the order of their arrival.
        lost: The digests of refresh tokens that were spent, and whose successor never came into the database.
        kills: Of the processes.
    """
    spent: dict[str, Exchange] = {}
    for exchange in exchanges:
        first = spent.setdefault(exchange.spent, exchange)
        if first is exchange and not exchange.needed:
            yield "a pair was renewed that was neither due nor ended"
        if first is exchange and exchange.gave is None:
            yield "a refresh token that nobody had used was refused"
        if first is not exchange and exchange.spent not in lost:
            yield f"a refresh token was used twice, {exchange.arrived - first.arrived:.3f} s after its first use"
    for token in lost:
        if token not in spent:
            yield "a refresh token was lost that was never used"
        elif killed_within(spent[token], kills) is None:
            yield "a new pair did not come into the database, though no process was killed meanwhile"


def killed_within(exchange: Exchange, kills: Iterable[Kill]) -> Kill | None:
    """The kill that may have come between an exchange and the commit of its pair."""
    end = (exchange.arrived if exchange.answered is None else exchange.answered) + AFTER
    hard = (kill for kill in kills if kill.is_hard)
    return next((kill for kill in hard if kill.done >= exchange.arrived - BEFORE and kill.at <= end), None)


def wrong_with_call(call: Call, kills: Iterable[Kill] = ()) -> Iterator[str]:
    """What is wrong with how a call ended; one whose every try met another kill may fail."""
    said, ended = call.said, call.began + call.seconds
    met = sum(call.began <= kill.done and kill.at <= ended for kill in kills)
    if said.outcome == "unnamed":
        yield f"a {call.kind} ended with an exception without a name: {said.message}"
    elif call.kind in MUST_SUCCEED and not said.is_done and not call.excused and met < TRIES:
        yield f"a {call.kind} failed after {call.seconds:.1f} s and {met} kills: {said.outcome}: {said.message}"


def wrong_with_entry(mark: str, entry: Entry) -> Iterator[str]:
    """What is wrong with the audit log's account of a write."""
    if entry.arrivals and not entry.noted:
        yield f"the write {mark} reached Zendesk and has no entry in the audit log"
    elif entry.arrivals and min(entry.noted) > min(entry.arrivals):
        yield f"the write {mark} reached Zendesk before it was in the audit log"


def wrong_with_log(name: str, text: str) -> Iterator[str]:
    """What in a process's log nobody expected."""
    for found in _STRAY.finditer(text):
        start = text.rfind("\n", 0, found.start()) + 1
        yield f"the log of {name} has: {text[start : start + 3000]}"
        return


def wrong_with_leftovers(left: Mapping[str, int]) -> Iterator[str]:
    """What is left in the database at the end that should not be, by its name."""
    for name, count in left.items():
        if count:
            yield f"{count} {name} at the end"
