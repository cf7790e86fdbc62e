from __future__ import annotations

import base64

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXPORTS = "/api/v2/incremental"
COMMON = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def table(sandbox, plural):
    return getattr(sandbox.account, plural)


@pytest.mark.parametrize("plural", ["tickets", "users"])
@COMMON
@given(size=st.integers(10, 300))
def test_cursors_give_each_record_once(api, sandbox, plural, size):
    """Following the cursor to the end of the stream gives each record once, oldest change first."""
    answer = api.json(f"{EXPORTS}/{plural}/cursor", start_time=0, per_page=size, exclude_deleted="true")
    rows = answer[plural]
    while not answer["end_of_stream"]:
        assert answer["after_url"].startswith(sandbox.base_url)
        answer = api.json(answer["after_url"])
        rows += answer[plural]

    held_back = {k[1] for k, moment in sandbox.account.changed_at.items() if moment > sandbox.clock.timestamp() - 60}
    assert sorted(row["id"] for row in rows) == sorted(set(table(sandbox, plural)) - held_back)
    assert [row["updated_at"] for row in rows] == sorted(row["updated_at"] for row in rows)


@pytest.mark.parametrize("plural", ["tickets", "users", "organizations"])
@COMMON
@given(size=st.integers(5, 300))
def test_times_give_every_record(api, sandbox, plural, size):
    """Following next_page until end_of_stream gives every record; what comes twice lies on a page's last second."""
    answer = api.json(f"{EXPORTS}/{plural}", start_time=0, per_page=size)
    seen, last = set(), []
    while True:
        assert answer["count"] == len(answer[plural])
        twice = [row for row in answer[plural] if row["id"] in seen]
        assert {row["updated_at"] for row in twice} <= set(last)
        seen |= {row["id"] for row in answer[plural]}
        last = [row["updated_at"] for row in answer[plural]][-1:]
        assert f"start_time={answer['end_time']}" in answer["next_page"]
        if answer["end_of_stream"]:
            break
        answer = api.json(answer["next_page"])

    assert seen == set(table(sandbox, plural)) | (
        set(sandbox.account.deleted_tickets) if plural == "tickets" else set()
    )


def test_cursor_looks_like_the_real_one(api):
    """A cursor is base64 of a moment and an id, divided by two bars."""
    cursor = api.json(f"{EXPORTS}/tickets/cursor.json", start_time=0, per_page=1)["after_cursor"]
    moment, number = base64.b64decode(cursor).decode().rstrip("|").split("||")

    assert float(moment) > 0
    assert int(number) > 0
    assert api.get(f"{EXPORTS}/tickets/cursor", cursor="nonsense").json()["errors"][0]["code"] == "InvalidCursor"


def test_new_data_is_held_back_for_a_minute(api, sandbox):
    """A change appears once it is sixty seconds old, behind the cursor that was saved at the end of the stream."""
    cursor = api.json(f"{EXPORTS}/tickets/cursor", start_time=0)["after_cursor"]
    ticket = api.ticket()
    early = api.json(f"{EXPORTS}/tickets/cursor", cursor=cursor)
    assert (early["tickets"], early["end_of_stream"]) == ([], True)
    assert early["after_cursor"] == cursor
    sandbox.clock.advance(seconds=61)
    late = api.json(f"{EXPORTS}/tickets/cursor", cursor=cursor)

    assert [row["id"] for row in late["tickets"]] == [ticket["id"]]


def test_a_changed_record_comes_again(api, sandbox):
    """A record that changes after it was exported is exported again."""
    sandbox.clock.advance(seconds=61)
    cursor = api.json(f"{EXPORTS}/tickets/cursor", start_time=0)["after_cursor"]
    api.put("/api/v2/tickets/1", {"ticket": {"priority": "urgent"}})
    sandbox.clock.advance(seconds=61)

    assert [t["id"] for t in api.json(f"{EXPORTS}/tickets/cursor", cursor=cursor)["tickets"]] == [1]


def test_deleted_tickets_stay_in_the_stream(api, sandbox):
    """A deleted ticket is exported with status "deleted", unless such are left out."""
    number = api.ticket()["id"]
    api.delete(f"/api/v2/tickets/{number}")
    sandbox.clock.advance(seconds=61)
    shown = {row["id"]: row["status"] for row in api.json(f"{EXPORTS}/tickets/cursor", start_time=0)["tickets"]}
    hidden = api.json(f"{EXPORTS}/tickets/cursor", start_time=0, exclude_deleted="true")["tickets"]

    assert shown[number] == "deleted"
    assert number not in {row["id"] for row in hidden}


@pytest.mark.parametrize("path", ["tickets/cursor", "users/cursor", "tickets", "users", "organizations"])
def test_start_time(api, sandbox, path):
    """A start less than a minute ago is 422; none at all, or no number, is 400."""
    recent = int(sandbox.clock.timestamp()) - 30
    answer = api.get(f"{EXPORTS}/{path}", start_time=recent)

    assert (answer.status_code, answer.json()["error"]) == (422, "InvalidValue")
    assert answer.json()["description"].startswith("Too recent start_time.")
    assert api.get(f"{EXPORTS}/{path}", start_time=recent - 40).status_code == 200
    assert api.get(f"{EXPORTS}/{path}").status_code == 400
    assert api.get(f"{EXPORTS}/{path}", start_time="yesterday").status_code == 400


def test_many_changes_in_one_second(api, sandbox):
    """More changes in one second than a page holds do not make the time-based export go round in circles."""
    sandbox.clock.advance(seconds=100)
    moment = int(sandbox.clock.timestamp()) - 70
    for number in range(1, 31):
        sandbox.account.place("ticket", number, moment + number / 100)
    answer = api.json(f"{EXPORTS}/tickets", start_time=moment, per_page=10)
    seen = {row["id"] for row in answer["tickets"]}
    for _ in range(5):
        if answer["end_of_stream"]:
            break
        answer = api.json(answer["next_page"])
        seen |= {row["id"] for row in answer["tickets"]}

    assert answer["end_of_stream"]
    assert seen >= set(range(1, 31))


def test_sideloads(api):
    """Users can be put beside exported tickets."""
    assert api.json(f"{EXPORTS}/tickets/cursor", start_time=0, include="users")["users"]
