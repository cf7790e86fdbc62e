"""Finds the handler of a path; every path is known with and without `.json`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from plugbay.sandbox.auth import AGENT
from plugbay.sandbox.exchange import Call, Handler
from plugbay.sandbox.limits import Bucket


@dataclass(frozen=True)
class Route:
    """One operation.

    Args:
        method: The HTTP method.
        path: The path, with `{name}` for a part that varies.
        handler: What answers; its name is the action in warnings and error texts.
        scope: The resource of the OAuth scope, None when only `read` and `write` count, "" when any token will do.
        role: The least role that may call it.
        buckets: Rate limits of its own.
    """

    method: str
    path: str
    handler: Handler
    scope: str | None = None
    role: int = AGENT
    buckets: tuple[Bucket, ...] = ()

    @property
    def controller(self) -> str:
        return next((part for part in reversed(self.path.split("/")[3:]) if "{" not in part), "oauth")


class Router:
    """A table of routes; the first that fits wins."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = [(re.compile(_pattern(route.path)), route) for route in routes]

    def find(self, call: Call) -> Route | None:
        """The route of a request; the parts that vary are left in `call.ids`."""
        method = "GET" if call.method == "HEAD" else call.method
        for pattern, route in self._routes:
            match = pattern.fullmatch(call.path) if route.method == method else None
            if match:
                call.ids = match.groupdict()
                call.controller, call.action = route.controller, route.handler.__name__
                return route
        return None


def _pattern(path: str) -> str:
    return re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+?)", path) + r"(?:\.json)?/?"
