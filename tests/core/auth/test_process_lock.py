"""One holder among tasks, threads, event loops and processes; nobody waits for one that has gone."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from plugbay.auth import MemoryTokenStore
from plugbay.auth.process_lock import _Grip, _grips, process_lock
from plugbay.errors import ConfigurationError, DeadlineExceededError


@pytest.fixture(params=["process", "memory"])
def lock(request, tmp_path):
    """Makes contexts of one lock; both kinds keep the same promises within a process."""
    if request.param == "memory":
        return MemoryTokenStore().lock
    return lambda: process_lock(tmp_path / "lock", timeout=60)


@pytest.fixture
def at_once(tmp_path):
    """The same file's lock, for who does not want to wait."""
    return lambda: process_lock(tmp_path / "lock", timeout=0)


class Count:
    """How many are inside at once, at most."""

    def __init__(self):
        self.inside = self.most = self.visits = 0

    async def visit(self, lock):
        async with lock():
            self.inside += 1
            self.visits += 1
            self.most = max(self.most, self.inside)
            await asyncio.sleep(0)
            self.inside -= 1


async def test_one_task_at_a_time(lock):
    """Tasks of one loop have the lock one after the other."""
    count = Count()
    await asyncio.gather(*[count.visit(lock) for _ in range(20)])
    assert (20, 1) == (count.visits, count.most)


def test_one_loop_at_a_time(lock):
    """Event loops in threads have the lock one after the other."""
    count, together = Count(), threading.Barrier(6)

    async def visits():
        for _ in range(5):
            await count.visit(lock)

    def run(_):
        together.wait()
        asyncio.run(visits())

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(run, range(6)))
    assert (30, 1) == (count.visits, count.most)


async def test_waiting_leaves_the_loop_free(lock):
    """While one task waits for the lock, others of its loop run, and the one that holds it can let go."""
    async with lock():
        waiting = asyncio.create_task(Count().visit(lock))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not waiting.done()
    await waiting


async def test_waiting_can_be_cancelled(lock):
    """A task that waits can be cancelled; it does not have the lock then, and nobody else lacks it."""
    async with lock():
        waiting = [asyncio.create_task(Count().visit(lock)) for _ in range(5)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        assert {True} == {isinstance(gone, asyncio.CancelledError) for gone in await outcomes(waiting)}
    await Count().visit(lock)


async def outcomes(tasks):
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_cancelled_at_any_step(lock, at_once):
    """Wherever on its way to the lock a task is cancelled, the lock is free afterwards."""
    for steps in range(12):
        task = asyncio.create_task(Count().visit(lock))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await outcomes([task])
        await Count().visit(at_once)


async def test_waiting_ends_with_the_deadline_around_it(lock):
    """The deadline of whoever waits holds: it is no matter of the lock's own."""
    async with lock():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await Count().visit(lock)


async def test_lock_that_is_not_let_go(tmp_path, at_once):
    """Somebody who holds it too long is an error that names the lock and may be tried again."""
    async with at_once():
        with pytest.raises(DeadlineExceededError, match="lock was held") as caught:
            await Count().visit(at_once)
    assert caught.value.retryable
    assert str(tmp_path) in str(caught.value)
    await Count().visit(at_once)


async def test_waiting_leaves_no_file_open(tmp_path, at_once):
    """Each look at a lock that somebody has is closed again; in the end no file of ours is open."""
    async with at_once():
        for _ in range(3):
            with pytest.raises(DeadlineExceededError):
                await Count().visit(at_once)
        assert 1 == len([grip for grip in _grips if grip.path == tmp_path / "lock"])
    assert [] == [grip for grip in _grips if grip.path == tmp_path / "lock"]


async def test_failure_inside_lets_go(at_once):
    """What is raised inside the block comes out as it is, and the lock is free."""
    for error in (OSError("disk"), TimeoutError(), asyncio.CancelledError()):
        with pytest.raises(type(error)) as caught:
            async with at_once():
                raise error
        assert caught.value is error
    await Count().visit(at_once)


@pytest.mark.parametrize("replaced", [True, False])
async def test_file_that_is_gone_locks_nothing(tmp_path, replaced):
    """A lock on a file that was deleted after it was opened does not count: others lock the one that is there now."""
    path = tmp_path / "lock"
    grip = _Grip(path, asyncio.get_running_loop())
    path.unlink()
    if replaced:
        path.touch()
    assert not grip.take()
    grip.close()


async def test_lock_file_that_cannot_be_made(tmp_path):
    """A lock file in a place where none can be is a configuration error that names it."""
    with pytest.raises(ConfigurationError, match="No such file"):
        await Count().visit(lambda: process_lock(tmp_path / "none" / "lock", timeout=0))


def test_loop_that_stopped_holds_nothing(lock):
    """A loop that just stops while it has the lock is no reason to wait for ever."""
    dead = asyncio.new_event_loop()

    async def take():
        held.append(lock())
        await held[0].__aenter__()

    held = []
    dead.run_until_complete(take())
    asyncio.run(Count().visit(lock))
    dead.run_until_complete(held[0].__aexit__(None, None, None))
    dead.run_until_complete(dead.shutdown_default_executor())
    dead.close()
    asyncio.run(Count().visit(lock))


def test_late_release_takes_the_lock_from_nobody(lock):
    """A loop that lost the lock while it was stopped, and goes on, lets go of nothing that is another's now."""
    dead, inside = asyncio.new_event_loop(), Count()

    async def take():
        held.append(lock())
        await held[0].__aenter__()

    async def hold():
        async with lock():
            await asyncio.to_thread(dead.run_until_complete, held[0].__aexit__(None, None, None))
            waiting = asyncio.create_task(inside.visit(lock))
            for _ in range(20):
                await asyncio.sleep(0)
            assert inside.visits == 0
        await waiting

    held = []
    dead.run_until_complete(take())
    asyncio.run(hold())
    dead.run_until_complete(dead.shutdown_default_executor())
    dead.close()


def test_killed_holder_leaves_the_lock_free(zygote, tmp_path):
    """A process that is killed while it holds the lock holds it no longer."""
    with zygote.start({"job": "hold_lock", "lock": str(tmp_path / "lock")}) as child:
        assert "held" == child.line()
        with pytest.raises(DeadlineExceededError):
            asyncio.run(Count().visit(lambda: process_lock(tmp_path / "lock", timeout=0)))
        os.kill(child.pid, signal.SIGKILL)
        assert "" == child.wait()
    asyncio.run(Count().visit(lambda: process_lock(tmp_path / "lock", timeout=60)))


def test_forked_child_keeps_no_lock(zygote, tmp_path):
    """A child that was forked while its parent had the lock does not hold it when the parent is killed."""
    with zygote.start({"job": "fork_inside_lock", "lock": str(tmp_path / "lock")}) as parent:
        child = int(parent.line())
        os.kill(parent.pid, signal.SIGKILL)
        assert "" == parent.wait()
    try:
        asyncio.run(Count().visit(lambda: process_lock(tmp_path / "lock", timeout=20)))
    finally:
        os.kill(child, signal.SIGKILL)


def test_let_go_is_let_go(zygote, tmp_path):
    """A lock that its holder lets go of is free, even if a child that knows nothing of it has its file open."""
    with zygote.start({"job": "fork_unnoticed", "lock": str(tmp_path / "lock")}) as parent:
        child = int(parent.line())
        try:
            asyncio.run(Count().visit(lambda: process_lock(tmp_path / "lock", timeout=0)))
        finally:
            os.kill(child, signal.SIGKILL)
