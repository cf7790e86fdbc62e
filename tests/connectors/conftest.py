"""Connectors over a plain function that answers, instead of the network."""

from __future__ import annotations

import json
import os
from typing import Any

import httpx
import pytest

from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector, ZendeskTalkOauth20AuthConfig

CONFIGS = {
    ZendeskSupportConnector: ZendeskSupportOauth20AuthConfig,
    ZendeskTalkConnector: ZendeskTalkOauth20AuthConfig,
}


class Service:
    """Plays the service: gives its answers one by one, the last for ever, and keeps what it was asked.

    An answer is a JSON value for status 200, a pair of status and value, a response, or a function of the request.
    """

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        return httpx.Response(status, json=body)

    @property
    def sent(self) -> list[tuple[str, str, dict[str, str], Any]]:
        """Method, path, query and JSON body of each request."""
        return [
            (
                request.method,
                request.url.path,
                dict(request.url.params),
                json.loads(request.content) if request.content else None,
            )
            for request in self.requests
        ]


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names no Zendesk."""
    for name in [name for name in os.environ if name.startswith("ZENDESK_")]:
        monkeypatch.delenv(name)


@pytest.fixture
async def connected():
    """Makes a connector whose requests a service answers, and gives both."""
    made = []

    def make(*answers: Any, kind: Any = ZendeskSupportConnector, **settings: Any) -> Any:
        service = Service(*answers)
        settings = {"subdomain": "acme", "max_attempts": 1, "http": httpx.MockTransport(service)} | settings
        config = settings.pop("auth_config", None) or CONFIGS[kind](access_token="s3cret-access")
        made.append(kind(config, **settings))
        return made[-1], service

    yield make
    for connector in made:
        await connector.close()


@pytest.fixture
def support(connected):
    """`connected` for Zendesk Support."""
    return connected


@pytest.fixture
def talk(connected):
    """`connected` for Zendesk Talk."""
    return lambda *answers, **settings: connected(*answers, kind=ZendeskTalkConnector, **settings)
