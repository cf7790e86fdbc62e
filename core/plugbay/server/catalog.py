"""The connectors that the server can keep: what each is called and what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from plugbay.registry import find_connector

if TYPE_CHECKING:
    from plugbay.connectors.zendesk.connector import ZendeskConnector

__all__ = ["DEFINITIONS", "Definition", "by_id", "by_type"]


@dataclass(frozen=True, slots=True)
class Definition:
    """A kind of connector.

    Attributes:
        slug: As `zendesk-support`.
        id: What the hosted API knows it by.
        display_name: What the hosted API shows.
        needs_start_date: Whether `replication_config.start_date` must be given when one is made with credentials.
    """

    slug: str
    id: str
    display_name: str
    needs_start_date: bool = False

    @property
    def connector(self) -> type[ZendeskConnector]:
        """The class that runs it."""
        found: type[ZendeskConnector] = _class_of(self.slug)
        return found


DEFINITIONS = (
    Definition("zendesk-support", "79c1aa37-dae3-42ae-b333-d1c105477715", "Zendesk-Support"),
    Definition("zendesk-talk", "c8630570-086d-4a40-99ae-ea5b18673071", "Zendesk-Talk", needs_start_date=True),
)
"""Ids and display names are those of the vendor's hosted API."""

_BY_SLUG: Mapping[str, Definition] = {each.slug: each for each in DEFINITIONS}
_BY_ID: Mapping[str, Definition] = {each.id: each for each in DEFINITIONS}


def by_type(connector_type: str) -> Definition | None:
    """The definition of a type, whose case and underscores do not matter."""
    return _BY_SLUG.get(connector_type.strip().lower().replace("_", "-").replace(" ", "-"))


def by_id(definition_id: str) -> Definition | None:
    """The definition of an id, whose case does not matter."""
    return _BY_ID.get(definition_id.strip().lower())


@cache
def _class_of(slug: str) -> Any:
    return find_connector(slug)
