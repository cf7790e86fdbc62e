"""Keeps requests within the budgets that a service grants, before it has to refuse them.

The service's own headers say how large its budgets are; nothing is configured. A budget is
counted down with each request and filled again when the service said it would be. Which
budgets an endpoint draws on is learned from its answers. All that is shared by the
connectors of one tenant, since the service counts them together.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

__all__ = ["Budget", "BudgetReader", "Hold", "RateLimiter", "read_standard_budgets"]

_Key: TypeAlias = tuple[str, str]
"""A budget's name, and the record or endpoint that has it for itself."""

ACCOUNT: _Key = ("", "")
"""The budget that every request draws on."""

ENDPOINT = "endpoint"
"""The name of what holds a single endpoint that was refused without a word on budgets."""

RESERVE = 0.2
"""The part of the account's budget that long work leaves to calls that somebody waits for."""

LONGEST_HOLD = 3_600.0
"""Seconds after which a budget is tried again, whatever was said of it: one odd answer must not end all calls for good."""

MOST_KEPT = 1_000
"""Budgets kept at most; those of single records come and go."""


class Budget(NamedTuple):
    """A budget of requests, as an answer tells of it.

    Attributes:
        name: The service's name of it; empty for the account's.
        remaining: Requests left.
        resets: Seconds until it is full again.
        total: Requests in a full one, if that is said.
        per_record: Whether each record, that is each path, has one of its own.
    """

    name: str
    remaining: int
    resets: float
    total: int | None = None
    per_record: bool = False


BudgetReader: TypeAlias = Callable[[Mapping[str, str]], Sequence[Budget]]
"""Reads the budgets that an answer's headers, by lower-case name, tell of."""


class Hold(NamedTuple):
    """Why a request has to wait.

    Attributes:
        seconds: How long.
        bucket: The budget that is used up; "account", or the service's name of it.
    """

    seconds: float
    bucket: str


@dataclass(slots=True)
class _State:
    """What is known of a budget: how many requests are left until when, how many there are then, and for how long."""

    left: int
    until: float
    total: int | None
    window: float


class RateLimiter:
    """The budgets of one tenant; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[_Key, _State] = {}
        self._drawn: dict[str, tuple[Budget, ...]] = {}

    def ask(self, group: str, path: str, now: float, *, yields: bool = False) -> Hold | None:
        """Takes a request out of each budget it draws on, or says how long to wait before asking again.

        Args:
            group: The endpoint.
            path: The request's path, for the budgets that each record has of its own.
            now: The time in seconds.
            yields: Whether it is long work, which leaves a reserve to others.
        """
        with self._lock:
            if not self._states:
                return None
            longest = Hold(0.0, "")
            states: list[_State] = []
            for key in self._keys(group, path):
                state = self._current(key, now)
                if state is None:
                    continue
                states.append(state)
                kept = RESERVE * (state.total or 0) if yields and key == ACCOUNT else 0
                if state.left <= kept and state.until - now > longest.seconds:
                    longest = Hold(state.until - now, key[0] or "account")
            if longest.seconds > 0:
                return longest
            for state in states:
                state.left -= 1
        return None

    def told(self, group: str, path: str, budgets: Sequence[Budget], now: float) -> None:
        """Notes what an answer says of the budgets its request drew on."""
        if not budgets:
            return
        with self._lock:
            self._drawn[group] = tuple(budgets)
            for budget in budgets:
                self._note(_key(budget, path), budget, now)
            if len(self._states) > MOST_KEPT:
                self._forget(now)

    def throttled(self, group: str, path: str, wait: float, budgets: Sequence[Budget], now: float) -> None:
        """Notes that the service refused a request for the time being.

        Without a budget that says it is used up, the endpoint alone is held: the account's others may go on.
        """
        wait = min(wait, LONGEST_HOLD)
        until = now + wait
        with self._lock:
            empty = [_key(budget, path) for budget in budgets if budget.remaining <= 0]
            for key in empty or [(ENDPOINT, group)]:
                known = self._states.get(key)
                if known is None:
                    self._states[key] = _State(0, until, None, wait)
                else:
                    known.left, known.until = 0, max(known.until, until)

    def _keys(self, group: str, path: str) -> Iterator[_Key]:
        yield ENDPOINT, group
        drawn = self._drawn.get(group)
        if drawn is None:
            yield ACCOUNT
        else:
            for budget in drawn:
                yield _key(budget, path)

    def _current(self, key: _Key, now: float) -> _State | None:
        """What is known of a budget at this time."""
        state = self._states.get(key)
        if state is not None and now >= state.until:
            if not state.total:  # nothing is known of the next window, or nothing that makes sense
                del self._states[key]
                return None
            state.left, state.until = state.total, now + state.window
        return state

    def _note(self, key: _Key, budget: Budget, now: float) -> None:
        resets = min(budget.resets, LONGEST_HOLD)
        until = now + resets
        known = self._states.get(key)
        if known is None:
            self._states[key] = _State(budget.remaining, until, budget.total, resets)
            return
        if until <= known.until - known.window + 1:
            return  # a late answer, of the window before this one
        # Requests still on their way are counted here and not yet there; other programs' are counted there only.
        known.left = budget.remaining if now >= known.until else min(known.left, budget.remaining)
        known.until = until
        known.total = budget.total or known.total
        known.window = max(known.window, resets)

    def _forget(self, now: float) -> None:
        of_records = [key for key in self._states if key[1] and key[0] != ENDPOINT]
        for key in [key for key in of_records if self._states[key].until <= now] or of_records[: MOST_KEPT // 2]:
            del self._states[key]


def read_standard_budgets(headers: Mapping[str, str]) -> Sequence[Budget]:
    """The account's budget by `ratelimit-limit`, `ratelimit-remaining` and `ratelimit-reset`, if it is told.

    Source: draft-ietf-httpapi-ratelimit-headers, in the form that came before version 8.
    """
    remaining, resets = headers.get("ratelimit-remaining", ""), headers.get("ratelimit-reset", "")
    if not (_is_count(remaining) and _is_count(resets)):
        return ()
    total = headers.get("ratelimit-limit", "")
    return (Budget("", int(remaining), float(resets), int(total) if _is_count(total) else None),)


def _is_count(text: str) -> bool:
    """Whether a header's text is a whole number of a believable size."""
    return 0 < len(text) <= 9 and text.isascii() and text.isdigit()  # noqa: PLR2004 - below a thousand million


def _key(budget: Budget, path: str) -> _Key:
    return budget.name, path if budget.per_record else ""
