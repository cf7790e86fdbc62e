from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from plugbay.sandbox import Sandbox

NOON = datetime(2026, 6, 17, 12, 0, tzinfo=UTC)


class Api:
    """A client of a sandbox that signs in by bearer token, unless told otherwise."""

    def __init__(self, sandbox: Sandbox, token: str | None = None) -> None:
        self.sandbox = sandbox
        self.http = httpx.Client(base_url=sandbox.base_url)
        self.token = token or sandbox.access_token

    def send(self, method: str, path: str, *, token: str | None = None, **kwargs: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {token or self.token}", **kwargs.pop("headers", {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        return self.http.request(method, path, headers=headers, **kwargs)

    def get(self, path: str, /, *, token: str | None = None, headers: Any = None, **params: Any) -> httpx.Response:
        return self.send("GET", path, token=token, headers=headers or {}, params=params or None)

    def json(self, path: str, /, **params: Any) -> Any:
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any, **kwargs: Any) -> httpx.Response:
        return self.send("POST", path, json=body, **kwargs)

    def put(self, path: str, body: Any, **kwargs: Any) -> httpx.Response:
        return self.send("PUT", path, json=body, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> httpx.Response:
        return self.send("DELETE", path, **kwargs)

    def ticket(self, **fields: Any) -> Any:
        given = {"subject": "A subject", "comment": {"body": "A body"}} | fields
        answer = self.post("/api/v2/tickets", {"ticket": given})
        assert answer.status_code == 201, answer.text
        return answer.json()["ticket"]


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seed=7, tickets=120, calls=60, plan=None, now=NOON) as running:
        yield running


@pytest.fixture(scope="module")
def api(sandbox: Sandbox) -> Iterator[Api]:
    api = Api(sandbox)
    yield api
    api.http.close()


@pytest.fixture
def basic_header():
    return basic


@pytest.fixture
def make_api() -> Iterator[Callable[[Sandbox], Api]]:
    made: list[Api] = []

    def make(sandbox: Sandbox) -> Api:
        made.append(Api(sandbox))
        return made[-1]

    yield make
    for api in made:
        api.http.close()
