"""A server in a process of its own, which the vendor's published client is pointed at."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

pytest.importorskip("airbyte_agent_sdk")

CONNECTORS = "/api/v1/integrations/connectors"
WORKSPACE = "acme"


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """What `plugbay serve --sandbox --json` prints."""
    folder: Path = tmp_path_factory.mktemp("server")
    command = [sys.executable, "-m", "plugbay.cli", "serve", "--sandbox", "--port", "0", "--json"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--db", f"sqlite:///{folder / 'plugbay.db'}"], stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()
            assert 0 == process.wait()
            assert process.stdout is not None
            process.stdout.close()


@pytest.fixture(scope="session", autouse=True)
def _pointed(served):
    """The environment names the server, as the published client reads it."""
    names = {
        "SDK_DEV_ADP_API_HOST": served["url"],
        "AIRBYTE_CLIENT_ID": served["client_id"],
        "AIRBYTE_CLIENT_SECRET": served["client_secret"],
    }
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    yield
    for name, value in before.items():
        with contextlib.suppress(KeyError):
            del os.environ[name]
        if value is not None:
            os.environ[name] = value


@pytest.fixture(scope="session")
def api(served):
    """A plain client of the server's API."""
    given = {name: served[name] for name in ("client_id", "client_secret")}
    with httpx.Client(base_url=served["url"], timeout=20) as client:
        token = client.post("/api/v1/account/applications/token", json=given).json()["access_token"]
        client.headers["authorization"] = f"Bearer {token}"
        yield client


@pytest.fixture(scope="session")
def zendesk(served):
    """A plain client of the sandbox, which knows what is true."""
    headers = {"authorization": f"Bearer {served['sandbox']['access_token']}"}
    with httpx.Client(base_url=served["sandbox"]["base_url"], headers=headers, timeout=20) as client:
        yield client


@pytest.fixture(scope="session")
def connectors(served, api):
    """The ids of a Support and a Talk connector in the workspace."""
    made = {}
    for kind in ("Zendesk-Support", "Zendesk-Talk"):
        body = {
            "workspace_name": WORKSPACE,
            "connector_type": kind,
            "credentials": {"access_token": served["sandbox"]["access_token"]},
            "replication_config": {"start_date": "2026-01-01T00:00:00Z"},
        }
        answer = api.post(CONNECTORS, json=body)
        assert 200 == answer.status_code, answer.text
        made[kind] = answer.json()["id"]
    return made
