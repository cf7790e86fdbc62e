"""A limit holds for all processes together, and most calls do not touch the database."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import event, select

from plugbay.server.store import Rates
from plugbay.server.tables import rates


@pytest.fixture
def clock():
    """A clock that stands at 30 seconds into a minute, until it is set."""
    return [6000 * 60.0 + 30.0]


@pytest.fixture
def limits(stores, clock):
    return Rates(stores.database, clock=lambda: clock[0])


@pytest.mark.parametrize("limit", [0, 1, 3, 19, 20, 45, 130])
async def test_as_many_as_the_limit_pass(stores, clock, limits, limit):
    """Of calls that are made at once by three processes at most `limit` pass, and one process alone has them all."""
    alone = await asyncio.gather(*(limits.take("alone", limit) for _ in range(limit + 10)))
    assert (limit, {30.0}) == (alone.count(None), set(alone) - {None})
    several = [Rates(stores.database, clock=lambda: clock[0]) for _ in range(3)]
    calls = [each.take("shared", limit) for _ in range(limit + 10) for each in several]
    assert limit == (await asyncio.gather(*calls)).count(None)


async def test_each_client_and_minute_has_its_own(stores, clock, limits):
    """A client that has spent its minute is in nobody's way, and passes again in the next minute."""
    assert [None, 30.0] == [await limits.take("one", 1) for _ in range(2)]
    assert None is await limits.take("two", 1)
    clock[0] += 29.0
    assert 1.0 == await limits.take("one", 1)
    clock[0] += 1.0
    assert [None, 60.0] == [await limits.take("one", 1) for _ in range(2)]


async def test_most_calls_touch_memory_alone(stores, clock, limits):
    """A limit of 1200 costs one statement for sixty calls, and none when it is spent."""
    statements = []
    event.listen(
        stores.database._engine.sync_engine, "before_cursor_execute", lambda *given: statements.append(given[2])
    )
    for _ in range(1300):
        await limits.take("one", 1200)
    assert 21 == len([each for each in statements if each.startswith("INSERT")])


async def test_a_spent_limit_is_known(stores, clock, limits):
    """A process that has refused a call knows so for the rest of the minute; asking counts nothing."""
    told = [(limits.is_spent("one"), await limits.take("one", 1)) for _ in range(2)]
    assert ([(False, None), (False, 30.0)], True) == (told, limits.is_spent("one"))
    assert not limits.is_spent("two")
    clock[0] += 30.0
    assert not limits.is_spent("one")
    assert None is await limits.take("one", 1)


async def test_past_minutes_are_forgotten(stores, clock, limits):
    """Purging takes away past minutes."""
    await limits.take("one", 10)
    assert [0, 1] == [await limits.purge(clock[0]), await limits.purge(clock[0] + 60)]
    assert [] == await stores.database.all(select(rates))


async def test_memory_is_bounded(clock, limits):
    """A minute's clients are forgotten with it."""
    for number in range(5):
        await limits.take(f"past {number}", 1)
    clock[0] += 60.0
    await limits.take("present", 1)
    assert ["present"] == list(limits._shares)
