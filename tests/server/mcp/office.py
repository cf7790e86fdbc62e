"""What tests do with a server besides calling tools: connectors, policies, and clients of the protocol by hand."""

from __future__ import annotations

import base64
import hashlib
import secrets
from urllib.parse import urlencode

from .browser import answer_of

CONNECTORS = "/api/v1/integrations/connectors"
REDIRECT = "http://127.0.0.1:33418/callback"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()

JSON_RPC = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25"}


class Office:
    """One organization's client of the API.

    Args:
        running: The server.
        headers: With the client's token.
    """

    def __init__(self, running, headers):
        self.running = running
        self.http = running.http
        self.headers = headers

    async def connect(self, workspace="acme", kind="zendesk-support", **given):
        """A connector to the sandbox, by the API; its id."""
        body = {
            "workspace_name": workspace,
            "connector_type": kind,
            "credentials": {"access_token": self.running.sandbox.access_token},
            **({"replication_config": {"start_date": "2026-01-01T00:00:00Z"}} if kind == "zendesk-talk" else {}),
            **given,
        }
        answer = await self.http.post(CONNECTORS, json=body, headers=self.headers)
        assert answer.is_success, answer.text
        return answer.json()["id"]

    async def scoped(self, workspace="acme"):
        """A token of one workspace."""
        path = "/api/v1/account/applications/scoped-token"
        answer = await self.http.post(path, json={"workspace_name": workspace}, headers=self.headers)
        assert answer.is_success, answer.text
        return answer.json()["token"]

    async def call(self, token, method="tools/list", params=None, *, path="/mcp", **headers):
        """The answer to one message of the protocol."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
        given = {**JSON_RPC, **headers}
        if token is not None:
            given["authorization"] = f"Bearer {token}"
        return await self.http.post(path, json=body, headers=given)

    async def tools(self, token, **given):
        """The tools that a token is shown, by name."""
        answer = await self.call(token, **given)
        assert 200 == answer.status_code, answer.text
        return {tool["name"]: tool for tool in answer.json()["result"]["tools"]}

    async def use(self, token, entity, action, params=None, *, tool="zendesk_support_execute", **given):
        """The result of a tool call."""
        arguments = {"entity": entity, "action": action, "params": params or {}}
        answer = await self.call(token, "tools/call", {"name": tool, "arguments": arguments}, **given)
        assert 200 == answer.status_code, answer.text
        return answer.json()["result"]

    async def register(self, *redirects, **metadata):
        """The id of a client that registers itself."""
        body = {"client_name": "Test client", "redirect_uris": list(redirects or [REDIRECT]), **metadata}
        answer = await self.http.post("/oauth/register", json=body)
        assert 201 == answer.status_code, answer.text
        return answer.json()["client_id"]

    def question(self, client_id, **changed):
        """The address at which a client asks a person; a parameter that is None is left out."""
        given = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": REDIRECT,
            "state": "kept",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "resource": f"{self.running.server.settings.public_url}/mcp",
            **changed,
        }
        return "/oauth/authorize?" + urlencode({name: value for name, value in given.items() if value is not None})

    async def granted(self, browser, client_id=None, workspace="acme", **changed):
        """The client, and the code that a person's consent gives it."""
        client_id = client_id or await self.register()
        page = await browser.sign_in(
            self.running.client_id, self.running.client_secret, self.question(client_id, **changed)
        )
        return client_id, answer_of(await browser.decide(page, workspace))["code"]

    async def exchange(self, client_id, code, **changed):
        """The answer to a code that is given back; a field that is None is left out."""
        fields = {
            "grant_type": "authorization_code",
            "client_id": client_id,
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": VERIFIER,
            **changed,
        }
        return await self.post("/oauth/token", fields)

    async def refresh(self, client_id, token, **changed):
        """The answer to a refresh token that is given back."""
        fields = {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": token, **changed}
        return await self.post("/oauth/token", fields)

    async def post(self, path, fields):
        """The answer to a form."""
        return await self.http.post(path, data={name: value for name, value in fields.items() if value is not None})

    async def tokens(self, browser, **given):
        """A client, and the pair of tokens that a person's consent gives it."""
        client_id, code = await self.granted(browser, **given)
        answer = await self.exchange(client_id, code)
        assert 200 == answer.status_code, answer.text
        return client_id, answer.json()


def verifier():
    """A new verifier and its challenge."""
    made = secrets.token_urlsafe(32)
    return made, base64.urlsafe_b64encode(hashlib.sha256(made.encode()).digest()).rstrip(b"=").decode()
