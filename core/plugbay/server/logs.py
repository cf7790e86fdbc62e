"""Logs as lines of JSON, on the standard error output.

A line has the moment, the level, the logger, the message, the request's id, and those of a fixed set of facts that
are known. No line has a body, a header, a query, or what an exception says: all of them may hold secrets.
"""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

from pydantic_core import to_json

from plugbay.plain_text import one_line
from plugbay.server.failures import stack_of

__all__ = ["FACTS", "configure", "request_id_of_now"]

FACTS = (
    "method", "route", "status", "ms", "client_id", "connector_id", "organization_id", "event", "count", "seconds",
    "error", "stack", "address", "why",
)  # fmt: skip
"""What a record may have beside its message, given as `extra`."""

MAX_MESSAGE = 2_000

request_id_of_now: ContextVar[str | None] = ContextVar("plugbay_request_id", default=None)


def configure(level: str, stream: TextIO | None = None) -> logging.Handler:
    """Lets the whole process log lines of JSON.

    Args:
        level: The least level of plugbay's own loggers; of others, warnings and worse are logged.
        stream: Where to; the standard error output if not given.

    Returns:
        The handler, for who wants to take it away again.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("plugbay").setLevel(level.upper())
    # Its own line for each request has the query in it.
    logging.getLogger("uvicorn.access").disabled = True
    return handler


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": one_line(_message(record)[:MAX_MESSAGE]).strip(),
        }
        request_id = getattr(record, "request_id", None) or request_id_of_now.get()
        if request_id:
            line["request_id"] = request_id
        line |= {name: getattr(record, name) for name in FACTS if getattr(record, name, None) is not None}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = type(record.exc_info[1]).__name__
            line["stack"] = stack_of(record.exc_info[1])
        return to_json(line, fallback=str).decode()


def _message(record: logging.LogRecord) -> str:
    """What a record says. Behind the first line of asyncio's own are tasks and futures, with what exceptions say."""
    said = record.getMessage()
    return said.partition("\n")[0] if record.name == "asyncio" else said
