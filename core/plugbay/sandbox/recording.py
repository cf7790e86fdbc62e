"""Keeps what arrived, for tests to look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plugbay.sandbox import sabotage
from plugbay.sandbox.failure import Failure


@dataclass
class RecordedRequest:
    """A request as it arrived; `status` is None until it has been answered, and stays so if it never was.

    `origin` is "main" for the Zendesk host, "files" for the host that serves the bytes of attachments. `failure` is how
    the request was made to fail, None if it was not.
    """

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    status: int | None = None
    origin: str = "main"
    response_headers: dict[str, str] = field(default_factory=dict[str, str])
    failure: Failure | None = None


class Recorder:
    """An application around another that notes each request before it is handled, and lets some of them fail.

    Args:
        inner: The application that answers.
        requests: The list that grows.
        origin: What to call this host.
        choose: Says how a request is to fail, if it is; asked once for each that has arrived whole.
    """

    def __init__(
        self,
        inner: ASGIApp,
        requests: list[RecordedRequest],
        origin: str,
        choose: Callable[[RecordedRequest], Failure | None],
    ) -> None:
        self._inner = inner
        self._requests = requests
        self._origin = origin
        self._choose = choose

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        body, whole = await _read(receive)
        record = _describe(scope, body, self._origin)
        self._requests.append(record)
        if not whole:
            return

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
                record.response_headers = _headers(message["headers"])
            await send(message)

        record.failure = self._choose(record)
        again = _replay(record.body, receive)
        if record.failure is None:
            await self._inner(scope, again, note)
        else:
            await sabotage.carry_out(record.failure, self._inner, scope, again, note)


def _describe(scope: Scope, body: bytes, origin: str) -> RecordedRequest:
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return RecordedRequest(scope["method"], scope["path"], query, _headers(scope["headers"]), body, None, origin)


def _headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw}


async def _read(receive: Receive) -> tuple[bytes, bool]:
    """The body, and whether all of it came; half a request must not be carried out."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts), False
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts), True


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body once more, then whatever comes after it."""
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
