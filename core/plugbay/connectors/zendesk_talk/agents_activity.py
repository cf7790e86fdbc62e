"""What agents did on the phone today."""

from collections.abc import Sequence
from typing import Annotated, Required

from pydantic import Field
from typing_extensions import TypedDict

from plugbay import declare
from plugbay.connectors.zendesk.paging import LinkPager
from plugbay.declare import Cursor, Entity, Limit, Listing

__all__ = ["AgentActivity", "AgentsActivity"]


class AgentActivity(TypedDict, total=False):
    """One agent's day on the phone as Zendesk gives it; times are in seconds."""

    agent_id: Required[int]
    name: str
    agent_state: str
    call_status: str | None
    via: str
    avatar_url: str
    forwarding_number: str | None
    calls_accepted: int
    calls_denied: int
    calls_missed: int
    calls_unreachable: int
    calls_put_on_hold: int
    accepted_transfers: int
    started_transfers: int
    accepted_third_party_conferences: int
    started_third_party_conferences: int
    online_time: int
    available_time: int
    away_time: int
    transfers_only_time: int
    total_call_duration: int
    total_talk_time: int
    total_hold_time: int
    total_wrap_up_time: int
    average_talk_time: int
    average_hold_time: int
    average_wrap_up_time: int


class AgentsActivity(Entity):
    """What each agent did on the phone today."""

    summary = (
        "agent_id", "name", "agent_state", "call_status", "calls_accepted", "calls_denied", "calls_missed",
        "total_talk_time",
    )  # fmt: skip

    @declare.listing(
        "/api/v2/channels/voice/stats/agents_activity",
        records="agents_activity",
        pager=LinkPager(),
        brief="today so far",
    )
    def list(
        self,
        *,
        group_ids: Annotated[Sequence[int], Field(description="Only agents of these groups.")] | None = None,
        limit: Limit | None = None,
        cursor: Cursor | None = None,
    ) -> Listing[AgentActivity]:
        """Each agent's calls taken, refused and missed, and seconds spent, since midnight in the account's time zone."""
        ...
