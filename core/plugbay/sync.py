"""A connector for synchronous code.

One event loop in a background thread serves all synchronous calls of the process;
it is started by the first of them.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from plugbay.declare import Entity
from plugbay.download import Download, SavedFile
from plugbay.errors import ConfigurationError, InvalidParameterError
from plugbay.result import Result

if TYPE_CHECKING:
    from plugbay.connector import Connector

__all__ = ["SyncConnector", "SyncEntity"]

T = TypeVar("T")

_starting = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def _background() -> asyncio.AbstractEventLoop:
    """The loop of the background thread; made anew after a fork, which leaves threads behind."""
    global _loop  # noqa: PLW0603 - one thread for the process
    with _starting:
        if _loop is None or not any(thread.name == _NAME for thread in threading.enumerate()):
            _loop = asyncio.new_event_loop()
            thread = threading.Thread(target=_loop.run_forever, name=_NAME, daemon=True)
            thread.start()
            atexit.register(_finish, _loop, thread)
        return _loop


def _finish(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    """Closes at the end of the process what nobody closed: each connector's connections end with their loop."""
    if not thread.is_alive():  # in a child process, whose parent has the connections
        return
    with contextlib.suppress(TimeoutError):
        asyncio.run_coroutine_threadsafe(loop.shutdown_asyncgens(), loop).result(FINISH_SECONDS)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(FINISH_SECONDS)
    if not thread.is_alive():
        loop.close()


_NAME = "plugbay-sync"

FINISH_SECONDS = 2.0
"""How long the end of a process may wait for connections to close."""


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, run on the background loop while this thread waits.

    Raises:
        ConfigurationError: This is the background loop's own thread, which would wait for itself.
    """
    loop = _background()
    if threading.current_thread().name == _NAME:
        coroutine.close()
        raise ConfigurationError(
            "A synchronous call was made from within another one's event loop.",
            hint="Use the asynchronous connector in callbacks.",
        )
    future = asyncio.run_coroutine_threadsafe(coroutine, loop)
    try:
        return future.result()
    except BaseException:
        # Interrupted, as by Ctrl-C: what nobody waits for any more must not go on.
        future.cancel()
        raise


class SyncConnector:
    """The synchronous face of a connector: the same entities and actions, called without `await`.

    Lists give one page at a time; go on with `cursor=page.meta.cursor`.
    """

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    def execute(
        self,
        entity: str,
        action: str,
        params: Mapping[str, Any] | None = None,
        *,
        select_fields: Sequence[str] | None = None,
        exclude_fields: Sequence[str] | None = None,
        skip_truncation: bool = True,
    ) -> Result:
        """Runs an action by its name; see `Connector.execute`."""
        return run(
            self._connector.execute(
                entity,
                action,
                params,
                select_fields=select_fields,
                exclude_fields=exclude_fields,
                skip_truncation=skip_truncation,
            )
        )

    def check(self) -> Mapping[str, Any]:
        """Whether the service accepts the credentials; see `Connector.check`."""
        return run(self._connector.check())

    def close(self) -> None:
        """Lets go of all connections; harmless when called twice."""
        run(self._connector.close())

    def __getattr__(self, name: str) -> SyncEntity:
        if name.startswith("_"):  # a copy that is not set up yet has no connector to ask
            raise AttributeError(name)
        if name not in self._connector.operations:
            raise AttributeError(f"{type(self._connector).__name__} has no entity {name!r}")
        return SyncEntity(getattr(self._connector, name))


class SyncEntity:
    """One entity of a `SyncConnector`.

    A download, say `download(1)`, gives a window of the file, and `download_to(1, "report.pdf")` writes all of it to a
    path: the action's arguments, then the path, then whatever `Download.to` takes.
    """

    def __init__(self, entity: Entity) -> None:
        self._entity = entity

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        kind = type(self._entity)
        actions = dict(kind.actions())
        if name in actions:
            action = getattr(self._entity, name)
            return partial(_called, action)
        file = name.removesuffix("_to")
        if file in actions and file != name and actions[file].kind == "download":
            return partial(_saved, getattr(self._entity, file))
        raise AttributeError(f"{kind.__name__} has no action {name!r}")


_TO = {"path", "overwrite", "max_bytes", "resume", "timeout", "progress"}
"""What `Download.to` takes."""


def _called(action: Callable[..., Any], *values: Any, **named: Any) -> Any:
    return run(_awaited(action, values, named))


def _saved(action: Callable[..., Download[Any]], *values: Any, **named: Any) -> SavedFile:
    settings = {name: named.pop(name) for name in _TO & named.keys()}
    given = list(values)
    if "path" not in settings:
        if not given:
            raise InvalidParameterError("A path is missing.", hint='As in download_to(1, "report.pdf").')
        settings["path"] = given.pop()
    return run(action(*given, **named).to(**settings))


async def _awaited(action: Callable[..., Any], values: Sequence[Any], named: Mapping[str, Any]) -> Any:
    return await action(*values, **named)
