"""One request and its answer, as the handlers see them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plugbay.sandbox.account import Account
    from plugbay.sandbox.auth import Caller


_DIGITS = re.compile(r"[0-9]{1,19}")


def is_number(text: str) -> bool:
    """Whether a text is a whole number as ids and unix times are: plain digits, no more than 64 bits need."""
    return _DIGITS.fullmatch(text) is not None


@dataclass(frozen=True)
class Stream:
    """A body too large to be held, of `size` bytes in all."""

    size: int
    chunks: Iterator[bytes]


@dataclass
class Reply:
    """An answer before it becomes bytes; `body` is JSON data, a text, bytes or a stream, and None is no body at all."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def encode(self) -> bytes:
        """The body as it travels; a header `content-type` is filled in when none was given."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        if isinstance(self.body, str):
            self.headers.setdefault("content-type", "text/html; charset=utf-8")
            return self.body.encode()
        self.headers.setdefault("content-type", "application/json; charset=utf-8")
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass
class Call:
    """One request on its way to a handler; `origin` names the handler in error texts."""

    account: Account
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    caller: Caller
    ids: dict[str, str] = field(default_factory=dict[str, str])
    controller: str = ""
    action: str = ""
    unknown_keys: list[str] = field(default_factory=list[str])

    @property
    def origin(self) -> str:
        return f"api/v2/{self.controller}/{self.action}"

    def param(self, name: str) -> str | None:
        """The last value of a query parameter, or None."""
        return next((value for key, value in reversed(self.query) if key == name), None)

    def params(self, *names: str) -> list[str]:
        """Every value of query parameters with these names, in order."""
        return [value for key, value in self.query if key in names]

    def listed(self, name: str) -> list[str]:
        """A comma-separated query parameter as a list; empty when absent."""
        return [part.strip() for part in (self.param(name) or "").split(",") if part.strip()]


Handler = Callable[[Call], Reply]
