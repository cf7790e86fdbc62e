from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("plural", "single"),
    [
        ("groups", "group"),
        ("brands", "brand"),
        ("ticket_fields", "ticket_field"),
        ("ticket_forms", "ticket_form"),
        ("custom_statuses", "custom_status"),
        ("satisfaction_ratings", "satisfaction_rating"),
    ],
)
def test_list_and_show(api, plural, single):
    """A setting is the same in its list and alone; an unknown one is 404."""
    rows = api.json(f"/api/v2/{plural}.json")[plural]

    assert api.json(f"/api/v2/{plural}/{rows[0]['id']}")[single] == rows[0]
    assert api.get(f"/api/v2/{plural}/5").json()["error"] == "RecordNotFound"


def test_statuses_are_not_paged(api):
    """Custom statuses come as one list without any paging keys."""
    assert set(api.json("/api/v2/custom_statuses")) == {"custom_statuses"}


def test_fields_of_a_form_exist(api):
    """A form's fields are in the list of fields."""
    fields = {field["id"] for field in api.json("/api/v2/ticket_fields")["ticket_fields"]}

    assert set(api.json("/api/v2/ticket_forms")["ticket_forms"][0]["ticket_field_ids"]) == fields


def test_options_of_a_field_are_what_tickets_have(api, sandbox):
    """Every value of a drop-down on a ticket is one of its options."""
    field = next(f for f in api.json("/api/v2/ticket_fields")["ticket_fields"] if f["type"] == "tagger")
    options = {option["value"] for option in field["custom_field_options"]}
    used = {e["value"] for t in sandbox.account.tickets.values() for e in t["custom_fields"] if e["id"] == field["id"]}

    assert used <= options
    assert len(used) > 3
