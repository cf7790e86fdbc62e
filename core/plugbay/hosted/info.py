"""What the hosted service tells of a connector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plugbay.errors import ResponseIntegrityError
from plugbay.hosted.segments import checked_id
from plugbay.json_safe import is_object

if TYPE_CHECKING:
    from typing import Self

__all__ = ["ConnectorInfo"]


@dataclass(frozen=True, slots=True)
class ConnectorInfo:
    """A connector of a workspace.

    Attributes:
        id: What `connector_id` takes.
        name: Its name, for people.
        definition_id: What the service knows its kind by, if it says so.
        kind: The slug of its kind, as `zendesk-support`, if the service says so.
        status: "active", or "needs_reauth" if its credentials have to be given again; None if the service does not say.
        created_at: When it was made, as the service wrote it.
        updated_at: When it was changed, as the service wrote it.
        check: Of a new connector: whether its credentials work, as "succeeded" or "inconclusive"; None if nobody tried.
        check_message: What the check says, if anything.
    """

    id: str
    name: str
    definition_id: str | None = None
    kind: str | None = None
    status: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    check: str | None = None
    check_message: str | None = None

    @classmethod
    def read(cls, item: Any) -> Self:
        """The connector that an answer describes.

        Raises:
            ResponseIntegrityError: It describes none.
        """
        if not is_object(item):
            raise ResponseIntegrityError("The hosted service did not describe the connector that was promised.")
        number = checked_id(item.get("id"), "connector, as the hosted service told it,", ResponseIntegrityError)
        template = _object(item, "summarized_source_template") or _object(item, "source_template")
        check = _object(item, "check")
        definition = _text(template, "actor_definition_id") or _text(item, "definition_id")
        return cls(
            id=number,
            name=_text(item, "name") or "",
            definition_id=None if definition is None else definition.lower(),
            # The service writes it as a title, and compares it without regard to case.
            kind=(_text(template, "name") or "").lower() or None,
            status=_text(item, "status"),
            created_at=_text(item, "created_at"),
            updated_at=_text(item, "updated_at"),
            check=_text(check, "status"),
            check_message=_text(check, "error_message"),
        )


def _object(item: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = item.get(name)
    return value if is_object(value) else {}


def _text(item: Mapping[str, Any], name: str) -> str | None:
    value = item.get(name)
    return value if isinstance(value, str) else None
