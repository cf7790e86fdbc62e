"""What happens inside calls, told while it happens to whoever wants to know.

A connector's `on_event` is given each event as an object of its own class; `as_dict()` gives it as JSON values,
and `plugbay.audit` writes it to a file. No event holds a secret, and none holds an argument or a record unless
the connector was told to record content.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

__all__ = [
    "KINDS",
    "AttemptEvent",
    "CallEvent",
    "DeniedEvent",
    "Event",
    "Listener",
    "PageEvent",
    "RefreshEvent",
    "WaitEvent",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened.

    Attributes:
        at: When, in seconds since the epoch.
        call: The id that all events of one call share.
        connector: The connector's slug.
        operation: The action, as `tickets.create`; `check` for a check of the credentials.
        tool: The tool through which a model called, if one did.
        tool_call_id: The framework's id of that tool call, if it has one.
    """

    kind: ClassVar[str] = "event"

    at: float
    call: str
    connector: str
    operation: str
    tool: str | None = None
    tool_call_id: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The event as JSON values, without what is not known."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {"kind": self.kind, **{name: value for name, value in fields.items() if value is not None}}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEvent(Event):
    """A call began or ended.

    Attributes:
        phase: Which of the two.
        effect: What the action does to data: "read", "write" or "destructive".
        outcome: At the end: "ok", the error's `code`, "cancelled", or "failed" for what has no name.
        fate: "unknown" at the end of a write that may have been done although it failed or was cancelled.
        seconds: How long it took.
        attempts: How often something was sent for it.
        waited: Seconds of that spent waiting for the service's limits or before tries.
        arguments: What it was called with, if content is recorded: a copy, as JSON values.
        result: What it gave, if content is recorded: a copy, as JSON values.
    """

    kind: ClassVar[str] = "call"

    phase: Literal["started", "ended"]
    effect: str
    outcome: str | None = None
    fate: str | None = None
    seconds: float | None = None
    attempts: int | None = None
    waited: float | None = None
    arguments: Mapping[str, Any] | None = None
    result: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEvent(Event):
    """One request was sent, and answered or not.

    Attributes:
        number: Counted from one within the call.
        method: HTTP method.
        host: Where it went.
        port: The port there.
        resent: How often the same request had been sent before.
        status: HTTP status of the answer; None if there was none.
        error: Without an answer: the `code` of the failure, or "cancelled" if the caller or the deadline broke it off.
        seconds: How long it took.
        request_id: The service's id of the request.
    """

    kind: ClassVar[str] = "attempt"

    number: int
    method: str
    host: str
    port: int | None = None
    resent: int = 0
    status: int | None = None
    error: str | None = None
    seconds: float
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitEvent(Event):
    """A call waits.

    Attributes:
        seconds: How long.
        reason: "retry" before another try after a failure, "throttled" after the service asked for a pause,
            "limit" for a budget of the service that is known to be used up.
        bucket: The name of that budget.
    """

    kind: ClassVar[str] = "wait"

    seconds: float
    reason: Literal["retry", "throttled", "limit"]
    bucket: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshEvent(Event):
    """A new access token was needed.

    Attributes:
        outcome: "renewed" by the token endpoint, "found" in the token store where another process had put it,
            "refused" by the token endpoint, or "failed" before there was an answer or in saving.
        seconds: How long it took.
    """

    kind: ClassVar[str] = "refresh"

    outcome: Literal["renewed", "found", "refused", "failed"]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEvent(Event):
    """A page of a list was read.

    Attributes:
        number: Counted from one within the call.
        records: Records on it.
        total: How many the service says there are in all, if it does.
    """

    kind: ClassVar[str] = "page"

    number: int
    records: int
    total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeniedEvent(Event):
    """A policy kept a call from being sent.

    Attributes:
        reason: "policy_denied" or "approval_required".
    """

    kind: ClassVar[str] = "denied"

    reason: str


KINDS: Mapping[str, type[Event]] = {
    kind.kind: kind for kind in (CallEvent, AttemptEvent, WaitEvent, RefreshEvent, PageEvent, DeniedEvent)
}
"""The events by the name of their kind."""

Listener: TypeAlias = Callable[[Event], None]
"""Is given each event, on the thread and event loop of the call; it must not block, and what it raises is only logged."""
