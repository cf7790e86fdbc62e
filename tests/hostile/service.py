"""Connectors to a service that is a function, and what there is to call on them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from hypothesis import strategies as st

from plugbay import PlugbayError
from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector, ZendeskTalkOauth20AuthConfig
from plugbay.transport import RetryPolicy

SECRET = "s3cret-access-token"
HOST = "acme.zendesk.com"

CONFIGS = {
    ZendeskSupportConnector: ZendeskSupportOauth20AuthConfig,
    ZendeskTalkConnector: ZendeskTalkOauth20AuthConfig,
}
OPERATIONS = [
    (kind, operation) for kind in CONFIGS for actions in kind.operations.values() for operation in actions.values()
]
ARGUMENTS = {
    "tickets.create": {"comment": "c"},
    "tickets.update": {"subject": "s"},
    "tickets.search": {"query": "q"},
    "tickets.incremental_export": {"start_time": 1},
    "ticket_comments.create": {"body": "b"},
    "calls.list": {"start_time": 1},
}
"""What each action needs besides the ids in its path."""

CONTROLS = [*map(chr, (*range(0x20), *range(0x7F, 0xA0))), "\u2028", "\u2029"]
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\ufffe\uffff"
    "\U000e0000-\U000e0fff]|[\ufe00-\ufe0f]{2}"
)
"""What no model is given."""

hostile_texts = st.lists(
    st.sampled_from(
        [
            *CONTROLS,
            *"\u200b\u202e\u2066\u2069\ufeff\ufe0f\ufe0f\u200d\U000e0041",
            "\x1b[2J",
            "&x=1",
            "#",
            "%00",
            "é",
            "日",
        ]
    )
    | st.characters(exclude_categories=["Cs"]),
    max_size=12,
).map("".join)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | hostile_texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(hostile_texts, inner, max_size=4),
    max_leaves=8,
)


class Service:
    """Plays the service: gives an answer to every request, and keeps the requests.

    Args:
        answer: A response, JSON for status 200, or a function of the request that gives one of them.
    """

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answer(request) if callable(self.answer) else self.answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return httpx.Response(200, content=json.dumps(answer).encode())

    def targets(self) -> list[str]:
        """Where each request went, as it stood on the wire."""
        return [f"{request.url.host}{request.url.raw_path.decode()}" for request in self.requests]


def connect(service: Service, kind: Any = ZendeskSupportConnector, **settings: Any) -> Any:
    """A connector whose requests the service answers."""
    settings = {"subdomain": "acme", "max_attempts": 1, "http": httpx.MockTransport(service)} | settings
    config = settings.pop("auth_config", None) or CONFIGS[kind](access_token=SECRET)
    return kind(config, **settings)


def called(
    service: Service, act: Callable[[Any], Awaitable[Any]], kind: Any = ZendeskSupportConnector, **settings: Any
) -> Any:
    """What `act` gives for a connector to the service, or the library's error it ends with; others are let out."""

    async def call() -> Any:
        async with connect(service, kind, **settings) as connector:
            return await act(connector)

    try:
        return asyncio.run(call())
    except PlugbayError as error:
        return error


def arguments_of(operation: Any, value: Any = 1) -> dict[str, Any]:
    """Arguments with which an action is called rightly, with `value` for each id in its path."""
    in_path = [name for name, parameter in operation.arguments.parameters.items() if parameter.location == "path"]
    return {**dict.fromkeys(in_path, value), **ARGUMENTS.get(operation.name, {})}


def patient() -> RetryPolicy:
    """Tries again without waiting."""

    async def sleep(seconds: float) -> None:
        del seconds

    return RetryPolicy(sleep=sleep)
