"""A server without the extra that speaks the protocol."""

from __future__ import annotations

import json
import subprocess
import sys

CODE = """
import asyncio, json, sys

for name in ("fastmcp", "mcp", "mcp_types"):
    sys.modules[name] = None  # as if it were not installed: importing it is an ImportError

import httpx
from plugbay.server.app import create_app
from plugbay.server.run import first_access, opened
from plugbay.server.settings import Settings

async def main():
    async with opened(Settings(database_url="sqlite://")) as server:
        app = create_app(server)
        access = await first_access(server)
        transport = httpx.ASGITransport(app=app)
        async with app.router.lifespan_context(app), httpx.AsyncClient(
            transport=transport, base_url=server.settings.public_url
        ) as http:
            secret = access.client_secret.get_secret_value()
            body = {"client_id": access.client_id, "client_secret": secret}
            token = (await http.post("/api/v1/account/applications/token", json=body)).json()["access_token"]
            headers = {"authorization": f"Bearer {token}"}
            mcp = await http.post("/mcp", json={}, headers=headers)
            others = [
                (await http.get("/api/v1/workspaces", headers=headers)).status_code,
                (await http.get("/.well-known/oauth-authorization-server")).status_code,
                (await http.get("/sign-in")).status_code,
            ]
            print(json.dumps([mcp.status_code, mcp.json()["error"]["data"], others]))

asyncio.run(main())
"""


def test_everything_else_works():
    """Without the extra /mcp answers 501 and names the extra; the API, the pages and the metadata are there."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", CODE], capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr
    status, error, others = json.loads(done.stdout)

    assert 501 == status
    assert "the extra `fastmcp` is not installed" in error["message"]
    assert 'pip install "plugbay[server,fastmcp]"' in error["hint"]
    assert [200, 200, 200] == others
