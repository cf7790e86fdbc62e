"""One call while it is under way: what to send, what was sent, and what is not known of its fate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from plugbay.errors import PlugbayError
from plugbay.transport.body import BodyReader
from plugbay.transport.deadline import Deadline
from plugbay.transport.message import Request
from plugbay.transport.origin import QuietURL

__all__ = ["SAME_KEY", "Call"]

E = TypeVar("E", bound=PlugbayError)

_UNKNOWN = "It may have been done all the same."
SAME_KEY = "Repeating the same call is safe: it has the same idempotency key."


@dataclass(slots=True)
class Call:
    """A request on its way.

    Args:
        request: What was asked for.
        url: Where it goes.
        body: How much of the answer to read.
        deadline: When it must be done.
        headers: What is sent besides the credentials, by lower-case name.
        content: The encoded body.
        writes: Whether somebody must be told if it may have been carried out unnoticed.
        limited: Whether it draws on the budgets of the tenant.
        attempts: How often it was sent.
        retried: How often that was another try, before and after its token was renewed.
        in_flight: Whether it is being sent just now.
        unsure: Whether a try may have been carried out although no answer came.
        awake: When its last wait ended, on the retry policy's monotonic clock.
    """

    request: Request
    url: QuietURL
    body: BodyReader
    deadline: Deadline
    headers: dict[str, str]
    content: bytes | None = field(default=None, repr=False)
    writes: bool = False
    limited: bool = True
    attempts: int = 0
    retried: int = 0
    in_flight: bool = False
    unsure: bool = False
    awake: float = 0.0

    @property
    def group(self) -> str:
        """The endpoint, as far as budgets go."""
        return self.request.group or f"{self.request.method} {self.request.path}"

    def with_fate(self, error: E) -> E:
        """`error`, saying that the write may have been done if that is so."""
        if self.writes and (self.unsure or self.in_flight):
            advice = f"{_UNKNOWN} {SAME_KEY}" if self.request.repeatable else _UNKNOWN
            error.hint = f"{error.hint} {advice}" if error.hint else advice
            error.details = {**(error.details or {}), "fate": "unknown"}
            error.retryable = self.request.repeatable
        return error
