"""Which requests go wrong, and how: decided by a seed and by what a request asks, not by the order of arrival."""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Unpack

from plugbay.sandbox.failure import Failure, What
from plugbay.sandbox.recording import RecordedRequest

__all__ = ["LOSSY", "MARK", "Storm", "mark_of"]

MARK = re.compile(rb"chaos-\d+-\d+")
"""What tells each logical write from all others, wherever it stands in a body."""

READ, WRITE, TOKEN, FILE = frozenset({"read"}), frozenset({"write"}), frozenset({"token"}), frozenset({"file"})
ANY = READ | WRITE | TOKEN | FILE
LOSSY = " after"
"""How the names of faults end that come after the request was carried out."""

_PLACES = frozenset({"page[after]", "cursor"})
"""Which differ from run to run."""

_Make = Callable[[random.Random, datetime], What]


@dataclass(frozen=True)
class _Way:
    """One way to go wrong: how often beside the others, for which requests, and what it is."""

    name: str
    weight: int
    to: frozenset[str]
    make: _Make


def _bad(rng: random.Random, _now: datetime) -> What:
    return {"status": rng.choice((500, 502, 503, 504))}


def _bad_after(rng: random.Random, now: datetime) -> What:
    return {**_bad(rng, now), "when": "after"}


def _throttled(rng: random.Random, _now: datetime) -> What:
    return {"status": 429, "headers": {"retry-after": str(rng.randint(1, 5))}}


def _dated(_rng: random.Random, now: datetime) -> What:
    return {"status": 429, "headers": {"retry-after": format_datetime(now + timedelta(seconds=3), usegmt=True)}}


def _cut(rng: random.Random, _now: datetime) -> What:
    return {"truncate": rng.randrange(300)}


def _chunked(rng: random.Random, _now: datetime) -> What:
    return {"truncate": rng.randrange(300), "chunked": True}


def _delay(rng: random.Random, _now: datetime) -> What:
    return {"delay": rng.uniform(0.005, 0.1), "when": "before"}


def _delay_after(rng: random.Random, _now: datetime) -> What:
    return {"delay": rng.uniform(0.005, 0.1), "when": "after"}


def _shape(rng: random.Random, _now: datetime) -> What:
    return {"shape": rng.choice(("empty", "null", "no_record", "list", "text", "html", "broken"))}


def _redirect(rng: random.Random, _now: datetime) -> What:
    where = rng.choice(("https://elsewhere.example/x", "/api/v2/tickets", "//", "http://127.0.0.1:1/"))
    return {"status": rng.choice((301, 302, 303, 307, 308)), "redirect": where}


def _redirect_after(rng: random.Random, now: datetime) -> What:
    return {**_redirect(rng, now), "when": "after"}


def _refused(rng: random.Random, _now: datetime) -> What:
    return {"status": rng.choice((400, 403, 404, 409, 422))}


def _always(**what: Unpack[What]) -> _Make:
    return lambda _rng, _now: what


_WAYS = (
    _Way("5xx", 12, ANY, _bad),
    _Way("5xx after", 6, READ | WRITE, _bad_after),
    _Way("5xx after", 1, TOKEN, _bad_after),
    _Way("408", 1, READ | WRITE, _always(status=408)),
    _Way("408 after", 1, READ | WRITE, _always(status=408, when="after")),
    _Way("429 with seconds", 5, ANY, _throttled),
    _Way("429 with a date", 2, READ | WRITE, _dated),
    _Way("429 for long", 1, READ | WRITE, _always(status=429, headers={"retry-after": "90"})),
    _Way("429 bare", 3, ANY, _always(status=429)),
    _Way("401", 3, READ | WRITE, _always(status=401)),
    _Way("4xx", 2, READ | WRITE, _refused),
    _Way("409 of a lock", 2, READ | WRITE, _always(status=409, body={"error": "DatabaseConflict"})),
    _Way("reset", 6, ANY, _always(reset=True, when="before")),
    _Way("reset after", 6, READ | WRITE | FILE, _always(reset=True, when="after")),
    _Way("reset after", 1, TOKEN, _always(reset=True, when="after")),
    _Way("close", 4, ANY, _always(close=True, when="before")),
    _Way("close after", 4, READ | WRITE | FILE, _always(close=True, when="after")),
    _Way("close after", 1, TOKEN, _always(close=True, when="after")),
    _Way("hang", 1, ANY, _always(hang=True, when="before")),
    _Way("hang after", 1, READ | WRITE, _always(hang=True, when="after")),
    _Way("truncated after", 5, READ | WRITE | FILE, _cut),
    _Way("truncated after", 1, TOKEN, _cut),
    _Way("chunks cut after", 3, READ | WRITE | FILE, _chunked),
    _Way("drip after", 2, READ | WRITE, _always(drip=0.0004)),
    _Way("delay", 4, ANY, _delay),
    _Way("delay after", 4, ANY, _delay_after),
    _Way("shape after", 6, READ | WRITE, _shape),
    _Way("shape after", 1, TOKEN, _shape),
    _Way("204", 1, READ | WRITE, _always(status=204)),
    _Way("bomb", 1, READ | WRITE, _always(bomb=40 * 2**20)),
    _Way("deep", 1, READ | WRITE, _always(deep=50_000)),
    _Way("large headers after", 1, READ | WRITE, _always(header_bytes=2**15)),
    _Way("endless headers after", 1, READ | WRITE, _always(header_bytes=float("inf"))),
    _Way("redirect", 2, READ | WRITE, _redirect),
    _Way("redirect after", 2, WRITE, _redirect_after),
)


def mark_of(request: RecordedRequest) -> str | None:
    """The mark of the write that a request is for."""
    found = MARK.search(request.body)
    return found[0].decode() if found else None


class Storm:
    """Chooses how each request fails, if it does.

    Args:
        seed: Decides everything: a request that asks for the same thing as often fails in the same way.
        share: The part of all requests that fail.
        now: The sandbox's time.

    Attributes:
        hit: How many requests each fault has hit, by its name.
    """

    def __init__(self, seed: str, share: float, now: Callable[[], datetime]) -> None:
        self._seed = seed
        self._share = share
        self._now = now
        self._asked: Counter[str] = Counter()
        self.hit: Counter[str] = Counter()

    def choose(self, request: RecordedRequest) -> tuple[str, Failure] | None:
        """The name of the fault that hits a request, and what it is."""
        key = _key(request)
        self._asked[key] += 1
        digest = hashlib.blake2b(f"{self._seed} {key} {self._asked[key]}".encode(), digest_size=8).digest()
        rng = random.Random(digest)
        if rng.random() >= self._share:
            return None
        sort = _sort(request)
        ways = [way for way in _WAYS if sort in way.to]
        way = rng.choices(ways, [way.weight for way in ways])[0]
        self.hit[way.name] += 1
        return way.name, Failure(**way.make(rng, self._now()))


def _key(request: RecordedRequest) -> str:
    query = sorted((name, value) for name, value in request.query if name not in _PLACES)
    return mark_of(request) or f"{request.method} {request.path.partition('/token/')[0]} {query}"


def _sort(request: RecordedRequest) -> str:
    if request.path == "/oauth/tokens":
        return "token"
    if request.origin == "files" or request.path.startswith("/attachments/token/"):
        return "file"
    return "read" if request.method == "GET" else "write"
