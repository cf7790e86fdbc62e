"""The audit log, looked through and taken along."""

from __future__ import annotations

import csv
import io
import json

import pytest

from plugbay.server.store import AuditEntry


async def noted(running, **values):
    """An entry of the log."""
    known = {"organization_id": running.organization_id, "event": "execute", "entity": "tickets", "action": "list"}
    await running.server.audit.record(AuditEntry(**(known | values)))


def shown(person):
    """What happened, in the rows of the page."""
    return [row.all("td")[1].text for body in person.page.all("tbody") for row in body.all("tr")]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["users.get", "tickets.update", "tickets.list"]),
        ({"outcome": "not_found"}, ["users.get"]),
        ({"action": "tickets.update"}, ["tickets.update"]),
        ({"since": "2026-01-02T00:00"}, ["users.get", "tickets.update"]),
        ({"until": "2026-01-02T00:00"}, ["tickets.list"]),
        ({"since": "2026-01-02T00:00", "until": "2026-01-03T00:00"}, ["tickets.update"]),
        ({"connector": "11111111-1111-4111-8111-111111111111"}, ["tickets.list"]),
        ({"outcome": "conflict"}, []),
    ],
)
async def test_it_is_filtered(running, person, query, expected):
    """Each filter keeps what fits it, on the page and in both exports, and the form shows what was asked for."""
    await running.server.audit.purge(4e9)
    day = 86_400
    new_year = 1_767_225_600.0  # 2026-01-01T00:00:00Z
    await noted(running, at=new_year, connector_id="11111111-1111-4111-8111-111111111111")
    await noted(running, at=new_year + day, action="update")
    await noted(running, at=new_year + 2 * day, entity="users", action="get", outcome="not_found")
    await person.open("/audit", **query)
    assert (200, expected) == (person.answer.status_code, shown(person))
    links = {each.text: each["href"] for each in person.page.all("a")}
    lines = (await person.http.get(links["JSON lines"])).text.splitlines()
    rows = list(csv.DictReader(io.StringIO((await person.http.get(links["CSV"])).text)))
    oldest_first = expected[::-1]
    assert oldest_first == [f"{each['entity']}.{each['action']}" for each in map(json.loads, lines)]
    assert oldest_first == [f"{each['entity']}.{each['action']}" for each in rows]


@pytest.mark.parametrize(
    ("name", "value"), [("since", "yesterday"), ("until", "9" * 3000), ("connector", "x"), ("action", "tickets")]
)
async def test_a_filter_that_cannot_be_is_told_at_its_field(person, name, value):
    """A filter that cannot be read shows nothing, and says so; an export of it is refused."""
    await person.open("/audit", **{name: value})
    assert (422, []) == (person.answer.status_code, shown(person))
    assert f"{name}-error" in person.page.one(id=name)["aria-describedby"]
    assert 422 == (await person.http.get("/audit.csv", params={name: value})).status_code


async def test_it_is_paged(running, person):
    """The links to older entries lead through all of the log, each entry once, with the filter."""
    for number in range(120):
        await noted(running, at=1_000.0 + number, intent=f"number {number}")
    await person.open("/audit", action="tickets.list")
    found = []
    while True:
        found += [row.all("td")[-1].text for row in person.page.one("tbody").all("tr")]
        older = [each["href"] for each in person.page.all("a") if each.text == "Older entries"]
        if not older:
            break
        await person.open(older[0])
    assert [f"number {number}" for number in reversed(range(120))] == found


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r="])
async def test_no_cell_is_a_formula(running, person, start):
    """A stranger's words in a CSV are not run by the spreadsheet of whoever opens it."""
    await running.server.audit.purge(4e9)
    await noted(running, intent=f'{start}HYPERLINK("http://evil.example")')
    text = (await person.http.get("/audit.csv")).text
    cell = next(csv.DictReader(io.StringIO(text)))["intent"]
    assert f"'{start.strip()}HYPERLINK(" == cell.replace(" ", "").partition('"')[0]


async def test_a_row_is_one_line(running, person):
    """Words with line breaks do not forge a row."""
    await running.server.audit.purge(4e9)
    await noted(running, intent='first\r\n2026-01-01,"forged')
    lines = (await person.http.get("/audit.csv")).text.split("\r\n")
    assert 3 == len(lines)


async def test_exports_are_downloads(person):
    """Browsers keep the exports as files and never show them as pages."""
    for name, kind in (("audit.csv", "text/csv"), ("audit.jsonl", "application/x-ndjson")):
        told = (await person.http.get(f"/{name}")).headers
        assert f'attachment; filename="{name}"' == told["content-disposition"]
        assert told["content-type"].startswith(kind)
