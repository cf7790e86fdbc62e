"""Somebody else's application sends a person through the consent, as the published pages describe it."""

from __future__ import annotations

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from plugbay import connect
from plugbay.hosted import Workspace


class Landing(BaseHTTPRequestHandler):
    """The page of the application at which the browser ends up."""

    def do_GET(self) -> None:
        page = b'<!doctype html><html lang="en"><head><link rel="icon" href="data:,"></head><h1>Back</h1></html>'
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def landing():
    """The address at which the application waits for the browser."""
    with HTTPServer(("127.0.0.1", 0), Landing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/oauth/callback"
        server.shutdown()
        thread.join()


def client_of(site):
    """How the application reaches the server."""
    running = site.running
    return {"api_url": site.url, "client_id": running.client_id, "client_secret": running.client_secret}


@pytest.mark.parametrize("slug", ["zendesk-support", "zendesk-talk"])
def test_a_person_of_an_application_connects_and_its_agent_calls(site, browser, landing, slug):
    """The browser comes back with a connector_id, by which the application's agent calls, as it does by the workspace."""
    call = {"zendesk-support": ("tickets", "list"), "zendesk-talk": ("phone_numbers", "list")}[slug]

    async def begin() -> str:
        async with Workspace("their customer", **client_of(site)) as workspace:
            return await workspace.initiate_oauth(slug, landing)

    async def use(connector_id: str) -> list[list[int]]:
        found = []
        for named in ({"connector_id": connector_id}, {"workspace_name": "their customer"}):
            async with connect(slug, **named, **client_of(site)) as connector:
                found.append([record["id"] for record in (await connector.execute(*call, {"limit": 3})).data])
        return found

    browser.driver.get(asyncio.run(begin()))
    assert "their customer" in browser.text()
    browser.press("Continue to Zendesk")
    browser.press("Allow")
    address = urlsplit(browser.driver.current_url)
    query = parse_qs(address.query)
    assert (landing, ["connector_id"]) == (address._replace(query="").geturl(), list(query))
    by_id, by_workspace = asyncio.run(use(query["connector_id"][0]))
    assert by_id == by_workspace != []
