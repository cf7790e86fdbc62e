from __future__ import annotations

import pytest

TICKET_KEYS = {
    "url", "id", "external_id", "via", "created_at", "updated_at", "generated_timestamp", "type", "subject",
    "raw_subject", "description", "priority", "status", "recipient", "requester_id", "submitter_id", "assignee_id",
    "organization_id", "group_id", "collaborator_ids", "follower_ids", "email_cc_ids", "forum_topic_id", "problem_id",
    "has_incidents", "is_public", "due_at", "tags", "custom_fields", "satisfaction_rating", "sharing_agreement_ids",
    "custom_status_id", "encoded_id", "fields", "followup_ids", "ticket_form_id", "brand_id", "allow_channelback",
    "allow_attachments", "from_messaging_channel", "satisfaction_probability",
}  # fmt: skip


@pytest.mark.parametrize("path", ["/api/v2/tickets/3", "/api/v2/tickets/3.json"])
def test_show(api, path):
    """A ticket has every field of the real one, with and without the suffix."""
    ticket = api.json(path)["ticket"]

    assert set(ticket) == TICKET_KEYS
    assert ticket["url"] == f"{api.sandbox.base_url}/api/v2/tickets/3.json"
    assert ticket["fields"] == ticket["custom_fields"]


@pytest.mark.parametrize("number", [9_223_372_036_854_775_807, 0, 999_999])
def test_missing(api, number):
    """A ticket that does not exist is 404 RecordNotFound."""
    answer = api.get(f"/api/v2/tickets/{number}")

    assert (answer.status_code, answer.json()) == (404, {"error": "RecordNotFound", "description": "Not found"})


def test_id_must_be_a_number(api):
    """A word in place of an id is 400."""
    assert api.get("/api/v2/tickets/abc").json()["error"]["title"] == "Invalid attribute"


def test_show_many(api):
    """show_many gives the tickets that exist, each once, and refuses more than a hundred ids."""
    answer = api.json("/api/v2/tickets/show_many", ids="3,1,3,999999")
    assert [ticket["id"] for ticket in answer["tickets"]] == [3, 1]
    refused = api.get("/api/v2/tickets/show_many", ids=",".join(map(str, range(101))))

    assert refused.status_code == 400
    assert refused.json()["error"] == "TooManyValues"
    assert refused.json()["max_count"] == 100


def test_sideloads(api):
    """`include` puts each neighbour beside the tickets exactly once."""
    answer = api.json("/api/v2/tickets", include="users,groups,organizations,comment_count,nonsense", per_page=30)
    users = [user["id"] for user in answer["users"]]

    assert len(users) == len(set(users))
    assert {ticket["requester_id"] for ticket in answer["tickets"]} <= set(users)
    assert {t["organization_id"] for t in answer["tickets"]} - {None} == {o["id"] for o in answer["organizations"]}
    assert {t["group_id"] for t in answer["tickets"]} == {group["id"] for group in answer["groups"]}
    for ticket in answer["tickets"]:
        assert ticket["comment_count"] == api.json(f"/api/v2/tickets/{ticket['id']}/comments/count")["count"]["value"]
    assert "nonsense" not in answer


def test_no_sideload_unasked(api):
    """Without `include` there is nothing but the ticket."""
    assert set(api.json("/api/v2/tickets/1")) == {"ticket"}


def test_by_external_id(api, sandbox):
    """The list can be narrowed to an external id."""
    wanted = next(t["external_id"] for t in sandbox.account.tickets.values() if t["external_id"])
    found = api.json("/api/v2/tickets", external_id=wanted)["tickets"]

    assert found
    assert {ticket["external_id"] for ticket in found} == {wanted}


def test_of_a_user_and_an_organization(api, sandbox):
    """The lists of a requester and of an organization hold exactly their tickets."""
    all_tickets = sandbox.account.tickets.values()
    user = sandbox.user("end-user")["id"]
    organization = next(t["organization_id"] for t in all_tickets if t["organization_id"])
    for path, key, value in (
        (f"users/{user}/tickets/requested", "requester_id", user),
        (f"organizations/{organization}/tickets", "organization_id", organization),
    ):
        found = [ticket["id"] for ticket in api.json(f"/api/v2/{path}")["tickets"]]
        assert found == [ticket["id"] for ticket in all_tickets if ticket[key] == value] != []
    assert api.get("/api/v2/users/1/tickets/requested").status_code == 404
    assert api.get("/api/v2/organizations/1/tickets").status_code == 404


def test_count(api, sandbox):
    """The count is that of the list."""
    assert api.json("/api/v2/tickets/count")["count"]["value"] == len(sandbox.account.tickets)
