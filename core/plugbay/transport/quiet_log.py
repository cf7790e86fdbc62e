"""Keeps what is as good as a secret out of the HTTP library's own log.

At DEBUG it writes down the headers of every answer: the address of a file that is its own key, and cookies. They are
masked for this library's requests, and left alone for others of the same process.
"""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar

__all__ = ["OURS", "mask_headers"]

OURS: ContextVar[bool] = ContextVar("plugbay_request", default=False)
"""Whether the request that is under way is this library's."""

MASK = "..."

_SECRET = re.compile(
    r"""(\(b'(?:location|set-cookie|link)', )b(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""", re.IGNORECASE
)
_LOGGERS = ("httpcore.http11", "httpcore.http2", "httpcore.proxy")


class _Mask(logging.Filter):
    """Masks the headers in a line of the log; asked only for lines that are written."""

    def filter(self, record: logging.LogRecord) -> bool:
        if OURS.get():
            record.msg, record.args = _SECRET.sub(rf"\g<1>{MASK}", record.getMessage()), ()
        return True


_mask = _Mask()


def mask_headers() -> None:
    """Sees to it that the log masks the headers; done as often as one likes."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_mask)  # the same filter is added once
