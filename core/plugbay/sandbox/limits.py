"""Rate limits: one budget a minute for the account, and named buckets for some endpoints.

Sizes are the vendor's published ones per plan; the header names are those seen on live answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from plugbay.sandbox.clock import Clock

# Requests a minute of the whole account.
PLANS = {
    "essential": 10,
    "team": 200,
    "growth": 400,
    "professional": 400,
    "enterprise": 700,
    "enterprise_plus": 2500,
}
_HIGH_VOLUME = {"enterprise_plus"}


@dataclass(frozen=True)
class Bucket:
    """A limit of its own: `total` requests in `window` seconds, counted per `per`.

    `per` is "account", "record" (the id in the path) or "user_record" (each caller for each id); `high_volume` replaces
    `total` on the plans that include the high-volume add-on.
    """

    name: str
    total: int
    window: int = 60
    per: str = "account"
    high_volume: int | None = None


TICKETS_INDEX = Bucket("tickets-index", 100, high_volume=20_000)
TICKETS_UPDATE = Bucket("tickets-update", 100, high_volume=300)
TICKETS_DESTROY = Bucket("tickets-destroy", 400)
PER_TICKET_UPDATES = Bucket("per-ticket-updates", 30, window=600, per="user_record")
TICKET_FIELDS_INDEX = Bucket("ticket-fields-index", 20, high_volume=100)
INCREMENTAL = Bucket("incremental-exports", 10, high_volume=30)
INCREMENTAL_CURSOR = Bucket("incremental-exports-cursor", 20, high_volume=60)
SEARCH_INDEX = Bucket("search-index", 2500)
SEARCH_EXPORT = Bucket("search-export", 100)
USER_WRITE = Bucket("create-update-user", 5, per="record")
ATTACHMENT_CONTENT = Bucket("attachment-content", 2500)
TALK = Bucket("talk", 15_000, window=300)
TALK_QUEUE = Bucket("talk-current-queue-activity", 2500, window=300)
TALK_INCREMENTAL = Bucket("talk-incremental", 10)


@dataclass
class Verdict:
    """What the limiter says of one request; `retry_after` (seconds) is set when it is refused."""

    headers: dict[str, str]
    retry_after: int | None = None


class Limits:
    """Counts requests in fixed windows of the sandbox's clock.

    Args:
        plan: A name out of `PLANS`, or None to count nothing and send no headers.
        clock: The sandbox's time.
    """

    def __init__(self, plan: str | None, clock: Clock) -> None:
        if plan is not None and plan not in PLANS:
            raise ValueError(f"unknown plan {plan!r}; known: {', '.join(PLANS)}")
        self.plan = plan
        self._clock = clock
        self._used: dict[tuple[str, str], tuple[int, int]] = {}

    def spend(self, wanted: list[tuple[Bucket, str]]) -> Verdict:
        """Count one request against the account and against each (bucket, key), unless one of them is used up."""
        if self.plan is None:
            return Verdict({})
        account = Bucket("", PLANS[self.plan])
        wanted = [(account, ""), *wanted]
        refused = [bucket for bucket, key in wanted if self._count(bucket, key) >= self._total(bucket)]
        if not refused:
            for bucket, key in wanted:
                self._add(bucket, key)
        headers = self._account_headers(account)
        for bucket, key in wanted[1:]:
            headers |= self._bucket_header(bucket, key)
        return Verdict(headers, max((self._reset(bucket) for bucket in refused), default=None))

    def _total(self, bucket: Bucket) -> int:
        boosted = bucket.high_volume if self.plan in _HIGH_VOLUME else None
        return boosted or bucket.total

    def _count(self, bucket: Bucket, key: str) -> int:
        window, used = self._used.get((bucket.name, key), (-1, 0))
        return used if window == self._window(bucket) else 0

    def _add(self, bucket: Bucket, key: str) -> None:
        self._used[bucket.name, key] = (self._window(bucket), self._count(bucket, key) + 1)

    def _window(self, bucket: Bucket) -> int:
        return int(self._clock.timestamp() // bucket.window)

    def _reset(self, bucket: Bucket) -> int:
        return max(1, math.ceil(bucket.window - self._clock.timestamp() % bucket.window))

    def _account_headers(self, account: Bucket) -> dict[str, str]:
        total, left = str(account.total), str(account.total - self._count(account, ""))
        return {
            "x-rate-limit": total,
            "x-rate-limit-remaining": left,
            "ratelimit-limit": total,
            "ratelimit-remaining": left,
            "ratelimit-reset": str(self._reset(account)),
        }

    def _bucket_header(self, bucket: Bucket, key: str) -> dict[str, str]:
        total = self._total(bucket)
        left = total - self._count(bucket, key)
        return {f"zendesk-ratelimit-{bucket.name}": f"total={total}; remaining={left}; resets={self._reset(bucket)}"}
