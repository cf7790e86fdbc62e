from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from plugbay.sandbox import Clock, Sandbox
from plugbay.sandbox.limits import PLANS, Bucket, Limits

TEN_PAST = datetime(2026, 6, 17, 12, 0, 10, tzinfo=UTC)


def frozen() -> Clock:
    clock = Clock(TEN_PAST)
    clock.freeze()
    return clock


@pytest.mark.parametrize(("plan", "total"), PLANS.items())
def test_account_budget(plan, total):
    """Exactly the plan's number of requests a minute pass; the next is told when the minute is over."""
    limits = Limits(plan, frozen())
    passed = [limits.spend([]).retry_after for _ in range(total)]
    refused = limits.spend([])

    assert set(passed) == {None}
    assert refused.retry_after == 50
    assert refused.headers["x-rate-limit-remaining"] == "0"


def test_next_window():
    """A new minute is a new budget."""
    clock = frozen()
    limits = Limits("essential", clock)
    for _ in range(10):
        limits.spend([])
    assert limits.spend([]).retry_after == 50
    clock.advance(seconds=50)

    assert limits.spend([]).retry_after is None


def test_bucket_is_separate_by_key():
    """A bucket counts each key by itself, and a refused request costs the account nothing."""
    limits = Limits("team", frozen())
    bucket = Bucket("small", 2)
    for key in ("a", "a", "b", "b"):
        assert limits.spend([(bucket, key)]).retry_after is None
    refused = limits.spend([(bucket, "a")])

    assert refused.retry_after == 50
    assert refused.headers["zendesk-ratelimit-small"] == "total=2; remaining=0; resets=50"
    assert refused.headers["x-rate-limit-remaining"] == "196"


def test_no_plan():
    """Without a plan there are neither limits nor headers."""
    limits = Limits(None, frozen())

    assert [limits.spend([(Bucket("one", 1), "")]).retry_after for _ in range(3)] == [None] * 3
    assert limits.spend([]).headers == {}


def test_unknown_plan():
    """A plan that does not exist is refused with the list of those that do."""
    with pytest.raises(ValueError, match="enterprise_plus"):
        Sandbox(plan="platinum")


@pytest.fixture
def small():
    with Sandbox(tickets=3, plan="essential", now=TEN_PAST) as sandbox:
        sandbox.clock.freeze()
        headers = {"authorization": f"Bearer {sandbox.access_token}"}
        with httpx.Client(base_url=sandbox.base_url, headers=headers) as http:
            yield sandbox, http


def test_headers_and_429(small):
    """Every answer carries the budget; the eleventh in a minute is 429 with Retry-After, until the clock moves on."""
    sandbox, http = small
    first = http.get("/api/v2/tickets/1")
    assert {name: first.headers[name] for name in first.headers if "rate" in name} == {
        "x-rate-limit": "10",
        "x-rate-limit-remaining": "9",
        "ratelimit-limit": "10",
        "ratelimit-remaining": "9",
        "ratelimit-reset": "50",
    }
    for _ in range(9):
        assert http.get("/api/v2/tickets/1").status_code == 200
    refused = http.get("/api/v2/tickets/1")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "50")
    assert refused.json()["error"] == "APIRateLimitExceeded"

    sandbox.clock.advance(seconds=50)
    assert http.get("/api/v2/tickets/1").status_code == 200


def test_endpoint_buckets(small):
    """Endpoints with a limit of their own say so in a header of its own name."""
    _, http = small
    exported = http.get("/api/v2/incremental/tickets/cursor?start_time=0")
    assert exported.headers["zendesk-ratelimit-incremental-exports-cursor"] == "total=20; remaining=19; resets=50"
    listed = http.get("/api/v2/tickets")
    assert listed.headers["zendesk-ratelimit-tickets-index"].startswith("total=100; remaining=99")
    changed = http.put("/api/v2/tickets/1", json={"ticket": {"priority": "low"}})
    assert changed.headers["zendesk-ratelimit-per-ticket-updates"].startswith("total=30; remaining=29; resets=590")


def test_talk_export_has_ten_a_minute():
    """The eleventh Talk export in a minute is refused though the account has budget left."""
    with Sandbox(tickets=1, calls=3, now=TEN_PAST) as sandbox:
        sandbox.clock.freeze()
        headers = {"authorization": f"Bearer {sandbox.access_token}"}
        with httpx.Client(base_url=sandbox.base_url, headers=headers) as http:
            codes = [
                http.get("/api/v2/channels/voice/stats/incremental/calls?start_time=0").status_code for _ in range(11)
            ]

    assert codes == [200] * 10 + [429]


def test_sign_in_is_not_counted(small):
    """Token requests and consent pages do not spend the API's budget."""
    _, http = small
    for _ in range(12):
        assert http.post("/oauth/tokens", json={}).status_code == 400
    assert http.get("/api/v2/tickets/1").headers["x-rate-limit-remaining"] == "9"
