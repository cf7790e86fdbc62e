"""Endpoints of no use, for tests of what every endpoint has around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, SecretStr
from starlette.responses import Response, StreamingResponse

from plugbay import errors
from plugbay.server import api
from plugbay.server.endpoint import Call, Endpoint, endpoint

TOKEN: Endpoint = next(each for each in api.ENDPOINTS if each.path == "/api/v1/account/applications/token")


class Part(BaseModel):
    name: str = Field(max_length=50)
    weight: float = 1.0


class NewThing(BaseModel):
    """A thing to be made."""

    name: str = Field(min_length=1, max_length=50)
    count: int = 0
    kind: Literal["small", "large"] = "small"
    parts: list[Part] = Field(default=[], max_length=5)
    secret: SecretStr | None = None
    more: dict[str, Any] = {}


class Thing(BaseModel):
    """A thing."""

    id: str
    name: str
    count: int
    more: dict[str, Any] = {}


class Filter(BaseModel):
    """Which things."""

    name_contains: str | None = Field(default=None, max_length=50)
    limit: int = Field(default=20, ge=1, le=100)
    tags: list[Annotated[str, Field(max_length=20)]] | None = Field(default=None, max_length=5)


class Found(BaseModel):
    """What was found."""

    name_contains: str | None
    limit: int
    tags: list[str] | None
    caller: str | None


@endpoint("POST", "/api/v1/things", summary="Make a thing", body=NewThing, answer=Thing, status=201, tag="Things")
async def make(call: Call[NewThing]) -> Thing:
    """Makes a thing that nobody keeps."""
    return Thing(id="t-1", name=call.body.name, count=call.body.count, more=call.body.more)


@endpoint("GET", "/api/v1/things", summary="List things", query=Filter, answer=Found, tag="Things")
async def list_things(call: Call[None, Filter]) -> Found:
    return Found(**call.query.model_dump(), caller=call.caller.client_id)


@endpoint("GET", "/api/v1/things/{thing_id}", summary="Get a thing", answer=Thing, auth="application", tag="Things")
async def get(call: Call) -> Thing:
    return Thing(id=call.path["thing_id"], name="A thing", count=0)


@endpoint("DELETE", "/api/v1/things/{thing_id}", summary="Delete a thing", status=204, auth="admin", tag="Things")
async def delete(_call: Call) -> None:
    return None


@endpoint(
    "POST", "/api/v1/things/echo", summary="Say it again", body=NewThing, body_optional=True, answer=Thing, auth="none"
)
async def echo(call: Call[NewThing | None]) -> Thing:
    return Thing(id="t-1", name="nothing" if call.body is None else call.body.name, count=0)


@endpoint("GET", "/api/v1/file", summary="Get a file", streams=True, auth="none")
async def file(_call: Call) -> Response:
    return Response(b"\x89PNG", media_type="image/png")


FAILURES: dict[str, Exception] = {
    **{kind.code: kind("It failed.", details={"why": "so"}) for kind in errors.PlugbayError.__subclasses__()},
    "busy": errors.RateLimitedError("Wait.", retry_after=2.4),
    "unexpected": KeyError("hunter2"),
}


@endpoint("GET", "/api/v1/failures/{name}", summary="Fail", auth="none")
async def fail(call: Call) -> None:
    password = "hunter2-local"
    del password
    raise FAILURES[call.path["name"]]


class Gate:
    """Lets a test decide when a handler goes on."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.open = asyncio.Event()

    def endpoints(self) -> list[Endpoint]:
        @endpoint("GET", "/api/v1/gate", summary="Wait", auth="none", answer=Thing)
        async def wait(_call: Call) -> Thing:
            self.entered.set()
            await self.open.wait()
            return Thing(id="t-1", name="Waited", count=0)

        @endpoint("GET", "/api/v1/stream", summary="Stream", auth="none", streams=True)
        async def stream(_call: Call) -> Response:
            return StreamingResponse(self._pieces(), media_type="application/octet-stream")

        return [wait, stream]

    async def _pieces(self) -> AsyncIterator[bytes]:
        yield b"first"
        self.entered.set()
        await self.open.wait()
        yield b"second"


ENDPOINTS: list[Endpoint] = [make, list_things, get, delete, echo, file]
