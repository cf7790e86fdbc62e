"""Who is calling: a programmer, or a model through a tool.

The wrapper of a tool function opens a `ToolCall`; everything the function calls,
in threads as well, finds it in a context variable. Without one it is the
programmer's own call. Whoever calls for somebody else may have been given the
idempotency key of the call, which is known in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from plugbay.operation import Operation
from plugbay.policy import Policy

__all__ = ["Step", "ToolCall", "current_key", "current_tool_call", "open_tool_call", "under_key"]

_current: ContextVar[ToolCall | None] = ContextVar("plugbay_tool_call", default=None)
_key: ContextVar[str | None] = ContextVar("plugbay_idempotency_key", default=None)


@dataclass(slots=True)
class Step:
    """One operation that was run within a tool call.

    Attributes:
        operation: The operation.
        data: What the tool's code was given.
        resume_at: For a list: from a number of its records to the cursor that continues behind them.
    """

    operation: Operation
    data: Any
    resume_at: Callable[[int], str] | None


@dataclass(slots=True)
class ToolCall:
    """One call of a tool by a model.

    Attributes:
        tool: The tool's name.
        call_id: The framework's id of the call, if it gives one.
        policy: The policy of the tool, if it has one of its own.
        only: Narrows what the tool may call, without giving leave for anything.
        select_fields: The fields of each record that the model asked for.
        shaped: Whether the tool's own code chose fields already.
        done: What was run so far within the call, in order.
        equal_calls: How often each call, by its mark, was begun that an idempotency key tells from others.
    """

    tool: str
    call_id: str | None = None
    policy: Policy | None = None
    only: Policy | None = None
    select_fields: Sequence[str] = ()
    shaped: bool = False
    done: list[Step] = field(default_factory=list[Step])
    equal_calls: dict[str, int] = field(default_factory=dict[str, int])


def current_tool_call() -> ToolCall | None:
    """The tool call this code runs in, or None if no model is calling."""
    return _current.get()


@contextmanager
def open_tool_call(call: ToolCall) -> Generator[ToolCall]:
    """Marks everything inside the block as done for `call`."""
    token = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(token)


def current_key() -> str | None:
    """The idempotency key that was given for what this code does, or None if none was."""
    return _key.get()


@contextmanager
def under_key(key: str | None) -> Generator[None]:
    """Gives the block's call an idempotency key, in place of one of the connector's own making.

    Args:
        key: The key, which means one call and its repetitions; None leaves it to the connector.
    """
    token = _key.set(key)
    try:
        yield
    finally:
        _key.reset(token)
