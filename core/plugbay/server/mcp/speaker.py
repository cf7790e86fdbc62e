"""What speaks the protocol: whatever is installed that can, found by an entry point."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Protocol

from plugbay.tools import ToolSpec

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

__all__ = ["GROUP", "HttpApp", "MakeHttpApp", "Tools", "ToolsOf", "find_maker"]

GROUP = "plugbay.mcp_http"
"""The entry-point group of what speaks the protocol: a function that makes an `HttpApp`."""


class Tools(Protocol):
    """The tools of whoever makes a request."""

    async def list(self) -> Sequence[ToolSpec]:
        """All that are shown."""
        ...

    async def find(self, name: str) -> ToolSpec | None:
        """The one of a name, or None."""
        ...


class HttpApp(Protocol):
    """What speaks the Model Context Protocol by streamable HTTP, without sessions; an ASGI application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        ...

    def lifespan(self) -> AbstractAsyncContextManager[Any]:
        """Must be entered before the first request, and left in the task that entered it."""
        ...


ToolsOf = Callable[[MutableMapping[str, Any]], Tools]
"""Gives the tools of a request by its ASGI scope."""

MakeHttpApp = Callable[[str, ToolsOf], HttpApp]
"""Is given the path, and what gives the tools of a request."""


@cache
def find_maker() -> MakeHttpApp | None:
    """What makes an `HttpApp`; None if nothing that can is installed. Importing it may take a second."""
    for point in entry_points(group=GROUP):
        try:
            make: MakeHttpApp = point.load()
        except ImportError:
            continue
        return make
    return None
