"""A token endpoint without a transport."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from plugbay.auth import FileTokenStore, TokenAnswer, Tokens
from plugbay.connectors.zendesk_support import ZendeskSupportConnector
from plugbay.connectors.zendesk_support.models import ZendeskSupportOauth20AuthConfig as Oauth20AuthConfig
from plugbay.sandbox import Sandbox, oauth, seeding


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


class Child:
    """A process that the zygote forked off for a job, and two pipes to it."""

    def __init__(self, pid, from_it, to_it):
        self.pid = pid
        self._from_it = from_it.open()
        self._to_it = to_it.open("w")

    def say(self, word):
        print(word, file=self._to_it, flush=True)

    def line(self):
        """What it says next; empty when it has ended."""
        return self._from_it.readline().rstrip("\n")

    def wait(self):
        """Everything it has still to say, once it has ended."""
        return self._from_it.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._to_it.close()
        self._from_it.close()


class Zygote:
    """Forks off a child for each job; see zygote.py."""

    def __init__(self, directory):
        self._directory = directory
        self._numbers = itertools.count()
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("zygote.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, job):
        pipes = [self._directory / f"{next(self._numbers)}" for _ in range(2)]
        for pipe in pipes:
            os.mkfifo(pipe)
        self._process.stdin.write(json.dumps(job | {"pipes": [str(pipe) for pipe in pipes]}) + "\n")
        self._process.stdin.flush()
        return Child(int(self._process.stdout.readline()), *pipes)

    def end(self):
        self._process.communicate()


@pytest.fixture(scope="session")
def zygote(tmp_path_factory):
    if not hasattr(os, "fork"):
        pytest.skip("there is no fork")
    zygote = Zygote(tmp_path_factory.mktemp("zygote"))
    yield zygote
    zygote.end()


class Rotating:
    """A sandbox whose pairs live for half an hour of its own time, with one of them in a file."""

    def __init__(self, sandbox, path):
        self.sandbox = sandbox
        self.store = FileTokenStore(path)
        self.job = {
            "path": str(path),
            "base_url": sandbox.base_url,
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
        }

    def new_pair(self):
        """A pair such as signing in gives."""
        account = self.sandbox.account
        client, owner, now = account.clients["sandbox_app"], seeding.admin(account)["id"], account.clock.timestamp()
        ends = {"expires_at": now + oauth.ACCESS_LIFETIME, "refresh_expires_at": now + oauth.REFRESH_LIFETIME}
        token = oauth.new_token(account, client, owner, "read write", **ends)
        return Tokens(SecretStr(token.access), SecretStr(token.refresh))

    def authorize(self):
        """Put a new pair into the file."""
        asyncio.run(self.store.save(self.new_pair()))

    def expire(self):
        self.sandbox.clock.advance(oauth.ACCESS_LIFETIME + 1)

    def exchanges(self, status=201):
        """How many exchanges were answered so."""
        return [(sent.path, sent.status) for sent in self.sandbox.requests].count(("/oauth/tokens", status))

    def connector(self, **settings):
        config = Oauth20AuthConfig(client_id=self.job["client_id"], client_secret=self.job["client_secret"])
        # The sandbox speaks plain http: without the certificates a connector costs a tenth.
        own = {"token_store": self.store, "http": httpx.AsyncHTTPTransport(verify=False)}
        return ZendeskSupportConnector(config, base_url=self.job["base_url"], **(own | settings))


@pytest.fixture
def rotating(tmp_path):
    with Sandbox(tickets=3, calls=1, plan=None) as sandbox:
        rotating = Rotating(sandbox, tmp_path / "plugbay" / "tokens.json")
        rotating.authorize()
        yield rotating
