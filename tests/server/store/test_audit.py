"""What was done is noted, found again, and durable when whoever noted it goes on."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from sqlalchemy import event, func, select

from plugbay.errors import InvalidParameterError, ServiceError
from plugbay.server.database import Database
from plugbay.server.store import Audit, AuditEntry
from plugbay.server.tables import audit


def _entry(stores, **fields):
    return AuditEntry(**{"organization_id": stores.organization.id, "event": "execute", **fields})


async def test_an_entry_is_as_it_was_noted(stores):
    """All that was noted is found again; the content is not in the repr."""
    entry = _entry(
        stores,
        at=12.5,
        workspace_id="w",
        connector_id="c",
        client_id="a",
        via="mcp",
        entity="tickets",
        action="create",
        effect="write",
        outcome="rate_limited",
        fate="unknown",
        intent="to help",
        request_id="r",
        duration_ms=3.5,
        content={"params": {"subject": "very-secret"}},
    )
    assert entry.id == await stores.audit.record(entry)
    found = (await stores.audit.query(stores.organization.id)).items
    assert ([entry], False) == (found, "very-secret" in repr(found))


async def test_a_write_is_noted_before_and_finished_after(stores):
    """An entry that was started is finished once; what was noted at the start stays."""
    begun = _entry(stores, outcome="started", content={"a": 1})
    await stores.audit.record(begun)
    assert [begun] == (await stores.audit.query(stores.organization.id, outcome="started")).items
    await stores.audit.finish(begun.id, outcome="ok", duration_ms=7.0)
    await stores.audit.finish(begun.id, outcome="late")
    done = begun.changed(outcome="ok", duration_ms=7.0)
    assert [done] == (await stores.audit.query(stores.organization.id)).items
    other = _entry(stores, outcome="started")
    await stores.audit.record(other)
    await stores.audit.finish(other.id, outcome="network", fate="unknown")
    assert [other.changed(outcome="network", fate="unknown")] == (
        await stores.audit.query(stores.organization.id, outcome="network")
    ).items


async def test_entries_are_found_by_what_they_are_of(stores):
    """Each filter finds the entries it names, of one organization, the newest first."""
    fields = {"connector_id": "c", "workspace_id": "w", "client_id": "a", "entity": "tickets", "action": "get"}
    fields |= {"event": "sign_in", "outcome": "failed"}
    plain = _entry(stores, at=1.0)
    await stores.audit.record(plain)
    await stores.audit.record(AuditEntry(organization_id=stores.other.id, **{"event": "execute", **fields}))
    for number, (name, value) in enumerate(fields.items()):
        entry = _entry(stores, **{"at": 10.0 + number, name: value})
        await stores.audit.record(entry)
        assert [entry] == (await stores.audit.query(stores.organization.id, **{name: value})).items
    times = [each.at for each in (await stores.audit.query(stores.organization.id, since=11.0, until=14.0)).items]
    assert [13.0, 12.0, 11.0] == times


async def test_a_query_is_cut_and_an_export_is_whole(stores):
    """Parts of a query joined by their cursors are the export backwards, though many entries have one time."""
    entries = [_entry(stores, at=float(number // 7)) for number in range(1203)]
    await asyncio.gather(*(stores.audit.record(entry) for entry in entries))
    found, cursor = [], None
    while True:
        part = await stores.audit.query(stores.organization.id, limit=500, cursor=cursor)
        found += part.items
        if (cursor := part.next) is None:
            break
    exported = [entry async for entry in stores.audit.export(stores.organization.id)]
    assert (sorted(entries, key=lambda each: (each.at, each.id)), exported[::-1]) == (exported, found)
    assert [] == [entry async for entry in stores.audit.export(stores.other.id)]
    with pytest.raises(InvalidParameterError):
        await stores.audit.query(stores.organization.id, limit=0)


async def test_many_at_once_share_transactions(stores):
    """A thousand entries that are noted at once are all there after a few transactions."""
    begun = []
    event.listen(stores.database._engine.sync_engine, "commit", lambda _: begun.append(1))
    await asyncio.gather(*(stores.audit.record(_entry(stores)) for _ in range(1000)))
    count = (await stores.database.first(select(func.count()).select_from(audit)))[0]
    assert (1000, True) == (count, len(begun) <= 4)


async def test_each_is_told_of_its_own_failure(stores):
    """Of many that are noted at once only those that cannot be stored fail, and the others are there."""
    twice = _entry(stores)
    entries = [twice, *(_entry(stores) for _ in range(10)), twice]
    done = await asyncio.gather(*(stores.audit.record(entry) for entry in entries), return_exceptions=True)
    assert [False] * 11 + [True] == [isinstance(each, Exception) for each in done]
    assert 11 == len((await stores.audit.query(stores.organization.id)).items)


async def test_all_are_told_that_the_database_is_gone(stores):
    """When the database cannot be reached each caller has an error of its own, and later ones are served again."""
    gone = Audit(Database("postgresql://user:secret@127.0.0.1:1/name"))
    done = await asyncio.gather(*(gone.record(_entry(stores)) for _ in range(10)), return_exceptions=True)
    assert ([ServiceError] * 10, 10) == ([type(each) for each in done], len({id(each) for each in done}))
    await gone._database.close()


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5, 8, 13, 21])
async def test_a_caller_that_is_cancelled_takes_nobody_along(stores, steps):
    """Whenever one caller is cancelled, the others' entries are durable, and the next is served."""
    tasks = [asyncio.create_task(stores.audit.record(_entry(stores))) for _ in range(5)]
    for _ in range(steps):
        await asyncio.wait(tasks, timeout=0)
    tasks[0].cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    kept = {each for each in done if isinstance(each, str)}
    kept.add(await stores.audit.record(_entry(stores)))
    found = {each.id for each in (await stores.audit.query(stores.organization.id)).items}
    assert (True, True) == (len(kept) >= 5, kept <= found)


async def test_what_was_noted_survives_a_killed_process(stores):
    """Each id that a process told before it was killed is in the trail."""
    program = (
        "import asyncio, os, signal, sys\n"
        "from plugbay.server.database import Database; from plugbay.server.store import Audit, AuditEntry\n"
        "async def note(audit):\n"
        "    print(await audit.record(AuditEntry(organization_id=sys.argv[2], event='execute')), flush=True)\n"
        "async def main():\n"
        "    audit = Audit(Database(sys.argv[1]))\n"
        "    await asyncio.gather(*(note(audit) for _ in range(50)))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())"
    )
    url = stores.database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", program, url, stores.organization.id]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
    told = done.stdout.split()
    found = {each.id for each in (await stores.audit.query(stores.organization.id)).items}
    assert (-9, 50, set(told)) == (done.returncode, len(told), found)


async def test_old_entries_are_forgotten(stores):
    """Purging takes away what is from before then."""
    for at in (1.0, 2.0, 3.0):
        await stores.audit.record(_entry(stores, at=at))
    assert 2 == await stores.audit.purge(3.0)
    assert [3.0] == [each.at for each in (await stores.audit.query(stores.organization.id)).items]
