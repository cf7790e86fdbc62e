"""The account's phone numbers."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Required, TypeAlias

from pydantic import Field
from typing_extensions import TypedDict

from plugbay import declare
from plugbay.connectors.zendesk.fields import Id
from plugbay.connectors.zendesk.paging import LinkPager
from plugbay.declare import Cursor, Entity, Limit, Listing, Rare

__all__ = ["PhoneNumber", "PhoneNumbers"]

PhoneNumberId: TypeAlias = Annotated[Id, Field(description="The phone number's id.")]
Include: TypeAlias = Sequence[Literal["settings", "ivrs", "all_greetings", "all_groups", "all_schedules"]]


class PhoneNumber(TypedDict, total=False):
    """A phone number as Zendesk gives it."""

    id: Required[int]
    number: str
    display_number: str
    nickname: str | None
    name: str
    country_code: str
    location: str
    line_type: str
    toll_free: bool
    external: bool
    recorded: bool
    transcription: bool
    voice_enabled: bool
    sms_enabled: bool
    outbound_enabled: bool
    priority: int
    default_group_id: int | None
    group_ids: list[int]
    ivr_id: int | None
    schedule_id: int | None
    brand_id: int | None
    greeting_ids: list[int]
    default_greeting_ids: list[str]
    failover_number: str | None
    call_recording_consent: str
    capabilities: dict[str, Any]
    created_at: str


class PhoneNumbers(Entity):
    """The account's phone numbers."""

    summary = ("id", "number", "nickname", "country_code", "line_type", "toll_free", "group_ids")

    @declare.listing("/api/v2/channels/voice/phone_numbers", records="phone_numbers", pager=LinkPager())
    def list(
        self,
        *,
        minimal_mode: Annotated[bool, Rare()] | None = None,
        limit: Limit | None = None,
        cursor: Cursor | None = None,
    ) -> Listing[PhoneNumber]:
        """All phone numbers; `minimal_mode` leaves most fields out."""
        ...

    @declare.get("/api/v2/channels/voice/phone_numbers/{phone_number_id}", record="phone_number")
    async def get(self, phone_number_id: PhoneNumberId, *, include: Include | None = None) -> PhoneNumber:
        """One phone number with its settings."""
        ...
