"""A file in which every event of a connector is a line of JSON."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Any

from plugbay.errors import ConfigurationError
from plugbay.events import Event

if TYPE_CHECKING:
    from typing import Self

__all__ = ["AuditFile"]

logger = logging.getLogger("plugbay.audit")

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class AuditFile:
    """Appends events to a file, one line of JSON each: `on_event=AuditFile("audit.jsonl")`.

    A line is with the operating system when the next step of its call begins: the line of a call's start is written
    before its first request is sent. It outlives the process, but not a power failure just after. One file may
    serve any number of connectors, threads and processes on one machine: each line is one append.

    A call goes on when its line cannot be written. The log is told of that once, and the file too when it can be
    written again: by a line of the kind "lost" with the number of `events` that are missing.

    Args:
        path: The file; made for its owner alone, or added to.

    Raises:
        ConfigurationError: The file cannot be opened.
    """

    __slots__ = ("__weakref__", "_file", "_lock", "_lost", "_torn")

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            self._file: int | None = os.open(path, _FLAGS, 0o600)
        except OSError as error:
            raise ConfigurationError(f"The audit file cannot be opened: {error.strerror}.") from error
        self._lost = 0
        self._torn = False
        self.renew()
        _files.add(self)

    def renew(self) -> None:
        """Begins anew in a forked process, in which nobody lets go of a lock that another thread held."""
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Appends an event; a failure is logged, never raised."""
        line = _line(event.as_dict())
        with self._lock:
            try:
                self._append(line)
            except OSError as error:
                self._lost += 1
                if self._lost == 1:
                    logger.error("The audit file cannot be written, events are lost: %s", error.strerror)  # noqa: TRY400 - the traceback tells nothing more

    def close(self) -> None:
        """Closes the file; harmless when called twice. Events told after that are lost."""
        with self._lock:
            file, self._file = self._file, None
            if file is not None:
                os.close(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # Nobody can write to it any more, and what is written needs no flushing.
        if getattr(self, "_file", None) is not None:
            self.close()

    def _append(self, line: bytes) -> None:
        if self._file is None:
            raise OSError(0, "it is closed")
        lost = _line({"kind": "lost", "at": time.time(), "events": self._lost}) if self._lost else b""
        # Behind half a line a new one begins, so that only the half is spoiled.
        data = (b"\n" if self._torn else b"") + lost + line
        written = os.write(self._file, data)
        self._torn = 0 < written < len(data) or (self._torn and written == 0)
        if written < len(data):
            raise OSError(0, "it took half a line")
        if self._lost:
            logger.warning("The audit file can be written again; %d events were lost", self._lost)
            self._lost = 0


def _line(fields: dict[str, Any]) -> bytes:
    """The line of JSON; ASCII, since some readers take more for the end of a line than its newline."""
    return json.dumps(fields, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"


_files: weakref.WeakSet[AuditFile] = weakref.WeakSet()


def _renew_all() -> None:
    for file in _files:
        file.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
