"""The Zendesk of a run: its pairs end soon, and it notes each exchange of one and each write that arrives.

It is asked by requests to `/chaos/<question>`, which are answered in the sandbox's own thread, so that what they
change does not change under it.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from chaos.cluster.facts import Exchange
from chaos.storm import mark_of
from plugbay.json_safe import is_object
from plugbay.sandbox import Sandbox, oauth, seeding, views
from plugbay.sandbox.account import Token
from plugbay.sandbox.failure import Failure
from plugbay.sandbox.recording import RecordedRequest

__all__ = ["Desk", "Pair", "digest"]

PREFIX = "/chaos/"
LIFE = 2.5
"""Seconds that a pair lives whose end is announced."""

DUE = 0.8
"""The part of an announced life after which a pair may be renewed."""

LONG = 1_800.0


@dataclass(slots=True)
class Pair:
    """A pair that was given; times are seconds since the epoch.

    Attributes:
        token: The sandbox's record of it.
        is_announced: Whether those that come after it have a short life that is told.
        chain: What it has in common with those that it was renewed from.
        minted: When it was given.
        due: From when on it may be renewed.
        end: When its access token ended, or will.
    """

    token: Token
    is_announced: bool
    chain: int
    minted: float
    due: float
    end: float


def digest(token: str) -> str:
    """What a token is known by in the books of a run."""
    return hashlib.sha256(token.encode()).hexdigest()[:16]


class Desk:
    """Answers questions, and looks at every request.

    Args:
        sandbox: The Zendesk.

    Attributes:
        pairs: All that were given, by the digests of their refresh tokens.
        exchanges: Of pairs, in the order of their arrival.
        arrivals: When the requests of each write came, by its mark.
        expiries: How many access tokens ended before their renewal, or had to be renewed soon.
        on_arrival: Called when something to aim at arrives, in the sandbox's thread: with "exchange" or "write", and
            the name that the process has for Zendesk's host.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._granted = 0
        self._live: set[str] = set()
        self.pairs: dict[str, Pair] = {}
        self.exchanges: list[Exchange] = []
        self.arrivals: dict[str, list[float]] = {}
        self.expiries = 0
        self.on_arrival: Callable[[str, str], object] = lambda _what, _host: None

    def choose(self, request: RecordedRequest) -> Failure | None:
        """The answer to a question; whatever else comes is noted, and is answered as it is."""
        if request.path.startswith(PREFIX):
            return Failure(status=200, body=getattr(self, f"answer_{request.path.removeprefix(PREFIX)}")())
        if request.path == "/oauth/tokens":
            return self._exchanged(request)
        if request.method != "GET" and (mark := mark_of(request)):
            self.arrivals.setdefault(mark, []).append(time.time())
            self.on_arrival("write", _host(request))
        return None

    def answer_grant(self) -> dict[str, Any]:
        """A new pair, as after a consent; the end of every second one is announced."""
        account, now = self._sandbox.account, self._sandbox.clock.timestamp()
        client, admin = account.clients[self._sandbox.client_id], seeding.admin(account)["id"]
        token = oauth.new_token(
            account, client, admin, "read write", expires_at=now + LONG, refresh_expires_at=now + 1000 * LONG
        )
        self._granted += 1
        self._keep(token, is_announced=self._granted % 2 == 0, chain=self._granted, life=LONG)
        return {
            "access_token": token.access, "refresh_token": token.refresh,
            "client_id": self._sandbox.client_id, "client_secret": self._sandbox.client_secret,
        }  # fmt: skip

    def answer_end(self) -> dict[str, Any]:
        """Ends all access tokens of which nobody was told that they would end so soon."""
        now, ended = self._sandbox.clock.timestamp(), 0
        for pair in map(self.pairs.__getitem__, self._live):
            # The first pair of each connector has a long life as well.
            if pair.due - time.time() > LIFE:
                pair.token.expires_at, pair.due, pair.end = now, 0.0, time.time()
                ended += 1
        self.expiries += ended
        return {"ended": ended}

    def answer_truth(self) -> dict[str, Any]:
        """The tickets and comments of all writes."""
        account = self._sandbox.account
        return {
            "tickets": [views.ticket(account, ticket) for ticket in account.tickets.values()],
            "comments": [views.comment(account, each) for comments in account.comments.values() for each in comments],
        }

    def chain(self, refresh: str) -> list[Pair]:
        """The pairs that one was renewed from or to, by the digest of its refresh token."""
        known = self.pairs.get(refresh)
        return [] if known is None else [pair for pair in self.pairs.values() if pair.chain == known.chain]

    def _exchanged(self, request: RecordedRequest) -> Failure:
        given, now = _parameters(request), time.time()
        refresh = given.get("refresh_token")
        exchange: Exchange | None = None
        old: Pair | None = None
        if refresh is not None:
            spent = digest(refresh)
            old = self.pairs[spent] if spent in self._live else None
            exchange = Exchange(spent, now, needed=old is not None and now >= old.due)
            self.exchanges.append(exchange)
            self.on_arrival("exchange", _host(request))
            if old is not None:
                self._live.discard(spent)
                old.end = min(old.end, now)

        def answered(body: Any) -> Any:
            return self._answered(body, exchange, old)

        return Failure(shape=answered)

    def _answered(self, body: Any, exchange: Exchange | None, old: Pair | None) -> Any:
        if exchange is not None:
            exchange.answered = time.time()
        if not is_object(body) or "refresh_token" not in body:
            return body
        is_announced = old is None or old.is_announced
        life = LIFE if is_announced else LONG
        if old is None:
            self._granted += 1
        token = next(each for each in self._sandbox.account.tokens.values() if each.access == body["access_token"])
        token.expires_at = self._sandbox.clock.timestamp() + life
        self._keep(token, is_announced=is_announced, chain=self._granted if old is None else old.chain, life=life)
        self.expiries += is_announced
        if exchange is not None:
            exchange.gave = digest(body["refresh_token"])
        return {**body, "expires_in": life}

    def _keep(self, token: Token, *, is_announced: bool, chain: int, life: float) -> None:
        name, now = digest(token.refresh or ""), time.time()
        self.pairs[name] = Pair(token, is_announced, chain, now, now + DUE * life, now + life)
        self._live.add(name)


def _host(request: RecordedRequest) -> str:
    return request.headers.get("host", "").partition(":")[0]


def _parameters(request: RecordedRequest) -> dict[str, str]:
    if request.headers.get("content-type", "").startswith("application/json"):
        given: dict[str, str] = json.loads(request.body)
        return given
    return dict(parse_qsl(request.body.decode()))
