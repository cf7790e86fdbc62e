"""A workspace's connectors as tools: one for each, under names that stay the same as long as it is meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from plugbay.errors import clip
from plugbay.operation import Operation
from plugbay.plain_text import one_line
from plugbay.policy import Policy
from plugbay.result import Result
from plugbay.server.catalog import by_type
from plugbay.server.execution import Wish, run_action
from plugbay.server.failures import ApiError
from plugbay.server.policies import policy_of
from plugbay.tools import ToolSpec, execute_specs

if TYPE_CHECKING:
    from plugbay.server.mcp.gate import Visitor
    from plugbay.server.state import Server
    from plugbay.server.store import ConnectorRecord

__all__ = ["MOST_TOOLS", "Toolbox"]

MOST_TOOLS = 100
"""Connectors of one workspace that are offered, the oldest first: model providers take 128 tools at most."""

_SHORT_ID = 8
_LONGEST_NAME = 60


class Toolbox:
    """The tools of one visitor, looked up anew for each request.

    Args:
        server: The server.
        visitor: Who calls.
    """

    def __init__(self, server: Server, visitor: Visitor) -> None:
        self._server = server
        self._visitor = visitor

    async def list(self) -> Sequence[ToolSpec]:
        """A tool for each connector that is active."""
        records = await self._records()
        policy = await self._policy()
        slugs = _slugs(records)
        return [self._spec(each, slugs[each.id], policy) for each in records if each.status == "active"]

    async def find(self, name: str) -> ToolSpec | None:
        """The tool of a name; also of a connector that must be authorized again, which the call then says."""
        records = await self._records()
        slugs = _slugs(records)
        wanted = next((each for each in records if _name(slugs[each.id]) == name), None)
        return None if wanted is None else self._spec(wanted, slugs[wanted.id], await self._policy())

    async def _records(self) -> Sequence[ConnectorRecord]:
        caller = self._visitor.caller
        found = await self._server.connectors.list(
            caller.organization_id, workspace_id=caller.workspace_id, limit=MOST_TOOLS
        )
        return [each for each in found.items if by_type(each.connector_type) is not None]

    async def _policy(self) -> Policy | None:
        organization = await self._server.organizations.get(self._visitor.caller.organization_id)
        return None if organization is None else policy_of(organization.policy)

    def _spec(self, record: ConnectorRecord, slug: str, policy: Policy | None) -> ToolSpec:
        [spec] = execute_specs([Desk(self._server, self._visitor, record, slug, policy)])
        return spec


class Desk:
    """A connector of the server, as it is handed to tools: what is called is run and noted as for the API.

    Args:
        server: The server.
        visitor: Who calls.
        record: The connector.
        slug: What its tool is named after.
        policy: Its organization's.
    """

    def __init__(
        self, server: Server, visitor: Visitor, record: ConnectorRecord, slug: str, policy: Policy | None
    ) -> None:
        definition = by_type(record.connector_type)
        if definition is None:
            raise LookupError(record.connector_type)
        self._server = server
        self._visitor = visitor
        self._record_id = record.id
        self.slug = slug
        self.title = _title(definition.connector.title, record)
        self.operations: Mapping[str, Mapping[str, Operation]] = definition.connector.operations
        self.entity_docs: Mapping[str, str] = definition.connector.entity_docs
        self.policy = policy

    async def execute(self, entity: str, action: str, params: Mapping[str, Any] | None = None) -> Result:
        """The result of an action, by the way of the API's execute.

        Raises:
            PlugbayError: Any failure.
        """
        wish = Wish(entity, action, params or {}, request_id=self._visitor.request_id)
        try:
            executed = await run_action(self._server, self._visitor.caller, self._record_id, wish)
        except ApiError as refused:
            raise refused.error from None
        return executed.result


def _slugs(records: Sequence[ConnectorRecord]) -> dict[str, str]:
    """What each connector's tool is named after.

    Where there are several of a type each has a part of its id, and none has the plain name: a client that still
    knows an older list must never reach another account than it was shown.
    """
    counts = Counter(each.connector_type for each in records)
    return {
        each.id: each.connector_type
        if counts[each.connector_type] == 1
        else f"{each.connector_type}-{each.id[:_SHORT_ID]}"
        for each in records
    }


def _name(slug: str) -> str:
    return f"{slug.replace('-', '_')}_execute"


def _title(title: str, record: ConnectorRecord) -> str:
    """The service, and which of its accounts: people name connectors, and a name is data like any other."""
    own = clip(one_line(record.name).strip(), _LONGEST_NAME)
    account = f"{own}, {record.subdomain}" if own.lower().replace("-", " ") != title.lower() else record.subdomain
    return f"{title} ({account})"
