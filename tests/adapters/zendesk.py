"""A Zendesk played by a plain function, and connectors to it."""

from __future__ import annotations

import asyncio
import json

import httpx

from plugbay.connectors.zendesk_support import ZendeskSupportConnector
from plugbay.connectors.zendesk_support.models import ZendeskSupportOauth20AuthConfig
from plugbay.context import current_tool_call

SECRET = "secret-token-value"
TICKET = {"id": 7, "subject": "Größe „XL“", "status": "open", "priority": None, "tags": []}
SHORT = {"id": 7, "subject": "Größe „XL“", "status": "open"}
"""What tools give of `TICKET`: without empty values."""


class Zendesk:
    """Knows ticket 7; ticket 500 breaks it, and ticket 99 makes it wait until it is told to go on."""

    def __init__(self):
        self.requests = []
        self.call_ids = []
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()
        self.broken_off = False

    async def __call__(self, request):
        self.requests.append((request.method, request.url.path, json.loads(request.content or b"null")))
        call = current_tool_call()
        self.call_ids.append(call.call_id if call else None)
        assert request.headers["authorization"] == f"Bearer {SECRET}"
        if request.url.path.endswith("/99"):
            await self._wait()
        if request.url.path.endswith("/500"):
            return httpx.Response(500, json={"error": "InternalError"})
        if request.url.path == "/api/v2/tickets":
            return httpx.Response(200, json={"tickets": [TICKET], "meta": {"has_more": False}})
        if request.url.path == "/api/v2/tickets/7":
            changes = json.loads(request.content)["ticket"] if request.content else {}
            return httpx.Response(200, json={"ticket": TICKET | changes})
        return httpx.Response(404, json={"error": "RecordNotFound", "description": "Not found"})

    async def _wait(self):
        self.asked.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.broken_off = True
            raise

    def connector(self, kind=ZendeskSupportConnector, **settings):
        """A connector to this Zendesk that tries every call once."""
        return kind(
            ZendeskSupportOauth20AuthConfig(access_token=SECRET),
            subdomain="acme",
            http=httpx.MockTransport(self),
            max_attempts=1,
            **settings,
        )
