"""Which connector is meant: by its id, or the one of its kind in a workspace."""

from __future__ import annotations

from urllib.parse import quote

from plugbay.auth.flight import SingleFlight
from plugbay.errors import (
    AmbiguousConnectorError,
    ConfigurationError,
    ConnectorNotFoundError,
    NotFoundError,
    PlugbayError,
)
from plugbay.hosted.api import CONNECTORS, HostedApi
from plugbay.hosted.info import ConnectorInfo
from plugbay.hosted.segments import checked_id
from plugbay.transport import Deadline
from plugbay.types import AirbyteAuthConfig

__all__ = ["Lookup", "meant"]

TYPE_HEADER, WORKSPACE_HEADER = "X-Connector-Type", "X-Workspace-Name"

MOST_SHOWN = 20
"""Connectors that an error names."""


def meant(config: AirbyteAuthConfig, slug: str) -> dict[str, str]:
    """Headers that say what an id that was given is meant to be.

    Args:
        config: Has the id, and perhaps the workspace as well.
        slug: The kind of connector.
    """
    if config.connector_id is None:
        return {}
    named = config.workspace_name or config.customer_name
    # A header holds no letters beyond ASCII (RFC 9110 section 5.5).
    return {TYPE_HEADER: slug, **({WORKSPACE_HEADER: quote(named)} if named else {})}


class Lookup:
    """Finds the connector's id once, for any number of calls that need it at the same time.

    Args:
        api: The hosted service.
        config: Names the connector, or its workspace.
        slug: The kind of connector.
        definition_id: What the service knows that kind by.

    Raises:
        ConfigurationError: The id cannot be one.
    """

    def __init__(self, api: HostedApi, config: AirbyteAuthConfig, slug: str, definition_id: str) -> None:
        self._api = api
        self._workspace = config.workspace
        self._slug = slug
        self._definition = definition_id
        given = config.connector_id
        self._given = None if given is None else checked_id(given, "connector", ConfigurationError)
        self._found: str | None = None
        self._flight = SingleFlight[str]()

    async def id(self, deadline: Deadline, stale: str | None = None) -> str:
        """The connector's id.

        Args:
            deadline: When the call that needs it must be done.
            stale: An id that is no longer good.

        Raises:
            ConnectorNotFoundError: There is no such connector in the workspace.
            AmbiguousConnectorError: There are several.
        """
        if self._given is not None:
            return self._given

        def ready() -> str | None:
            return None if self._found == stale else self._found

        known = ready()
        if known is not None:
            return known
        return await self._api.transport.within(deadline, lambda: self._flight.run(ready, self._look_up))

    async def _look_up(self) -> str:
        try:
            found = await self._all()
        except PlugbayError as error:
            # It says nothing of the call that was to come after it.
            error.details = {**(error.details or {}), "step": "lookup"}
            raise
        if not found:
            raise self._none()
        if len(found) > 1:
            raise self._several(found)
        self._found = found[0].id
        return self._found

    async def _all(self) -> list[ConnectorInfo]:
        query = {"workspace_name": self._workspace, "definition_id": self._definition}
        try:
            found = [ConnectorInfo.read(item) async for item in self._api.items(CONNECTORS, query)]
        except NotFoundError:  # there is no such workspace
            return []
        return [each for each in found if each.definition_id in (None, self._definition)]

    def _none(self) -> ConnectorNotFoundError:
        return ConnectorNotFoundError(
            f"There is no {self._slug} connector in the workspace {self._workspace!r}.",
            hint=f'Create one with plugbay.hosted.Workspace({self._workspace!r}).create_connector("{self._slug}", ...), '
            "or name another workspace or organization.",
            details={"workspace_name": self._workspace},
        )

    def _several(self, found: list[ConnectorInfo]) -> AmbiguousConnectorError:
        named = [{"id": each.id, "name": each.name} for each in found[:MOST_SHOWN]]
        return AmbiguousConnectorError(
            f"There are {len(found)} {self._slug} connectors in the workspace {self._workspace!r}.",
            hint="Choose one by its connector_id: " + ", ".join(f"{each.id} ({each.name})" for each in found[:5]) + ".",
            details={"workspace_name": self._workspace, "connectors": named},
        )
