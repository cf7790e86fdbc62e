"""Which call some code runs in, and the telling of what happens in it.

The events themselves are in `plugbay.events`, which is loaded when somebody listens.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from plugbay.events import Listener

__all__ = ["Trace", "current_trace", "enter", "leave", "traced"]

logger = logging.getLogger("plugbay.events")

Kind: TypeAlias = Literal["call", "attempt", "wait", "refresh", "page", "denied"]


class Trace:
    """One call, as those see it who listen.

    Args:
        connector: The connector's slug.
        operation: The action's name.
        listeners: Who is told.
        tool: The tool through which a model calls.
        tool_call_id: The framework's id of that tool call.

    Attributes:
        id: What all its events share.
        attempts: How often something was sent for it so far.
        pages: How many pages of a list were read so far.
        waited: Seconds that it waited so far.
        cut_off: Whether a write was broken off while it was being sent.
    """

    __slots__ = (
        "attempts",
        "connector",
        "cut_off",
        "id",
        "listeners",
        "operation",
        "pages",
        "tool",
        "tool_call_id",
        "waited",
    )

    def __init__(
        self,
        connector: str,
        operation: str,
        listeners: Sequence[Listener] = (),
        *,
        tool: str | None = None,
        tool_call_id: str | None = None,
    ) -> None:
        self.connector = connector
        self.operation = operation
        self.listeners = listeners
        self.tool = tool
        self.tool_call_id = tool_call_id
        self.id = uuid.uuid4().hex if listeners else ""
        self.attempts = 0
        self.pages = 0
        self.waited = 0.0
        self.cut_off = False

    def tell(self, kind: Kind, **facts: Any) -> None:
        """Makes the event of that kind and gives it to all who listen; costs nothing if nobody does."""
        if not self.listeners:
            return
        from plugbay.events import KINDS  # noqa: PLC0415 - most programs listen to nothing

        event = KINDS[kind](
            at=time.time(),
            call=self.id,
            connector=self.connector,
            operation=self.operation,
            tool=self.tool,
            tool_call_id=self.tool_call_id,
            **facts,
        )
        for listener in self.listeners:
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001 - what happens in an observer must not fail what it observes
                logger.warning("A listener failed on a %s event: %s", event.kind, type(error).__name__)


_NOBODY = Trace("", "")
_current: ContextVar[Trace | None] = ContextVar("plugbay_trace", default=None)


def current_trace() -> Trace:
    """The call this code runs in; outside of any, one that nobody listens to."""
    return _current.get() or _NOBODY


def enter(trace: Trace) -> Token[Trace | None]:
    """Marks what this code does from here on as done for the call `trace`.

    Returns:
        What `leave` is given to end that.
    """
    return _current.set(trace)


def leave(token: Token[Trace | None]) -> bool:
    """Ends what `enter` began, in the same context.

    Returns:
        False in another context, as that of whoever closes a coroutine that nobody awaits any more: there
        is nothing to end there, for this context variable or any other.
    """
    try:
        _current.reset(token)
    except ValueError:
        return False
    return True


@contextmanager
def traced(trace: Trace) -> Generator[Trace]:
    """Marks everything inside the block as done for the call `trace`."""
    token = enter(trace)
    try:
        yield trace
    finally:
        leave(token)
