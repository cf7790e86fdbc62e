"""A person with a browser: it keeps cookies, runs no scripts, and shows where it is led before it goes there."""

from __future__ import annotations

import html
import re
from typing import Self
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

_INPUT = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
_ACTION = re.compile(r'<form method="post" action="([^"]*)"')


class Person:
    """Somebody who answers consent pages."""

    def __init__(self) -> None:
        self.http = httpx.AsyncClient(timeout=20, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def open(self, url: str) -> httpx.Response:
        """The page at an address."""
        return await self.http.get(url)

    async def press(self, page: httpx.Response, **button: str) -> httpx.Response:
        """The answer to a page's form."""
        fields = {name: html.unescape(value) for name, value in _INPUT.findall(page.text)}
        action = html.unescape(_ACTION.search(page.text)[1])
        origin = f"{page.url.scheme}://{page.url.netloc.decode()}"
        headers = {"origin": origin, "sec-fetch-site": "same-origin"}
        return await self.http.post(urljoin(str(page.url), action), data=fields | button, headers=headers)

    async def agree(self, consent_url: str) -> str:
        """Goes on at our page; returns where Zendesk would ask."""
        answer = await self.press(await self.open(consent_url), decision="continue")
        assert 303 == answer.status_code, answer.text
        return answer.headers["location"]

    async def allow(self, zendesk_url: str, decision: str = "allow") -> str:
        """Answers Zendesk's page; returns our callback, with what Zendesk says."""
        page = await self.open(zendesk_url)
        assert 200 == page.status_code, page.text
        return (await self.press(page, decision=decision)).headers["location"]

    async def callback_for(self, consent_url: str) -> str:
        """Agrees everywhere; returns our callback before it is followed."""
        return await self.allow(await self.agree(consent_url))

    async def connect(self, consent_url: str) -> httpx.Response:
        """Agrees everywhere, and comes back."""
        return await self.open(await self.callback_for(consent_url))


def query_of(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def led_to(answer: httpx.Response) -> tuple[int, str, dict[str, str]]:
    """The status of an answer, and where it leads: the address without its query, and that."""
    location = answer.headers.get("location", "")
    return answer.status_code, location.partition("?")[0], query_of(location)
