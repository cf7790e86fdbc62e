"""Budgets of requests: what an answer tells of them is kept within before the service has to refuse."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugbay.errors import RateLimitedError
from plugbay.events import WaitEvent
from plugbay.trace import Trace, traced
from plugbay.transport import Budget, Deadline, Limits, Request
from plugbay.transport.limiter import MOST_KEPT, RateLimiter, read_standard_budgets

GET = Request("GET", "/tickets", repeatable=True)
EXPORT = Request("GET", "/export", repeatable=True, yields=True)
WINDOW = 60


class Service:
    """Counts requests in windows of a minute, as Zendesk does; refuses what is too much."""

    def __init__(self, clock, total, **endpoints):
        self.clock = clock
        self.totals = {"": total, **endpoints}
        self.used = {}
        self.statuses = []

    def __call__(self, request):
        window = int(self.clock.now // WINDOW)
        resets = int(WINDOW - self.clock.now % WINDOW) or WINDOW
        names = ["", *[name for name in self.totals if name and name in request.url.path]]
        used = {name: self.used.get((window, name), 0) for name in names}
        fits = all(used[name] < self.totals[name] for name in names)
        if fits:
            self.used |= {(window, name): used[name] + 1 for name in names}
        left = {name: self.totals[name] - self.used.get((window, name), 0) for name in names}
        headers = {
            "ratelimit-limit": str(self.totals[""]),
            "ratelimit-remaining": str(left[""]),
            "ratelimit-reset": str(resets),
        }
        for name in names[1:]:
            headers[f"x-budget-{name}"] = f"{left[name]} {resets} {self.totals[name]}"
        self.statuses.append(200 if fits else 429)
        return httpx.Response(200 if fits else 429, headers=headers, json={})


def read_budgets(headers):
    """The account's budget and those of the service above."""
    budgets = list(read_standard_budgets(headers))
    for name, text in headers.items():
        if name.startswith("x-budget-"):
            left, resets, total = map(int, text.split())
            budgets.append(Budget(name.removeprefix("x-budget-"), left, resets, total))
    return budgets


@pytest.fixture
def limited(transport):
    """A transport to a service, which reads the service's budgets."""

    def make(service, **settings):
        return transport(service, read_budgets=read_budgets, **settings)

    return make


async def test_a_budget_that_is_used_up_is_waited_for(limited, clock):
    """Hundreds of calls against fifty a minute are never refused, and lose no minute."""
    service = Service(clock, 50)
    client = limited(service, timeout=90)
    for _ in range(200):
        await client.send(GET)
    assert {200} == set(service.statuses)
    assert 4 >= len(clock.slept)


async def test_all_transports_of_a_tenant_share_its_budgets(limited, clock):
    """What one connector learned keeps another from being refused."""
    service = Service(clock, 5)
    policy = clock.policy()
    shared = httpx.MockTransport(service)
    first, second = (limited(None, http=shared, retry=policy) for _ in range(2))
    for _ in range(5):
        await first.send(GET)
    assert [] == clock.slept
    await second.send(GET)
    assert ({200}, 1) == (set(service.statuses), len(clock.slept))


async def test_tenants_do_not_share(limited, clock):
    """Another tenant's budget is its own."""
    service = Service(clock, 5)
    shared = httpx.MockTransport(service)
    first = limited(None, http=shared)
    for _ in range(5):
        await first.send(GET)
    service.used.clear()
    await limited(None, http=shared, base_url="https://other.example.com").send(GET)
    assert [] == clock.slept


async def test_an_endpoints_budget_holds_that_endpoint_alone(limited, clock):
    """While one endpoint's budget is used up, the others go on."""
    service = Service(clock, 100, export=2)
    client = limited(service)
    export = Request("GET", "/export", repeatable=True)
    for _ in range(2):
        await client.send(export)
    await client.send(GET)
    assert [] == clock.slept
    await client.send(export)
    assert 1 == len(clock.slept)


async def test_long_work_leaves_a_reserve(limited, clock):
    """An export waits when only a fifth of the account's budget is left; a call that somebody waits for does not."""
    service = Service(clock, 50)
    client = limited(service)
    for _ in range(40):
        await client.send(EXPORT)
    assert [] == clock.slept
    for _ in range(10):
        await client.send(GET)
    assert [] == clock.slept
    await client.send(EXPORT)
    assert (1, {200}) == (len(clock.slept), set(service.statuses))


async def test_a_wait_beyond_the_deadline_is_told_at_once(limited, clock):
    """With less time than the wait, the call fails before anything is sent, and says how long it would be."""
    service = Service(clock, 1)
    client = limited(service, timeout=5)
    await client.send(GET)
    with pytest.raises(RateLimitedError, match="was not sent") as caught:
        await client.send(GET)
    assert (1, []) == (len(service.statuses), clock.slept)
    assert (True, {"bucket": "account"}) == (caught.value.retryable, caught.value.details)
    assert 5 < caught.value.retry_after <= WINDOW


async def test_a_crowd_leaves_as_the_budget_allows(limited, clock):
    """Of a hundred calls at once only those leave unknowing that have a connection; the others see what came of them."""
    service = Service(clock, 20)

    async def answer(request):
        await asyncio.sleep(0)
        return service(request)

    client = limited(answer, timeout=1_000, limits=Limits(connections=10))
    await asyncio.gather(*(client.send(GET) for _ in range(100)))
    assert (100, {200}) == (len(service.statuses), set(service.statuses))


async def test_a_service_that_is_not_there_for_a_while_is_waited_for(limited, clock, script):
    """A 503 that says for how long is waited out by work that nobody sits before, like a 429."""
    answers = script(httpx.Response(503, headers={"retry-after": "90"}), httpx.Response(200, json={}))
    client = limited(answers, timeout=5)
    await client.send(GET, deadline=client.deadline(patient=True))
    assert [90.0] == clock.slept


async def test_patience_waits_longer_than_the_deadline(limited, clock):
    """Work that nobody sits before waits as long as it is told, and then has the time that it had."""
    service = Service(clock, 1)
    client = limited(service, timeout=5)
    await client.send(GET)
    await client.send(GET, deadline=client.deadline(patient=True))
    assert ([200, 200], 1) == (service.statuses, len(clock.slept))


async def test_waiting_is_told(limited, clock):
    """Who listens is told how long a call waits, and for which budget; the call's record adds it up."""
    service = Service(clock, 1)
    client = limited(service)
    told = []
    trace = Trace("zendesk-support", "tickets.get", [told.append])
    with traced(trace):
        await client.send(GET)
        await client.send(GET)
    (wait,) = [event for event in told if isinstance(event, WaitEvent)]
    assert (clock.slept[0], "limit", "account") == (wait.seconds, wait.reason, wait.bucket)
    assert clock.slept[0] == trace.waited


async def test_a_refusal_holds_everybody(limited, clock, script):
    """After a 429 that names no budget, the endpoint is left alone for as long as was asked, by all its callers."""
    service = script(httpx.Response(429, headers={"retry-after": "7"}), httpx.Response(200, json={}))
    client = limited(service, max_attempts=1)
    with pytest.raises(RateLimitedError):
        await client.send(GET)
    await client.send(Request("GET", "/users", repeatable=True))
    assert [] == clock.slept
    await client.send(GET)
    assert [7.0] == clock.slept


async def test_an_empty_budget_in_a_refusal_is_waited_for(limited, clock, script):
    """A 429 without Retry-After is waited out by the budget that says it is empty."""
    refused = httpx.Response(429, headers={"x-budget-tickets": "0 41 100"})
    client = limited(script(refused, httpx.Response(200, json={})))
    await client.send(GET)
    assert [41.0] == clock.slept


def test_a_record_has_a_budget_of_its_own():
    """Thirty changes of one ticket do not keep another ticket from being changed."""
    limiter = RateLimiter()
    limiter.told("PUT t", "/t/1", [Budget("per-ticket", 0, 600.0, 30, per_record=True)], 0.0)
    assert limiter.ask("PUT t", "/t/1", 1.0) == (599.0, "per-ticket")
    assert limiter.ask("PUT t", "/t/2", 1.0) is None
    assert limiter.ask("PUT t", "/t/1", 600.0) is None


def test_a_late_answer_of_the_window_before_is_no_news():
    """An answer that was under way when the budget was filled again says less than is known."""
    limiter = RateLimiter()
    limiter.told("g", "/", [Budget("", 0, 10.0, 100)], 0.0)
    assert limiter.ask("g", "/", 10.0) is None
    limiter.told("g", "/", [Budget("", 0, 0.0, 100)], 10.2)
    assert limiter.ask("g", "/", 10.3) is None


def test_requests_under_way_are_counted():
    """What was sent and not answered yet is taken off, whatever an earlier request's answer says."""
    limiter = RateLimiter()
    limiter.told("g", "/", [Budget("", 3, 60.0, 100)], 0.0)
    assert [None, None] == [limiter.ask("g", "/", 0.1) for _ in range(2)]
    limiter.told("g", "/", [Budget("", 2, 59.0, 100)], 1.0)
    assert limiter.ask("g", "/", 1.0) is None
    assert limiter.ask("g", "/", 1.0) == (59.0, "account")


def test_an_odd_answer_does_not_end_all_calls():
    """A budget that is said to be empty for years, or a refusal for years, is tried again within the hour."""
    limiter = RateLimiter()
    limiter.told("g", "/", [Budget("", 0, 9e8, 100)], 0.0)
    limiter.throttled("g", "/", 9e8, (), 0.0)
    assert limiter.ask("g", "/", 3_599.0) is not None
    assert limiter.ask("g", "/", 3_600.0) is None


def test_a_budget_of_none_holds_once():
    """A service that says its full budget is nothing is asked again when it said that it would be full."""
    limiter = RateLimiter()
    limiter.told("g", "/", [Budget("", 0, 45.0, 0)], 0.0)
    assert limiter.ask("g", "/", 44.0) == (1.0, "account")
    assert limiter.ask("g", "/", 45.0) is None


def test_holds_outlive_the_budgets_of_single_records():
    """Thousands of changed tickets do not make the account's hold forgotten, nor that of a refused endpoint."""
    limiter = RateLimiter()
    limiter.told("g", "/", [Budget("", 0, 60.0, 100)], 0.0)
    limiter.throttled("h", "/", 50.0, (), 0.0)
    for number in range(3 * MOST_KEPT):
        limiter.told("t", f"/{number}", [Budget("per-ticket", 29, 600.0, 30, per_record=True)], 1.0)
    assert limiter.ask("g", "/", 1.0) == (59.0, "account")
    assert limiter.ask("h", "/", 49.0) is not None
    assert len(limiter._states) <= MOST_KEPT + 2


def test_memory_is_bounded():
    """Budgets of single records are forgotten, those that are full again first."""
    limiter = RateLimiter()
    limiter.told("g", "/0", [Budget("", 5, 1e6, 100)], 0.0)
    for number in range(3 * MOST_KEPT):
        limiter.told("g", f"/{number}", [Budget("b", 0, 10.0, 1, per_record=True)], float(number))
    assert MOST_KEPT >= len(limiter._states)
    assert limiter.ask("g", f"/{3 * MOST_KEPT - 1}", 3.0 * MOST_KEPT - 1) == (10.0, "b")


calls = st.lists(st.tuples(st.floats(0, 5), st.integers(1, 30)), min_size=1, max_size=30)


@given(calls, st.integers(1, 20), st.integers(0, 59))
def test_a_lone_caller_is_never_refused(calls, total, second):
    """Whatever the calls' rhythm and wherever in the minute they begin: one who asks first is never refused."""
    limiter, used, now = RateLimiter(), {}, 1_000_020.0 + second
    for pause, burst in calls:
        now += pause
        for _ in range(burst):
            while (hold := limiter.ask("g", "/", now)) is not None:
                assert 0 < hold.seconds <= WINDOW
                now += hold.seconds
            window = now // WINDOW
            used[window] = used.get(window, 0) + 1
            assert total >= used[window]
            resets = WINDOW - now % WINDOW
            limiter.told("g", "/", [Budget("", total - used[window], resets, total)], now)


@pytest.mark.parametrize(
    ("headers", "budgets"),
    [
        ({}, ()),
        ({"ratelimit-remaining": "5"}, ()),
        ({"ratelimit-remaining": "5", "ratelimit-reset": "9"}, (Budget("", 5, 9.0, None),)),
        ({"ratelimit-remaining": "5", "ratelimit-reset": "9", "ratelimit-limit": "700"}, (Budget("", 5, 9.0, 700),)),
        ({"ratelimit-remaining": "-1", "ratelimit-reset": "9"}, ()),
        ({"ratelimit-remaining": "9" * 40, "ratelimit-reset": "9"}, ()),
        ({"ratelimit-remaining": "\u0665", "ratelimit-reset": "9"}, ()),
        ({"ratelimit-remaining": "", "ratelimit-reset": "soon"}, ()),
    ],
)
def test_headers_are_read_or_passed_over(headers, budgets):
    """Only whole numbers of a believable size are taken for a budget."""
    assert budgets == tuple(read_standard_budgets(headers))


def test_a_deadline_is_lent_told_waits_up_to_its_patience():
    """A patient call gets back what it waited because it was told to, but not for ever; another gets nothing."""
    now = [0.0]
    patient, other = (Deadline(10, lambda: now[0], patient=each) for each in (True, False))
    assert (True, False) == (patient.has(3_000, told=True), patient.has(3_000, told=False))
    assert not other.has(3_000, told=True)
    for deadline in (patient, other):
        deadline.lend(3_000)
    assert (3_010, 10) == (patient.left(), other.left())
    assert not patient.has(3_011, told=True)
