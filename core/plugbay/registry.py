"""Which connectors there are; they plug in by the entry-point group `plugbay.connectors`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plugbay.errors import ConnectorNotFoundError
from plugbay.mending import nearest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["find_connector", "list_connectors"]

GROUP = "plugbay.connectors"


def list_connectors() -> list[str]:
    """The slugs of the connectors that are installed, as `zendesk-support`; none is imported."""
    return sorted(_points())


def find_connector(slug: str) -> Any:
    """The class of a connector.

    Args:
        slug: As `zendesk-support`; case and underscores do not matter.

    Raises:
        ConnectorNotFoundError: There is no such connector.
    """
    points = _points()
    point = points.get(slug.lower().replace("_", "-"))
    if point is None:
        close = nearest(slug, points)
        raise ConnectorNotFoundError(
            f"There is no connector named {slug[:60]!r}." + (f" Did you mean {close!r}?" if close else ""),
            hint=f"Installed: {', '.join(sorted(points))}.",
            details={"allowed": sorted(points)},
        )
    return point.load()


def _points() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points  # noqa: PLC0415 - costs more than the whole core's import

    return {point.name: point for point in entry_points(group=GROUP)}
