"""What a connector that is named by its id is meant to be, which a caller may say beside the id.

An id alone is easily another's: of another kind, in another customer's workspace. Whoever says what is meant is not
let into anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from plugbay.plain_text import one_line
from plugbay.server.catalog import by_type
from plugbay.server.failures import ApiError, invalid

if TYPE_CHECKING:
    from plugbay.server.store import ConnectorRecord

__all__ = ["HEADERS", "WORKSPACE_HEADER", "Meant", "meant_by", "named_workspace"]

TYPE_HEADER, WORKSPACE_HEADER = "X-Connector-Type", "X-Workspace-Name"

HEADERS = {
    TYPE_HEADER: "The kind that the connector is meant to be, as zendesk-support; one of another kind is 404.",
    WORKSPACE_HEADER: "The name of the workspace that it is meant to be in, in percent-encoded UTF-8; any other is 404.",
}
"""For the declarations of endpoints that take the id of a connector."""

_LONGEST_SHOWN = 100
"""Characters of what a caller meant that are told back."""


@dataclass(frozen=True, slots=True)
class Meant:
    """What a connector is meant to be.

    Attributes:
        connector_type: Its kind, in any case; None for any.
        workspace_name: Where it is; None for anywhere.
    """

    connector_type: str | None = None
    workspace_name: str | None = None

    def check(self, record: ConnectorRecord) -> None:
        """Lets a connector pass that is what is meant.

        Raises:
            ApiError: 404, it is another.
        """
        if self.connector_type is not None:
            kind = by_type(self.connector_type)
            if kind is None or kind.slug != record.connector_type:
                raise _another(
                    f"The connector {record.id} is a {record.connector_type} connector, "
                    f"not a {_shown(self.connector_type)} one."
                )
        if self.workspace_name not in (None, record.workspace_name):
            raise _another(
                f"The connector {record.id} is in the workspace {record.workspace_name!r}, "
                f"not in {_shown(self.workspace_name or '')!r}."
            )


def meant_by(headers: Mapping[str, str]) -> Meant:
    """What a request says of the connector that it names.

    Args:
        headers: The request's.

    Raises:
        ApiError: 422, the name of the workspace is not percent-encoded UTF-8 (RFC 3986 section 2.1).
    """
    return Meant(headers.get(TYPE_HEADER, "").strip() or None, named_workspace(headers))


def named_workspace(headers: Mapping[str, str]) -> str | None:
    """The name of the workspace that a request's headers say; None if they say none.

    Raises:
        ApiError: 422, the name is not percent-encoded UTF-8 (RFC 3986 section 2.1).
    """
    text = headers.get(WORKSPACE_HEADER, "")
    try:
        if text.isascii():
            return unquote(text, errors="strict").strip() or None
    except UnicodeDecodeError:
        pass
    raise invalid(WORKSPACE_HEADER, f"{WORKSPACE_HEADER} is a name in percent-encoded UTF-8, as Zo%C3%AB.")


def _another(message: str) -> ApiError:
    hint = "Check the connector's id; to call it whatever it is, say neither its kind nor its workspace."
    return ApiError(404, message, error_code="connector_not_found", hint=hint)


def _shown(text: str) -> str:
    return one_line(text)[:_LONGEST_SHOWN]
