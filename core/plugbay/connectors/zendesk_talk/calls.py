"""Calls."""

from typing import Any, Required

from typing_extensions import TypedDict

from plugbay import declare
from plugbay.connectors.zendesk.fields import Instant
from plugbay.connectors.zendesk.paging import TimePager
from plugbay.declare import Cursor, Entity, Limit, Listing

__all__ = ["Call", "Calls"]


class Call(TypedDict, total=False):
    """A call as Zendesk gives it; times are in seconds."""

    id: Required[int]
    created_at: str
    updated_at: str
    direction: str
    completion_status: str
    agent_id: int | None
    customer_id: int | None
    ticket_id: int | None
    phone_number: str | None
    phone_number_id: int
    call_group_id: int | None
    call_charge: str | None
    call_channel: str | None
    duration: int
    talk_time: int
    hold_time: int
    wait_time: int
    wrap_up_time: int
    consultation_time: int
    recording_time: int
    time_to_answer: int | None
    minutes_billed: int | None
    line: str | None
    line_id: int | None
    line_type: str | None
    voicemail: bool
    callback: bool
    callback_source: str | None
    default_group: bool
    overflowed: bool | None
    overflowed_to: str | None
    outside_business_hours: bool
    exceeded_queue_wait_time: bool
    customer_requested_voicemail: bool
    ivr_action: str | None
    ivr_destination_group_name: str | None
    ivr_hops: int | None
    ivr_routed_to: str | None
    ivr_time_spent: int | None
    quality_issues: list[Any] | None


class Calls(Entity):
    """Calls that came in and went out."""

    summary = (
        "id", "created_at", "direction", "completion_status", "agent_id", "customer_id", "ticket_id", "duration",
        "talk_time", "wait_time",
    )  # fmt: skip

    @declare.listing(
        "/api/v2/channels/voice/stats/incremental/calls",
        records="calls",
        pager=TimePager(),
        brief="changed since then",
        long_work=True,
    )
    def list(self, *, start_time: Instant, limit: Limit | None = None, cursor: Cursor | None = None) -> Listing[Call]:
        """Calls changed since a moment, oldest change first; ten requests a minute.

        The cursor at the end goes on later with the calls of the time since.
        """
        ...
