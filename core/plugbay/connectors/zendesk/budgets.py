"""Reads what Zendesk's answers say of its budgets of requests.

Two kinds of headers, both on successes too: of the account, `ratelimit-remaining` and
`ratelimit-reset`, or on older services `x-rate-limit-remaining` alone; and of an endpoint,
`zendesk-ratelimit-<name>: total=100; remaining=99; resets=41`. Source: developer.zendesk.com,
"Rate limits", and recorded answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from plugbay.transport import Budget
from plugbay.transport.limiter import read_standard_budgets

__all__ = ["read_budgets"]

PREFIX = "zendesk-ratelimit-"
PER_RECORD = {"per-ticket-updates", "create-update-user", "update-organization"}
"""Budgets that every ticket, user or organization has of its own."""

NOT_REQUESTS = {"inflight-jobs"}
"""Counts of something else than requests."""

_PART = re.compile(r"(total|remaining|resets) ?= ?(\d{1,9})", re.ASCII)


def read_budgets(headers: Mapping[str, str]) -> Sequence[Budget]:
    """The budgets that an answer tells of; none if it does not tell when they are full again."""
    budgets = list(read_standard_budgets(headers))
    for header, text in headers.items():
        if header.startswith(PREFIX):
            name = header.removeprefix(PREFIX)
            said = dict(_PART.findall(text))
            if name not in NOT_REQUESTS and {"remaining", "resets"} <= said.keys():
                total = int(said["total"]) if "total" in said else None
                budget = Budget(name, int(said["remaining"]), float(said["resets"]), total, name in PER_RECORD)
                budgets.append(budget)
    return budgets
