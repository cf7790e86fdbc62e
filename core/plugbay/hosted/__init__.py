"""Connectors whose credentials a hosted service holds: `connect`, and `Workspace` to look after them.

What is here speaks with the vendor's service and with `plugbay serve` alike; which of the two it is, the service
says itself. Everything is imported when it is asked for.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plugbay.hosted.factory import connect
    from plugbay.hosted.info import ConnectorInfo
    from plugbay.hosted.workspace import SyncWorkspace, Workspace

__all__ = ["ConnectorInfo", "SyncWorkspace", "Workspace", "connect"]

_LAZY = {"ConnectorInfo": "info", "SyncWorkspace": "workspace", "Workspace": "workspace", "connect": "factory"}


def __getattr__(name: str) -> Any:
    """A program that only executes needs no more than the executor."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - only for those who ask

    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
