"""A lease has one holder among all processes, and outlives none of them for long."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
from sqlalchemy import select, text, update

from plugbay.errors import ConflictError, DeadlineExceededError
from plugbay.server.database import Database
from plugbay.server.store import Leases
from plugbay.server.tables import leases

HOLDER = """
import asyncio, sys
from plugbay.server.database import Database
from plugbay.server.store import Leases

async def main():
    database = Database(sys.argv[1])
    async with Leases(database, ttl=float(sys.argv[2])).hold("shared", wait=30) as lease:
        print(lease.fence, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""

COUNTER = """
import asyncio, sys
from plugbay.server.database import Database
from plugbay.server.store import Leases

async def main():
    database = Database(sys.argv[1])
    leases = Leases(database)
    for _ in range(10):
        async with leases.hold("counter", wait=60):
            with open(sys.argv[2]) as file:
                number = int(file.read())
            await asyncio.sleep(0)
            with open(sys.argv[2], "w") as file:
                file.write(str(number + 1))
    await database.close()

asyncio.run(main())
"""


HASTY = """
import asyncio, sys, time
right = time.time
time.time = lambda: right() + 3600
from plugbay.errors import DeadlineExceededError
from plugbay.server.database import Database
from plugbay.server.store import Leases

async def main():
    database = Database(sys.argv[1])
    try:
        async with Leases(database).hold("shared", wait=0.1):
            print("held")
    except DeadlineExceededError as error:
        print(type(error).__name__)
    await database.close()

asyncio.run(main())
"""


async def test_one_holds_it_at_a_time(stores):
    """Twenty that want a lease at once, through two servers' eyes, have it one after the other, each with a higher fence."""
    other = Leases(Database(stores.database.url.render_as_string(hide_password=False)))
    inside, most, fences = 0, 0, []

    async def work(store):
        nonlocal inside, most
        async with store.hold("shared", wait=60) as lease:
            inside += 1
            most = max(most, inside)
            fences.append(lease.fence)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(work(store) for store in (stores.leases, other) for _ in range(10)))
    await other._database.close()
    assert (1, list(range(1, 21))) == (most, fences)


async def test_leases_of_two_names_are_two(stores):
    """Whoever holds one lease is not in the way of who holds another."""
    async with stores.leases.hold("one", wait=1), stores.leases.hold("two", wait=1) as lease:
        assert ("two", 1) == (lease.name, lease.fence)


async def test_whoever_waits_too_long_is_told(stores):
    """A lease that others hold, in this process or another, is a DeadlineExceededError after the wait."""
    elsewhere = Leases(stores.database)
    async with stores.leases.hold("shared", wait=1):
        for store in (stores.leases, elsewhere):
            with pytest.raises(
                DeadlineExceededError, match=r"^The lease 'shared' was held by others for 0.05 seconds\."
            ):
                async with store.hold("shared", wait=0.05):
                    pass
    async with elsewhere.hold("shared", wait=0):
        pass


async def test_a_holder_that_waits_long_keeps_it(stores):
    """A lease is renewed while it is held: its end is put off before it comes, and nobody else has it meanwhile."""
    async with Leases(stores.database, ttl=9.0).hold("shared", wait=1) as lease:
        first = await _end(stores, "shared")
        async with asyncio.timeout(60):
            while first == await _end(stores, "shared"):
                with pytest.raises(DeadlineExceededError):
                    async with Leases(stores.database).hold("shared", wait=0.5):
                        pass
        assert first < await _end(stores, "shared")
        lease.check()
        assert False is lease.lost.is_set()


async def _end(stores, name):
    """When a lease ends, by the database's clock."""
    return (await stores.database.first(select(leases.c.expires_at).where(leases.c.name == name))).expires_at


async def test_a_held_lease_holds_no_connection(stores):
    """Between renewals a holder has no connection and no transaction."""
    async with stores.leases.hold("shared", wait=1):
        assert 0 == stores.database._engine.pool.checkedout()


async def test_a_holder_in_another_process_that_is_killed_loses_it(stores):
    """After kill -9 of the holder the next one has the lease when its length is over, with a higher fence."""
    url = stores.database.url.render_as_string(hide_password=False)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, url, "6", stdout=asyncio.subprocess.PIPE
    )
    assert b"1\n" == await process.stdout.readline()
    with pytest.raises(DeadlineExceededError):
        async with stores.leases.hold("shared", wait=0.1):
            pass
    process.send_signal(signal.SIGKILL)
    assert -signal.SIGKILL == await process.wait()
    async with stores.leases.hold("shared", wait=30) as lease:
        assert 2 == lease.fence


async def test_processes_that_take_turns_lose_nothing(stores, tmp_path):
    """Three processes that each raise a number in a file ten times under a lease raise it by thirty."""
    file = tmp_path / "number"
    file.write_text("0")
    url = stores.database.url.render_as_string(hide_password=False)
    started = [await asyncio.create_subprocess_exec(sys.executable, "-c", COUNTER, url, str(file)) for _ in range(3)]
    assert ([0, 0, 0], "30") == ([await process.wait() for process in started], file.read_text())


async def test_clocks_of_processes_do_not_matter(stores):
    """A process whose clock is an hour ahead does not take a lease that is held: the database's clock counts."""
    url = stores.database.url.render_as_string(hide_password=False)
    async with stores.leases.hold("shared", wait=1):
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", HASTY, url, stdout=asyncio.subprocess.PIPE)
        told, _ = await process.communicate()
    assert b"DeadlineExceededError\n" == told


@asynccontextmanager
async def _taken_over(stores, name):
    """The lease as another process has it, which came when it had ended."""
    async with AsyncExitStack() as stack:
        lease = None
        while lease is None:
            async with stores.database.begin() as connection:
                await connection.execute(update(leases).where(leases.c.name == name).values(expires_at=0.0))
            # Its holder may have renewed it in between.
            with suppress(DeadlineExceededError):
                lease = await stack.enter_async_context(Leases(stores.database).hold(name, wait=0))
        yield lease


async def test_a_write_under_a_stale_fence_is_refused(stores):
    """Whoever lost the lease to another may not write under it; the other may."""
    room = await stores.workspaces.ensure(stores.organization.id, "default")
    given = {"connector_type": "t", "name": "x", "subdomain": "x", "auth_kind": "oauth"}
    made = await stores.connectors.create(
        stores.organization.id, room.id, **given, replication_config={}, secret={"of": "first"}
    )
    place = (stores.organization.id, f"connector/{made.id}")
    async with stores.leases.hold("shared", wait=1) as lost:
        await stores.secrets.put(*place, {"of": "holder"}, lease=lost)
        async with _taken_over(stores, "shared") as lease:
            with pytest.raises(ConflictError, match=r"^The lease 'shared' was lost to another holder\.$"):
                await stores.secrets.put(*place, {"of": "stale"}, lease=lost)
            assert 3 == await stores.secrets.put(*place, {"of": "next"}, lease=lease)
        with pytest.raises(ConflictError):
            lost.check()
    assert {"of": "next"} == (await stores.secrets.get(*place)).value


async def test_a_holder_learns_that_it_was_lost(stores):
    """When the renewal finds another holder, the holder is told without asking, and does not end the other's lease."""
    first = Leases(stores.database, ttl=0.3).hold("shared", wait=1)
    async with first as lost, _taken_over(stores, "shared") as lease:
        await asyncio.wait_for(lost.lost.wait(), 30)
        with pytest.raises(ConflictError):
            lost.check()
        lease.check()
    assert [(2, True)] == [
        (row.fence, row.free)
        for row in await stores.database.all(text("SELECT fence, expires_at = 0 AS free FROM leases"))
    ]


async def test_the_end_of_a_lost_lease_does_not_end_the_next_one(stores):
    """A holder that leaves after another took over leaves the other's lease alone."""
    async with AsyncExitStack() as taken:
        async with stores.leases.hold("shared", wait=1):
            await taken.enter_async_context(_taken_over(stores, "shared"))
        with pytest.raises(DeadlineExceededError):
            async with Leases(stores.database).hold("shared", wait=0.05):
                pass


async def test_a_holder_without_a_database_learns_that_it_was_lost(database_url):
    """If the lease cannot be renewed for its whole length, the holder is told, and leaves without an error."""
    database = Database(database_url)
    await database.migrate()
    async with Leases(database, ttl=0.5).hold("shared", wait=1) as lease:
        async with database.begin() as connection:
            await connection.execute(text("ALTER TABLE leases RENAME TO away"))
        async with asyncio.timeout(30):
            await lease.lost.wait()
        with pytest.raises(ConflictError):
            lease.check()
    await database.close()


@pytest.mark.parametrize("steps", [0, 1, 3, 6, 10, 15, 25, 40])
async def test_whoever_is_cancelled_does_not_keep_it(stores, steps):
    """Cancelled anywhere on the way to the lease or with it, a caller leaves it to the next one at once."""

    async def work():
        async with stores.leases.hold("shared", wait=5):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    for _ in range(steps):
        await asyncio.wait((task,), timeout=0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with Leases(stores.database).hold("shared", wait=0):
        pass
    assert {} == stores.leases._queues
