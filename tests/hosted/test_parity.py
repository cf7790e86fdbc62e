"""A hosted connector and a local one behave alike: the same call of both gives the same."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from tests.hosted.conftest import RETRY
from tests.hosted.service import Service

from plugbay import InvalidParameterError, Policy, PolicyDeniedError
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector, ZendeskTalkOauth20AuthConfig
from plugbay.errors import PlugbayError
from plugbay.tools import execute_specs

READS = [
    ("tickets", "list", {"limit": 7}),
    ("tickets", "list", {}),
    ("tickets", "list", {"limit": 120, "include": ["users"]}),
    ("tickets", "search", {"query": "status<solved", "limit": 5}),
    ("tickets", "search", {"query": "nobodywroteabout"}),
    ("tickets", "incremental_export", {"start_time": "2026-01-01T00:00:00Z", "limit": 30}),
    ("users", "list", {"limit": 3, "role": "agent"}),
    ("organizations", "list", {"limit": 4}),
]
REFUSED = [
    ("tickets", "get", {}),
    ("tickets", "get", {"ticket_id": ".."}),
    ("tickets", "get", {"ticket_id": 2**70}),
    ("tickets", "search", {"query": "a\0b"}),
    ("tickets", "list", {"limit": 0}),
    ("tickets", "list", {"cursor": "made-up"}),
    ("tickets", "list", {"cursor": "abcdef.made-up"}),
    ("tickets", "update", {"ticket_id": 1}),
    ("tickets", "creat", {}),
    ("ticket", "get", {"ticket_id": 1}),
]


def said(error):
    """An error as it is told, and its class."""
    return type(error), error.payload()


async def outcome(connector, *call, **settings):
    """What a call gives, or how it fails."""
    try:
        result = await connector.execute(*call, **settings)
    except PlugbayError as error:
        return said(error)
    return result.data, dict(result.meta)


@pytest.fixture
def both(hosted_library, library, hosted, local):
    """A hosted and a local connector with the same settings."""
    return lambda **settings: (hosted(hosted_library, **settings), local(library, **settings))


@pytest.fixture
def alike(sandbox, hosted, local):
    """A hosted connector of `plugbay serve`'s dialect and a local one, on one account that may be changed."""
    with Service(sandbox, settings={"retry": RETRY}) as service:
        service.add()
        yield lambda **settings: (hosted(service, **settings), local(sandbox, **settings))


@pytest.mark.parametrize("call", READS, ids=lambda call: f"{call[0]}.{call[1]}({call[2]})")
async def test_reads(both, vendor, call):
    """A read gives the same records; with `plugbay serve` all that is known beside them as well."""
    there, here = [await outcome(connector, *call) for connector in both()]
    assert here[0] == there[0]
    if not vendor:
        assert here == there


@pytest.mark.parametrize("call", REFUSED, ids=lambda call: f"{call[0]}.{call[1]}({call[2]})")
async def test_refusals(both, hosted_library, call):
    """What does not fit is refused in the same words, before an execution is asked for."""
    there, here = [await outcome(connector, *call) for connector in both()]
    assert here == there
    assert issubclass(here[0], PlugbayError)
    assert [] == hosted_library.came("/execute")


async def test_where_a_cut_list_goes_on(both, vendor):
    """A list that is cut for a reader goes on from the page of the cut, not from the list's beginning, as a local one does."""
    if vendor:
        pytest.skip("the vendor's service counts pages")
    there, here = [
        await connector._executor.run(connector.find("tickets", "list"), {"limit": 130}) for connector in both()
    ]
    places = (1, 99, 100, 101, 129, 130)
    assert [here.resume_at(count) for count in places] == [there.resume_at(count) for count in places]


async def test_oneself(both):
    """Who one is, is who the service's credentials belong to, without the token of a browser's session."""
    there, here = [await outcome(each, "users", "me") for each in both()]
    assert here == there
    assert "authenticity_token" not in repr(here)


async def test_a_record(both, library):
    """A record is the service's own JSON."""
    number = min(library.account.tickets)
    there, here = [await connector.tickets.get(number) for connector in both()]
    assert here == there


async def test_fields(both, library):
    """Fields are chosen and texts cut in the same way."""
    number = min(library.account.tickets)
    settings = {"select_fields": ["id", "subject", "via.channel"], "skip_truncation": False}
    there, here = [await outcome(each, "tickets", "get", {"ticket_id": number}, **settings) for each in both()]
    assert here == there
    assert {"id", "subject", "via"} == set(here[0])


async def test_missing_record(both, vendor):
    """A record that is not there is the same error, to the word with `plugbay serve`."""
    there, here = [await outcome(connector, "tickets", "get", {"ticket_id": 10**9}) for connector in both()]
    assert here[0] is there[0]
    if not vendor:
        assert here == there


async def test_all_records(both):
    """A list that is iterated gives every record once, whatever the paging beneath."""
    there, here = [[each["id"] async for each in connector.tickets.list()] for connector in both()]
    assert 130 == len(here)
    assert here == there


@pytest.mark.parametrize("sizes", [(1, 2, 3), (40, 60, 50), (5, 120), (100, 100)])
async def test_cursors(both, sizes):
    """A cursor goes on behind the last record, however many were asked for."""
    told = []
    for connector in both():
        cursor, records = None, []
        for size in sizes:
            page = await connector.tickets.list(limit=size, cursor=cursor)
            records += [each["id"] for each in page]
            cursor = page.meta.cursor
        told.append(records)
    assert told[1] == told[0]
    assert len(set(told[0])) == len(told[0]) == min(sum(sizes), 130)


async def test_cursors_are_the_same(both, vendor):
    """With `plugbay serve` a cursor of the one is good for the other."""
    there, here = both()
    if vendor:
        page = await there.tickets.list(limit=5)
        with pytest.raises(PlugbayError):
            await there.tickets.list(limit=5, cursor=page.meta.cursor.replace("2x5", "2x5x5"))
        return
    page = await there.tickets.list(limit=5)
    rest = await here.tickets.list(limit=5, cursor=page.meta.cursor)
    again = await there.tickets.list(limit=10)
    assert again.data == page.data + rest.data


async def test_a_list_to_its_end(alike, sandbox):
    """A limit beyond the end brings all there is."""
    there, here = alike()
    for connector in (there, here):
        found = await connector.users.list(limit=100_000)
        assert found.meta.has_more is False
        assert {each["id"] for each in found} == {*sandbox.account.users}


async def test_cut_results(both):
    """A model's result that is cut goes on exactly behind what it was shown, as often as need be."""
    told = []
    for connector in both():
        spec = execute_specs([connector], max_output_chars=4_000)[0]
        shown, cursor = [], None
        while True:
            params = {"limit": 60} | ({"cursor": cursor} if cursor else {})
            result = await spec.call({"entity": "tickets", "action": "list", "params": params})
            shown += [each["id"] for each in result["data"]]
            cursor = result["meta"].get("cursor")
            if not result["meta"].get("has_more"):
                break
        told.append(shown)
    assert 130 == len(told[1]) == len(set(told[1]))
    assert told[1] == told[0]


async def test_what_a_model_is_told(both, vendor, library):
    """A tool's text is the same: descriptions, results, refusals, and that a model may only read."""
    number = min(library.account.tickets)
    calls = [
        {"entity": "tickets", "action": "get", "params": {"ticket_id": number}},
        {"entity": "tickets", "action": "get", "params": {"id": "x"}},
        {"entity": "tickets", "action": "update", "params": {"ticket_id": number, "status": "open"}},
        {"entity": "users", "action": "nothing", "params": {}},
    ]
    specs = [execute_specs([connector])[0] for connector in both()]
    assert specs[1].description == specs[0].description
    for call in calls:
        there, here = [str(await spec.call(call)) for spec in specs]
        assert here == there


async def test_policy(both, hosted_library):
    """What the policy forbids is not asked for; a dry run shows what Zendesk would be sent."""
    there, here = both(policy=Policy(deny=["tickets.update"]))
    for connector in (there, here):
        with pytest.raises(PolicyDeniedError):
            await connector.tickets.update(1, status="open")
    there, here = [
        await outcome(each, "tickets", "update", {"ticket_id": 1, "status": "open"})
        for each in both(policy=Policy(dry_run=True))
    ]
    assert here == there
    assert [] == hosted_library.requests


def test_synchronous(hosted_library, library):
    """The synchronous face is the same face."""
    from plugbay import connect
    from plugbay.connectors.zendesk_support import ZendeskSupportConnector, ZendeskSupportOauth20AuthConfig

    service = hosted_library
    named = {"client_id": service.client_id, "client_secret": service.client_secret, "api_url": service.url}
    there = connect("zendesk-support", **named).sync
    here = ZendeskSupportConnector(
        ZendeskSupportOauth20AuthConfig(access_token=library.access_token), base_url=library.base_url
    ).sync
    number = min(library.account.tickets)
    assert here.tickets.get(number) == there.tickets.get(number)
    assert here.tickets.list(limit=3).data == there.tickets.list(limit=3).data
    there.close()
    here.close()


async def test_talk(library, vendor, hosted):
    """Every connector can be hosted; this one's export goes on by time, from within a second."""
    here = ZendeskTalkConnector(
        ZendeskTalkOauth20AuthConfig(access_token=library.access_token), base_url=library.base_url
    )
    with Service(library, vendor=vendor) as service:
        service.add(ZendeskTalkConnector)
        there = hosted(service, "zendesk-talk")
        told = []
        for connector in (there, here):
            call = partial(connector.execute, "calls", "list")
            first = await call({"start_time": 0, "limit": 11})
            rest = await call({"start_time": 0, "limit": 11, "cursor": first.meta.cursor})
            told.append([first.data, rest.data])
        assert told[1] == told[0]
        assert 22 == len({each["id"] for part in told[0] for each in part})
        await here.close()


async def test_check(both, vendor):
    """A check says whose the credentials are, as far as the service tells."""
    there, here = [await connector.check() for connector in both()]
    assert "healthy" == here["status"] == there["status"]
    if not vendor:
        assert here == there


async def test_an_unhealthy_check(alike, sandbox):
    """Credentials that Zendesk does not accept are the same failure."""
    sandbox.fail("/api/v2/users/me*", status=401, times=None)
    there, here = [await connector.check() for connector in alike()]
    assert "unhealthy" == here["status"]
    assert here == there


@pytest.mark.parametrize(
    "failure",
    [{"status": 500}, {"status": 403}, {"shape": "html"}, {"shape": "no_record"}, {"truncate": 3}],
    ids=str,
)
async def test_failures_of_a_read(alike, sandbox, failure):
    """However Zendesk fails, the error is the same."""
    sandbox.fail("/api/v2/tickets/*", times=None, **failure)
    there, here = [await outcome(connector, "tickets", "get", {"ticket_id": 5}) for connector in alike()]
    assert issubclass(here[0], PlugbayError)
    assert here == there


@pytest.mark.parametrize(
    "failure",
    [{"status": 422}, {"status": 500}, {"close": True, "when": "after"}, {"reset": True, "when": "before"}],
    ids=str,
)
@pytest.mark.parametrize(
    "call", [("tickets", "create", {"comment": "x"}), ("tickets", "update", {"ticket_id": 5, "status": "open"})]
)
async def test_failures_of_a_write(alike, sandbox, failure, call):
    """What is said of a write that may have been done is the same, and so is what to do."""
    sandbox.fail("/api/v2/tickets*", times=None, **failure)
    there, here = [await outcome(connector, *call) for connector in alike()]
    assert issubclass(here[0], PlugbayError)
    assert here == there


async def test_a_repeated_create(alike, sandbox):
    """A create whose answer was lost is repeated under its key, and makes one ticket."""
    for connector in alike():
        before = len(sandbox.account.tickets)
        sandbox.fail("/api/v2/tickets", close=True, when="after", times=3)
        with pytest.raises(PlugbayError) as caught:
            await connector.tickets.create(subject=f"One of {before}", comment={"body": "x"})
        assert (True, "unknown") == (caught.value.retryable, caught.value.details["fate"])
        await connector.tickets.create(subject=f"One of {before}", comment={"body": "x"})
        assert before + 1 == len(sandbox.account.tickets)


async def test_writes(alike, sandbox):
    """A ticket is made, changed and commented on, with what came beside the record."""
    there, _ = alike()
    made = await there.tickets.create(subject="S", comment={"body": "C"}, tags=["a"])
    assert sandbox.account.tickets[made["id"]]["subject"] == "S"
    changed = await there.execute("tickets", "update", {"ticket_id": made["id"], "status": "pending"})
    assert ("pending", made["id"]) == (changed.data["status"], changed.meta.included["audit"]["ticket_id"])
    comment = await there.ticket_comments.create(made["id"], "note")
    assert ("note", False) == (comment["body"], comment["public"])


async def test_nested_bodies(sandbox, hosted):
    """To the vendor's service a body's fields go nested as Zendesk nests them, and what Zendesk answers is read."""
    with Service(sandbox, vendor=True) as service:
        service.add()
        there = hosted(service)
        made = await there.tickets.create(subject="S", comment={"body": "C"})
        await there.ticket_comments.create(made["id"], "note")
        comment = {"body": "note", "public": False}
        assert [
            {"ticket": {"subject": "S", "comment": {"public": False, "body": "C"}}},
            {"ticket_id": made["id"], "ticket": {"comment": comment}},
        ] == [each.body["params"] for each in service.came("/execute")]
        assert [] == [each for each in service.requests if "idempotency-key" in each.headers]


async def test_many_at_once(both):
    """Calls at the same time do not mix."""
    there, here = both()
    numbers = [each["id"] for each in await here.tickets.list(limit=20)]
    found = await asyncio.gather(*(there.tickets.get(number) for number in numbers))
    assert numbers == [each["id"] for each in found]


async def test_a_cursor_of_another_list(both):
    """A cursor of other filters is refused before anything is asked."""
    there, here = both()
    page = await here.users.list(limit=2)
    for connector in (there, here):
        with pytest.raises(InvalidParameterError, match="does not belong"):
            await connector.tickets.list(cursor=page.meta.cursor)
