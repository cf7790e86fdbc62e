"""How long the text is that tells a model of a connector, per operation.

The baseline is the tool text of the connectors that a published agent library has for the same services: its length
and its number of operations, counted once and written here.
"""

from __future__ import annotations

from rows import Row

from plugbay.connectors.zendesk_support import ZendeskSupportConnector
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector

__all__ = ["tool_text"]

PUBLISHED = {"zendesk-support": (29_809, 46), "zendesk-talk": (12_145, 16)}
"""Characters and operations."""


def tool_text(rounds: int) -> list[Row]:  # noqa: ARG001 - a length is the same every time
    """Characters per operation."""
    rows: list[Row] = []
    for connector in (ZendeskSupportConnector, ZendeskTalkConnector):
        operations = sum(len(actions) for actions in connector.operations.values())
        length, of = PUBLISHED[connector.slug]
        what = f"tool text of {connector.slug}, characters per operation"
        rows.append(Row(what, len(connector.describe()) / operations, length / of, ""))
    return rows
