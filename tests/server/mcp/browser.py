"""A person's browser: it keeps cookies, reads forms, and follows only where it is told to."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import httpx


class Browser:
    """A browser without a session yet.

    Args:
        url: The server's.
    """

    def __init__(self, url):
        # A client's own server for the callback may begin to listen a moment after the person has agreed.
        transport = httpx.AsyncHTTPTransport(retries=6)
        self.http = httpx.AsyncClient(base_url=url, transport=transport, timeout=20)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.http.aclose()

    async def open(self, address):
        """The page at an address of the server, and where that is, after its redirects."""
        answer = await self.http.get(address)
        while answer.is_redirect and answer.headers["location"].startswith("/"):
            answer = await self.http.get(answer.headers["location"])
        return answer

    async def sign_in(self, client_id, client_secret, address="/"):
        """Signs in where an address leads, unless that is done, and gives the page that comes then."""
        page = await self.open(address)
        form = form_of(page.text, "/sign-in")
        if form is None:
            return page
        answer = await self.http.post("/sign-in", data={**form, "client_id": client_id, "client_secret": client_secret})
        assert 303 == answer.status_code, answer.text
        return await self.open(answer.headers["location"])

    async def decide(self, page, workspace="", decision="allow", **changed):
        """Sends the form of the consent page."""
        fields = {**form_of(page.text, "/oauth/authorize"), "workspace": workspace, "decision": decision, **changed}
        return await self.http.post("/oauth/authorize", data=fields)


def answer_of(response):
    """What a redirect to a client tells it, by parameter."""
    assert 303 == response.status_code, response.text
    return dict(parse_qsl(urlsplit(response.headers["location"]).query))


def form_of(html, action):
    """The hidden fields of the first form of a page that is sent to `action`; None if there is no such form."""
    parser = _Forms()
    parser.feed(html)
    return next((fields for where, fields in parser.forms if where == action), None)


class _Forms(HTMLParser):
    def __init__(self):
        super().__init__()
        self.forms = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form":
            self.forms.append((given.get("action"), {}))
        elif tag == "input" and given.get("type") == "hidden" and self.forms:
            self.forms[-1][1][given["name"]] = given.get("value", "")
