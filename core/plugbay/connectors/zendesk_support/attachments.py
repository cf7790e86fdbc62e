"""Files that came with comments."""

from typing import Annotated, Any, Literal, Required, TypeAlias

from pydantic import Field
from typing_extensions import TypedDict

from plugbay import declare
from plugbay.connectors.zendesk.fields import Id
from plugbay.connectors.zendesk.hosts import FILE_HOSTS
from plugbay.declare import Download, Entity

__all__ = ["Attachment", "Attachments", "FilePart"]

AttachmentId: TypeAlias = Annotated[Id, Field(description="The attachment's id, from a comment.")]


class Attachment(TypedDict, total=False):
    """An attachment as Zendesk gives it."""

    id: Required[int]
    file_name: str
    content_type: str
    content_url: str
    mapped_content_url: str
    size: int
    inline: bool
    deleted: bool
    width: int | None
    height: int | None
    malware_scan_result: str
    thumbnails: list[dict[str, Any]]


class FilePart(TypedDict):
    """Part of a file: text where it is text, base64 otherwise."""

    file_name: str | None
    content_type: str | None
    size: int | None
    offset: int
    length: int
    encoding: Literal["utf-8", "base64"]
    content: str


class Attachments(Entity):
    """Files that came with comments."""

    summary = ("id", "file_name", "content_type", "size")

    @declare.get("/api/v2/attachments/{attachment_id}", record="attachment")
    async def get(self, attachment_id: AttachmentId) -> Attachment:
        """What is known of an attachment, without its content."""
        ...

    @declare.download("/api/v2/attachments/{attachment_id}", record="attachment", url="content_url", hosts=FILE_HOSTS)
    def download(
        self,
        attachment_id: AttachmentId,
        *,
        offset: Annotated[int, Field(ge=0, description="Bytes to pass over.")] = 0,
        max_bytes: Annotated[int, Field(ge=1, le=32 * 2**20, description="Most bytes to return; 16384 if left out.")]
        | None = None,
    ) -> Download[FilePart]:
        """Part of an attachment's content, as text or base64."""
        ...
