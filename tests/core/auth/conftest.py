"""A token endpoint without a transport."""

from __future__ import annotations

import asyncio

import pytest

from plugbay.auth import TokenAnswer


class Endpoint:
    """Rotates: each refresh token buys one pair. Use it as the `Exchange`."""

    def __init__(self):
        self.generation = 0
        self.bodies = []
        self.failure = None
        self.expires_in = None

    async def __call__(self, path, body):
        self.bodies.append(dict(body))
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        if body["grant_type"] == "refresh_token" and body["refresh_token"] != f"r{self.generation}":
            return TokenAnswer(400, {"error": "invalid_grant"})
        self.generation += 1
        answer = {"access_token": f"a{self.generation}", "refresh_token": f"r{self.generation}", "scope": "read"}
        return TokenAnswer(201, answer | ({"expires_in": self.expires_in} if self.expires_in else {}))


class Clock:
    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def endpoint():
    return Endpoint()


@pytest.fixture
def clock():
    return Clock()
