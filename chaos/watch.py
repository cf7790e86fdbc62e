"""What is watched during a run: secrets, warnings, stray exceptions, delays of the machine, and leaks."""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import logging
import os
import re
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

__all__ = ["Lag", "LogWatch", "Secrets", "Strays", "Watchdog", "leaks", "resources"]

LOGGERS = ("plugbay", "httpx", "httpcore", "asyncio")
_LONG_HEX = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
"""What the sandbox's tokens look like, and the signatures of its links to files; nothing else that it says does."""

_NUMBER = re.compile(r"\d+")
"""What tells the same finding from itself."""

BEAT = 0.02
_FILES = Path("/proc/self/fd")


class Secrets:
    """Looks for secrets in texts.

    Args:
        known: Those that are no long hexadecimal numbers.
    """

    def __init__(self, known: list[str]) -> None:
        self._pattern = re.compile("|".join([_LONG_HEX.pattern, *map(re.escape, known)]))

    def shown_by(self, text: str) -> str | None:
        """What stands before a secret in the text, if there is one."""
        found = self._pattern.search(text)
        if found is None:
            return None
        before = text[max(0, found.start() - 12) : found.start()]
        return f"...{_NUMBER.sub('#', before)}<secret>"


class LogWatch(logging.Handler):
    """Reads every record of the library's loggers, and of those under it, at DEBUG.

    Args:
        secrets: What must not be in any.
        report: Is told of a record that should not be.
    """

    def __init__(self, secrets: Secrets, report: Callable[[str], None]) -> None:
        super().__init__(logging.DEBUG)
        self._secrets = secrets
        self._report = report
        self._levels: dict[str, int] = {}
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Reads one record."""
        self.count += 1
        text = record.getMessage()
        if record.exc_info:
            text += "".join(traceback.format_exception(*record.exc_info))
        if shown := self._secrets.shown_by(text):
            self._report(f"the log {record.name} shows a secret at {record.levelname}: {shown}")
        if record.name == "asyncio" and record.levelno >= logging.WARNING:
            self._report(f"asyncio complains: {text[:3000]}")

    def __enter__(self) -> None:
        for name in LOGGERS:
            logger = logging.getLogger(name)
            self._levels[name] = logger.level
            logger.setLevel(logging.DEBUG)
            logger.propagate = False
            logger.addHandler(self)

    def __exit__(self, *_: object) -> None:
        for name, level in self._levels.items():
            logger = logging.getLogger(name)
            logger.removeHandler(self)
            logger.propagate = True
            logger.setLevel(level)


class Strays:
    """Notes warnings, and exceptions that nobody could catch.

    Args:
        report: Is told of each.
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._catching = warnings.catch_warnings()

    def __enter__(self) -> None:
        self._catching.__enter__()
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", message="Zendesk ends API tokens")
        warnings.showwarning = self._warned  # type: ignore[assignment]
        self._unraisable, sys.unraisablehook = sys.unraisablehook, self._lost
        self._thread_hook, threading.excepthook = threading.excepthook, self._in_thread

    def __exit__(self, *_: object) -> None:
        gc.collect()
        sys.unraisablehook, threading.excepthook = self._unraisable, self._thread_hook
        self._catching.__exit__(None, None, None)

    def _warned(self, message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any) -> None:
        self._report(f"{category.__name__} at {filename}:{lineno}: {message}")

    def _lost(self, lost: Any) -> None:
        words = "".join(traceback.format_exception(lost.exc_value)) if lost.exc_value else ""
        self._report(f"an exception that nobody could catch, in {lost.object!r}: {words[-3000:]}")

    def _in_thread(self, lost: Any) -> None:
        self._report(f"a thread ended with {''.join(traceback.format_exception(lost.exc_value))[-3000:]}")


class Lag:
    """How much too late a thread wakes that only sleeps: the machine's share in every delay."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="chaos-lag", daemon=True)
        self.total = 0.0

    def _beat(self) -> None:
        before = time.monotonic()
        while not self._stopped.wait(BEAT):
            now = time.monotonic()
            self.total += max(0.0, now - before - BEAT)
            before = now

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()


class Watchdog:
    """Ends the process, with the stack of each thread and task, if nothing happens for too long.

    Args:
        seconds: Real seconds without `pat` that are too long.
        what: Says what was going on.
    """

    def __init__(self, seconds: float, what: Callable[[], str]) -> None:
        self._seconds = seconds
        self._what = what
        self._last = time.monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="chaos-watchdog", daemon=True)

    def pat(self) -> None:
        """Something happened."""
        self._last = time.monotonic()

    def _watch(self) -> None:
        while not self._stopped.wait(0.5):
            if time.monotonic() - self._last > self._seconds:
                print(f"HANG: nothing ended for {self._seconds:g} seconds. {self._what()}", flush=True)
                faulthandler.dump_traceback(file=sys.stdout, all_threads=True)
                for task in _unfinished():
                    print(task, flush=True)
                    task.print_stack(file=sys.stdout)
                sys.stdout.flush()
                os._exit(1)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()


def resources() -> dict[str, list[str]]:
    """The open files and sockets (Linux), threads and unfinished tasks of this process."""
    gc.collect()
    return {
        "file": sorted(_target(each) for each in _FILES.iterdir()) if _FILES.exists() else [],
        "thread": sorted(thread.name for thread in threading.enumerate()),
        "task": sorted(f"{task.get_name()} of {task.get_coro()}" for task in _unfinished()),
    }


def leaks(before: dict[str, list[str]]) -> list[str]:
    """What is there now and was not before.

    The threads of an event loop's executor, as the library's background loop has one, stay as long as the loop.
    """
    found: list[str] = []
    for kind, now in resources().items():
        rest = list(before[kind])
        for each in now:
            if each in rest:
                rest.remove(each)
            elif not (kind == "thread" and each.startswith("asyncio_")):
                found.append(f"a {kind} is left: {each}")
    return found


def _unfinished() -> list[asyncio.Task[Any]]:
    """The unfinished tasks of all event loops."""
    tasks: list[asyncio.Task[Any]] = [each for each in gc.get_objects() if isinstance(each, asyncio.Task)]
    return [task for task in tasks if not task.done()]


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return "the directory itself"
