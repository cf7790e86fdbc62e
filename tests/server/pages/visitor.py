"""A person with a browser: one jar of cookies, and forms that are sent as they are."""

from __future__ import annotations

from typing import Any

import httpx

from .document import Element, document


class Visitor:
    """A browser without a screen.

    Attributes:
        http: It; follows no redirects by itself.
        answer: The last answer.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.AsyncClient(base_url=url, timeout=20, trust_env=False)
        self.answer = httpx.Response(204)

    @property
    def page(self) -> Element:
        """The page of the last answer."""
        return document(self.answer.text)

    @property
    def heading(self) -> str:
        """The page's only first heading."""
        return self.page.one("h1").text

    @property
    def problems(self) -> str:
        """What the page says is wrong."""
        found = self.page.all(role="alert")
        return found[0].text if found else ""

    async def open(self, path: str, **query: str) -> Visitor:
        """Opens a page, and goes where it leads."""
        self.answer = await self.http.get(path, params=query or None)
        return await self._follow()

    async def send(self, action: str, /, *, headers: dict[str, str] | None = None, **fields: Any) -> Visitor:
        """Sends the form of the page that leads to `action`, with what it has and these fields."""
        form = self.form(action)
        self.answer = await self.http.post(action, data=values_of(form) | fields, headers=headers)
        return await self._follow()

    def form(self, action: str) -> Element:
        """The page's form that leads there."""
        forms = self.page.all("form", method="post", action=action)
        assert forms, f"no form leads to {action}; the page is {self.heading}"
        return forms[0]

    async def sign_in(self, client_id: str, client_secret: str) -> Visitor:
        """Signs in as a client."""
        await self.open("/sign-in")
        return await self.send("/sign-in", client_id=client_id, client_secret=client_secret)

    async def sign_in_as_operator(self, token: str) -> Visitor:
        """Signs in as the operator."""
        await self.open("/sign-in")
        fields = values_of(self.page.all("form", action="/sign-in")[1])
        self.answer = await self.http.post("/sign-in", data=fields | {"admin_token": token})
        return await self._follow()

    async def _follow(self) -> Visitor:
        while self.answer.is_redirect:
            self.answer = await self.http.get(self.answer.headers["location"])
        return self


def values_of(form: Element) -> dict[str, str]:
    """What a browser would send of a form that nobody touched."""
    values: dict[str, str] = {}
    for each in form.walk():
        kind = each.attributes.get("type", "")
        if each.tag == "textarea":
            values[each["name"]] = "".join(part for part in each.parts if isinstance(part, str)).removeprefix("\n")
        elif each.tag == "select":
            chosen = [option for option in each.all("option") if "selected" in option.attributes]
            values[each["name"]] = (chosen or each.all("option"))[0]["value"]
        elif each.tag == "input" and (kind not in ("radio", "checkbox") or "checked" in each.attributes):
            values[each["name"]] = each.attributes.get("value", "")
    return values
