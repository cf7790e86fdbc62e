"""A small connector to a service that a plain function plays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Required

import httpx
import pytest
from pydantic import Field, SecretStr
from typing_extensions import TypedDict

from plugbay import declare
from plugbay.auth import BasicToken
from plugbay.connector import Connector
from plugbay.connectors.zendesk.errors import read_error
from plugbay.connectors.zendesk.paging import CursorPager, OffsetPager
from plugbay.connectors.zendesk_support import ZendeskSupportConnector
from plugbay.connectors.zendesk_support.models import ZendeskSupportOauth20AuthConfig
from plugbay.declare import UNSET, Cursor, Entity, Limit, Listing
from plugbay.executor import LocalExecutor
from plugbay.transport import Transport


class Box(TypedDict, total=False):
    """A box."""

    id: Required[int]
    name: str
    state: str


class Label(TypedDict, total=False):
    """Glued to a box."""

    text: Required[str]
    colour: Literal["red", "light-green"]
    weight: int
    loud: bool


BoxId = Annotated[int, Field(ge=1, description="The number on the box.")]
Size = Annotated[int, Field(ge=1, le=9)]
State = Literal["open", "closed"]


class Boxes(Entity):
    """Boxes in the cellar."""

    summary = ("id", "name")

    @declare.listing("/boxes", records="boxes", pager=CursorPager())
    def list(
        self,
        *,
        shelf: str | None = None,
        state: State | None = None,
        limit: Limit | None = None,
        cursor: Cursor | None = None,
    ) -> Listing[Box]:
        """All boxes."""
        ...

    @declare.listing(
        "/boxes/search",
        records="boxes",
        pager=OffsetPager(ceiling=300, beyond="Narrow the query."),
        fixed=(("v", "2"),),
    )
    def search(self, query: str, *, limit: Limit | None = None, cursor: Cursor | None = None) -> Listing[Box]:
        """Boxes that match."""
        ...

    @declare.get("/boxes/{box_id}", record="box")
    async def get(self, box_id: BoxId, *, include: Sequence[Literal["lid", "lock"]] | None = None) -> Box:
        """One box.

        It may be empty.
        """
        ...

    @declare.get("/plain/{box_id}")
    async def plain(self, box_id: BoxId) -> Box:
        """One box whose answer is the record."""
        ...

    @declare.create("/boxes", record="box", body="box")
    async def create(
        self,
        *,
        name: Annotated[str, Field(min_length=1)],
        size: Size = 1,
        state: State | None = None,
        label: Label | None = None,
        labels: Sequence[Label] | None = None,
        tags: Sequence[str] | None = None,
        contents: dict[str, Any] | None = None,
        sealed: bool | None = None,
    ) -> Box:
        """Make a box."""
        ...

    @declare.update("/boxes/{box_id}", record="box", body="box")
    async def update(
        self,
        box_id: BoxId,
        *,
        name: str | None = None,
        owner: int | None = UNSET,
        kind: Annotated[str | None, declare.Wire(name="box_kind")] = None,
        dry: Annotated[bool | None, declare.Wire(location="query")] = None,
    ) -> Box:
        """Change a box."""
        ...

    @declare.delete("/boxes/{box_id}")
    async def delete(self, box_id: BoxId) -> None:
        """Burn a box."""
        ...


class Things(Entity):
    """Things with texts for keys."""

    @declare.get("/things/{key}/parts/{part}", record="thing")
    async def get(self, key: str, part: str) -> dict[str, Any]:
        """One part of a thing."""
        ...

    @declare.create("/things/{key}/notes", body="thing.note", record="note", method="PUT")
    async def annotate(self, key: str, text: str, *, loud: bool = False) -> dict[str, Any]:
        """Write a note."""
        ...


class Files(Entity):
    """Files."""

    @declare.download("/files/{file_id}", record="file", url="url", hosts=(".example.net",))
    async def download(self, file_id: int, *, offset: int = 0, max_bytes: int | None = None) -> dict[str, Any]:
        """Part of a file."""
        ...


class Cellar(Connector):
    """A cellar."""

    slug = "the-cellar"
    title = "Cellar"

    boxes = declare.entity(Boxes)
    things = declare.entity(Things)
    files = declare.entity(Files)


class World:
    """Makes connectors whose service is a function, and remembers what they sent."""

    Cellar = Cellar
    Boxes = Boxes

    def __init__(self):
        self.requests = []

    def cellar(self, answer=None, **settings):
        """A connector; `answer` is JSON, or a function from a request to JSON or to a response."""
        transport = Transport(
            "https://cellar.example.com",
            BasicToken("me", SecretStr("s3cret")),
            read_error=read_error,
            max_attempts=1,
            http=httpx.MockTransport(self._handler(answer)),
        )
        return Cellar(LocalExecutor(transport), **settings)

    def support(self, answer=None, **settings):
        """Zendesk Support at acme."""
        config = ZendeskSupportOauth20AuthConfig(access_token=SecretStr("s3cret"))
        http = httpx.MockTransport(self._handler(answer))
        return ZendeskSupportConnector(config, subdomain="acme", http=http, max_attempts=1, **settings)

    def _handler(self, answer):
        def handle(request):
            self.requests.append(request)
            given = answer(request) if callable(answer) else answer
            return given if isinstance(given, httpx.Response) else httpx.Response(200, json=given)

        return handle


@pytest.fixture
def world():
    return World()


@pytest.fixture(scope="session")
def worlds():
    """For properties, which want a new world for each example."""
    return World
