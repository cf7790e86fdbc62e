"""What Zendesk's headers say of its budgets of requests."""

from __future__ import annotations

import pytest

from plugbay.connectors.zendesk.budgets import read_budgets
from plugbay.transport import Budget

ACCOUNT = {"ratelimit-limit": "700", "ratelimit-remaining": "699", "ratelimit-reset": "41"}


def test_account_and_endpoint_are_read():
    """An answer tells of the account's budget and of the endpoint's own."""
    headers = {**ACCOUNT, "zendesk-ratelimit-tickets-index": "total=100; remaining=99; resets=41", "etag": "x"}
    assert [Budget("", 699, 41.0, 700), Budget("tickets-index", 99, 41.0, 100)] == list(read_budgets(headers))


def test_budgets_of_single_records_are_told_apart():
    """Thirty changes in ten minutes are a limit of each ticket."""
    (budget,) = read_budgets({"zendesk-ratelimit-per-ticket-updates": "total=30; remaining=0; resets=590"})
    assert Budget("per-ticket-updates", 0, 590.0, 30, per_record=True) == budget


@pytest.mark.parametrize(
    "text",
    ["", "remaining=5", "resets=5", "total=1; remaining=x; resets=5", "remaining=-1; resets=5", "a" * 10_000],
)
def test_what_says_no_reset_is_passed_over(text):
    """A header that does not say what is left and until when holds nobody up."""
    assert [] == list(read_budgets({"zendesk-ratelimit-search-index": text}))


def test_jobs_are_no_requests():
    """The number of background jobs that may still be started is no budget of requests."""
    assert [] == list(read_budgets({"zendesk-ratelimit-inflight-jobs": "total=30; remaining=0; resets=60"}))


def test_older_services_tell_no_reset():
    """The Help Center says only how many are left, not until when: nothing is waited for."""
    assert [] == list(read_budgets({"x-rate-limit": "700", "x-rate-limit-remaining": "0"}))
