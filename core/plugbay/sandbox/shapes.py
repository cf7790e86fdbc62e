"""Bodies that a client must survive: wrong shapes, JSON without end, and what a failing service says."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, cast

from plugbay.sandbox.errors import forbidden, invalid_attribute, invalid_record, not_found, simple
from plugbay.sandbox.exchange import Reply

_PAGING = (
    "meta",
    "links",
    "count",
    "next_page",
    "previous_page",
    "end_of_stream",
    "end_time",
    "after_url",
    "after_cursor",
)
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_BLOCK = 1 << 20
_PAGE = "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n</body>\r\n</html>\r\n"


def _encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _no_record(value: Any) -> bytes:
    known = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    return _encoded({key: known[key] for key in known if key in _PAGING})


def _broken(value: Any) -> bytes:
    whole = _encoded(value)
    return whole[: len(whole) // 2]


SHAPES: dict[str, Callable[[Any], bytes]] = {
    "empty": lambda _: b"",
    "null": lambda _: b"null",
    "no_record": _no_record,
    "list": lambda value: _encoded([value]),
    "text": lambda _: b'"ok"',
    "html": lambda _: page("Welcome").encode(),
    "broken": _broken,
}


def reshaped(shape: str | Callable[[Any], Any], body: bytes) -> bytes:
    """A JSON body in another shape: one of `SHAPES`, or what a function makes of it; no JSON stays as it is."""
    try:
        value = json.loads(body)
    except ValueError:
        return body
    return SHAPES[shape](value) if isinstance(shape, str) else _encoded(shape(value))


def page(title: str) -> str:
    """A page as a proxy in front of the service writes it."""
    return _PAGE.format(title)


def nested(levels: int) -> bytes:
    """JSON objects in each other."""
    return b'{"deeper":' * (levels - 1) + b"{}" + b"}" * (levels - 1)


def bomb(size: float) -> Iterator[bytes]:
    """A gzip stream of JSON, an empty object behind much white space, that inflates to `size` bytes.

    What is held at any time is one megabyte; an infinite size never ends.
    """
    # Window bits above 15 make it gzip: https://docs.python.org/3/library/zlib.html#zlib.compressobj
    packer, blank, left = zlib.compressobj(1, wbits=31), b" " * _BLOCK, size - 2
    while left > 0:
        # Not all blocks make the packer speak, and an empty piece would look like the end.
        yield packer.compress(blank if left >= _BLOCK else b" " * int(left))
        left -= _BLOCK
    yield packer.compress(b"{}") + packer.flush()


def default(status: int) -> Reply:
    """What Zendesk says with a status when nothing more is known; the services in front of it answer with pages."""
    title = _PHRASES.get(status, "Unknown")
    refusals = {
        400: invalid_attribute("id", "must be an integer"),
        401: simple(401, "Couldn't authenticate you"),
        403: forbidden(),
        404: not_found(),
        409: simple(409, "UpdateConflict", "Safe Update prevented the update due to outdated ticket data"),
        422: invalid_record(),
        429: simple(429, "APIRateLimitExceeded", "Number of allowed API requests per minute exceeded"),
        500: simple(500, "InternalServerError", title),
    }
    if status in refusals:
        return refusals[status].reply
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Reply(status, page(f"{status} {title}"))
    if status >= HTTPStatus.BAD_REQUEST:
        return simple(status, title).reply
    return Reply(status, {} if status < HTTPStatus.MULTIPLE_CHOICES and status != HTTPStatus.NO_CONTENT else None)
