"""A connector whose grant was lost with a process: whether it was, what it says, and a person who authorizes it anew."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict

import httpx
from tests.server.oauth.person import Person, query_of

from chaos.cluster.books import Books
from chaos.cluster.check import AFTER, killed_within
from chaos.cluster.facts import Exchange
from chaos.cluster.field import Field

__all__ = ["Repair"]

TRIES = 8
BACK = "http://127.0.0.1:9/done"


class Repair:
    """Judges refusals of credentials.

    Args:
        field: The cluster.
        books: Where to note what is found.
    """

    def __init__(self, field: Field, books: Books) -> None:
        self._field = field
        self._books = books
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._mended: defaultdict[str, list[float]] = defaultdict(list)

    async def excuse(self, connector_id: str, began: float) -> str:
        """Why a connector's credentials may have been refused in a call; empty if they were not to be.

        One that has lost its grant has another one afterwards.
        """
        ended = time.time()
        async with self._turns[connector_id]:
            if any(moment >= began for moment in self._mended[connector_id]):
                return "its grant was lost"
            spent = await self._field.truth.refresh_token(connector_id) or ""
            short_lives = self._short_lives(spent, began, ended)
            exchange = await self._lost(connector_id, spent)
            if exchange is None:
                return short_lives
            kill = killed_within(exchange, self._books.kills)
            is_known = exchange.spent in self._books.lost
            self._books.lost.setdefault(exchange.spent, time.time())
            if not is_known and kill is not None and exchange.answered is not None:
                self._books.lags.append(kill.at - exchange.answered)
            await self._check_words(connector_id)
            await self._authorize(connector_id)
            self._mended[connector_id].append(time.time())
            # Without a kill it is the checker that says so.
            return "its grant was lost"

    def _short_lives(self, refresh: str, began: float, ended: float) -> str:
        """Whether even new tokens ended during a call: real ones live too long for that."""
        died = [pair for pair in self._field.desk.chain(refresh) if began <= pair.end <= ended]
        if len(died) > 1 or any(pair.minted >= began for pair in died):
            return "its new token ended as well"
        return ""

    async def _lost(self, connector_id: str, spent: str) -> Exchange | None:
        """The exchange whose pair never came into the database."""
        found = [each for each in self._field.desk.exchanges if each.spent == spent and each.gave is not None]
        if not found:
            return None
        # It may be on its way there.
        await asyncio.sleep(AFTER)
        return found[0] if await self._field.truth.refresh_token(connector_id) == spent else None

    async def _check_words(self, connector_id: str) -> None:
        status, reason = await self._field.truth.status(connector_id)
        if status != "needs_reauth" or not reason:
            self._books.violation(f"a connector that lost its grant is {status!r} and says {reason!r}")

    async def _authorize(self, connector_id: str) -> None:
        """Consents for it, as often as it takes: a process may be killed meanwhile."""
        for _ in range(TRIES):
            try:
                if await self._consented(connector_id):
                    return
            except (httpx.HTTPError, AssertionError, KeyError, TypeError):
                continue
        self._books.violation("a connector that lost its grant could not be authorized anew")

    async def _consented(self, connector_id: str) -> bool:
        field = self._field
        async with Person() as person:
            answer = await person.http.post(f"{field.url}/api/v1/account/applications/token", json=field.application)
            headers = {"authorization": f"Bearer {answer.json()['access_token']}"}
            given = {"redirect_url": BACK, "connector_id": connector_id}
            begun = await person.http.post(
                f"{field.url}/api/v1/integrations/connectors/oauth/initiate", json=given, headers=headers
            )
            back = await person.connect(begun.json()["consent_url"])
            return query_of(back.headers.get("location", "")).get("connector_id") == connector_id
