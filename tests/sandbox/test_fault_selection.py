"""Which requests a fault hits."""

from __future__ import annotations

import random
import threading

import pytest

from plugbay.sandbox import Failure

TICKETS = "/api/v2/tickets"


@pytest.fixture(autouse=True)
def healed(sandbox):
    yield
    sandbox.heal()


@pytest.mark.parametrize(
    ("selection", "hit"),
    [
        ({}, [1]),
        ({"times": 2}, [1, 2]),
        ({"times": None}, [1, 2, 3, 4]),
        ({"nth": 3}, [3]),
        ({"nth": 2, "times": None}, [2, 3, 4]),
        ({"path": "/api/v2/tickets/*", "times": None}, [2, 3, 4]),
        ({"path": "/api/v2/tickets/?", "nth": 2}, [3]),
        ({"path": "/api/v2/ticket"}, []),
        ({"method": "DELETE"}, [4]),
        ({"method": "get", "nth": 3}, [3]),
        ({"match": lambda request: request.query == [("include", "users")]}, [3]),
    ],
)
def test_selection(api, sandbox, selection, hit):
    """A fault hits the requests of a path, a method and a condition, from the nth on, so many times."""
    fault = sandbox.fail(**selection, status=599)
    answers = [
        api.get(TICKETS),
        api.get(f"{TICKETS}/5"),
        api.get(f"{TICKETS}/6", include="users"),
        api.delete(f"{TICKETS}/0"),
    ]

    assert hit == [place for place, answer in enumerate(answers, 1) if answer.status_code == 599]
    assert len(hit) == fault.hits


def test_script(api, sandbox):
    """Several faults make a script: each counts every request, and of those that apply the first is used."""
    sandbox.fail(TICKETS, status=503, times=2)
    late = sandbox.fail(TICKETS, status=429, nth=3)
    spare = sandbox.fail(TICKETS, status=500, nth=3)

    assert [503, 503, 429, 500, 200] == [api.get(TICKETS).status_code for _ in range(5)]
    assert (1, 1) == (late.hits, spare.hits)


def test_stop_and_heal(api, sandbox):
    """A stopped fault hits nothing any more, and healing stops them all."""
    first, second = sandbox.fail(status=500, times=None), sandbox.fail(status=501, times=None)
    seen = [api.get(TICKETS).status_code]
    first.stop()
    seen.append(api.get(TICKETS).status_code)
    sandbox.heal()
    seen.append(api.get(TICKETS).status_code)

    assert [500, 501, 200] == seen
    assert (1, 1) == (first.hits, second.hits)


def test_chooser(api, sandbox):
    """A function may decide for each request anew, seeded for a run that can be had again."""

    def run(seed: int) -> list[int]:
        rng = random.Random(seed)
        fault = sandbox.fail_with(lambda request: Failure(status=503) if rng.random() < 0.5 else None)
        seen = [api.get(TICKETS, **{"page[size]": 1}).status_code for _ in range(20)]
        assert seen.count(503) == fault.hits
        fault.stop()
        return seen

    assert run(1) == run(1) != run(2)
    assert {200, 503} == set(run(1))


def test_chooser_may_set_faults(api, sandbox):
    """A function that decides may stop itself and set further faults, which begin with the next request."""

    def once(request):
        chosen.stop()
        sandbox.fail(status=502, nth=2)
        return Failure(status=501)

    chosen = sandbox.fail_with(once)

    assert [501, 200, 502] == [api.get(TICKETS).status_code for _ in range(3)]


def test_set_from_many_threads(api, sandbox):
    """Faults set by many threads at once, while requests arrive, are all there and hit once each."""
    faults = []

    def arm() -> None:
        faults.extend([sandbox.fail(TICKETS, status=599) for _ in range(20)])

    threads = [threading.Thread(target=arm) for _ in range(5)]
    for thread in threads:
        thread.start()
    seen = [api.get(TICKETS, **{"page[size]": 1}).status_code for _ in range(40)]
    for thread in threads:
        thread.join()
    while len(seen) < 101:
        seen.append(api.get(TICKETS, **{"page[size]": 1}).status_code)

    assert 100 == seen.count(599) == sum(fault.hits for fault in faults)
