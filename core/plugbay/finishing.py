"""Work that is done to its end, whoever is cancelled while he waits for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio

__all__ = ["in_thread", "outlast"]

T = TypeVar("T")


async def outlast(work: asyncio.Future[Any]) -> None:
    """Waits for the end of some work, however it ends; a caller that is cancelled leaves then, and not before."""
    import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait((work,))
        except asyncio.CancelledError as error:
            cancelled = error
    if not work.cancelled():
        work.exception()  # whoever wants it asks for the result; nobody else need hear of it
    if cancelled is not None:
        raise cancelled


async def in_thread(work: Callable[[], T], *, undo: Callable[[T], object] | None = None) -> T:
    """What `work` returns, run on a thread and always to its end.

    A caller that is cancelled is let go when the work has ended, so that nothing is written behind its back.

    Args:
        work: What blocks, but not for long.
        undo: Is given the result if the caller was cancelled and cannot have it.
    """
    import asyncio  # noqa: PLC0415 - a program that only describes tools needs no event loop

    # Not a task: the end of a loop cancels all tasks, and with them what they wait for.
    future = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        await outlast(future)
    except asyncio.CancelledError:
        if undo is not None and not future.cancelled() and future.exception() is None:
            undo(future.result())
        raise
    return future.result()
