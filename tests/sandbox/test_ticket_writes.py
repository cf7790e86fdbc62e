from __future__ import annotations

import pytest

TICKETS = "/api/v2/tickets"


def details(answer):
    assert answer.status_code == 422
    assert answer.json()["error"] == "RecordInvalid"
    return answer.json()["details"]


def put(api, ticket, **fields):
    return api.put(f"{TICKETS}/{ticket['id']}", {"ticket": fields})


def test_create(api, sandbox):
    """A created ticket answers 201 with its address, is found again, and its audit lists comment and fields."""
    body = {"subject": "Printer", "comment": {"body": "On *fire*"}, "priority": "high", "tags": ["B", "a", "a"]}
    answer = api.post(TICKETS, {"ticket": body})
    ticket, audit = answer.json()["ticket"], answer.json()["audit"]

    assert answer.status_code == 201
    assert answer.headers["location"] == ticket["url"]
    assert api.json(f"{TICKETS}/{ticket['id']}")["ticket"] == ticket
    assert (ticket["subject"], ticket["description"], ticket["status"]) == ("Printer", "On *fire*", "new")
    assert ticket["tags"] == ["a", "b"]
    assert audit["events"][0]["body"] == "On *fire*"
    assert {"type": "Create", "value": "high", "field_name": "priority", "id": audit["events"][2]["id"]} in audit[
        "events"
    ]
    assert ticket["id"] == max(sandbox.account.tickets)


def test_numbers_are_not_used_again(api, sandbox):
    """A new ticket takes the next number, neither that of a deleted one nor of one that a test has put in by hand."""
    gone = api.ticket()["id"]
    api.delete(f"{TICKETS}/{gone}")
    sandbox.account.tickets[gone + 1] = sandbox.account.tickets[1] | {"id": gone + 1}
    made = api.ticket()["id"]
    del sandbox.account.tickets[gone + 1]

    assert gone + 2 == made


def test_requester_is_created(api, sandbox):
    """A requester with a new address becomes a user, who has written the first comment; next time it is the same."""
    requester = {"name": "New Person", "email": "new.person@example.com"}
    first, second = api.ticket(requester=requester), api.ticket(requester=requester)
    comment = api.json(f"{TICKETS}/{first['id']}/comments")["comments"][0]

    assert first["requester_id"] == second["requester_id"] == comment["author_id"]
    assert sandbox.account.users[first["requester_id"]]["name"] == "New Person"


@pytest.mark.parametrize(
    ("requester", "field"),
    [({"email": "no-at-sign"}, "requester"), ({}, "requester_id"), ({"name": ""}, "requester_id")],
)
def test_requester_must_be_somebody(api, requester, field):
    """A requester without a usable name or address is refused."""
    answer = api.post(TICKETS, {"ticket": {"comment": {"body": "b"}, "requester": requester}})

    assert field in details(answer)


@pytest.mark.parametrize("name", [{}, {"name": None}, {"name": ""}, {"name": "  "}])
def test_new_requester_needs_a_name(api, sandbox, name):
    """A new address without a name is refused, on create and on update, and makes nobody; a known one needs none."""
    unknown = {"email": "nameless@example.com", **name}
    ticket = api.ticket()
    for answer in (
        api.post(TICKETS, {"ticket": {"comment": {"body": "b"}, "requester": unknown}}),
        put(api, ticket, requester=unknown),
    ):
        assert details(answer) == {
            "requester": [{"description": "Requester: Name: is too short (minimum one character)"}]
        }
    assert sandbox.account.user_by_email("nameless@example.com") is None
    known = sandbox.user("end-user")
    assert api.ticket(requester={"email": known["email"].upper(), **name})["requester_id"] == known["id"]


def test_people_in_copy_need_no_name(api, sandbox):
    """A new address in copy becomes a user named after its mailbox."""
    ticket = api.ticket(email_ccs=[{"user_email": "only.copied@example.com", "user_name": " "}])

    assert [sandbox.account.users[number]["name"] for number in ticket["email_cc_ids"]] == ["only.copied"]


@pytest.mark.parametrize("fields", [{}, {"subject": "s"}, {"comment": {}}, {"comment": {"body": "  "}}])
def test_description_is_required(api, fields):
    """A ticket without words is refused on its base."""
    found = details(api.post(TICKETS, {"ticket": fields}))

    assert found == {"base": [{"description": "Description: cannot be blank", "error": "BlankValue"}]}


def test_all_complaints_at_once(api):
    """Every wrong field is named, by field."""
    wrong = {
        "comment": {"body": "b"}, "status": "nope", "priority": "extreme", "type": "x", "group_id": 1, "assignee_id": 1,
    }  # fmt: skip

    assert set(details(api.post(TICKETS, {"ticket": wrong}))) == {"status", "priority", "type", "group", "assignee"}


def test_refused_write_changes_nothing(api):
    """A refused update leaves the ticket as it was, comment included."""
    ticket = api.ticket()
    put(api, ticket, priority="extreme", subject="other", comment={"body": "hello"})

    assert api.json(f"{TICKETS}/{ticket['id']}")["ticket"] == ticket
    assert len(api.json(f"{TICKETS}/{ticket['id']}/comments")["comments"]) == 1


def test_refused_write_makes_no_user(api, sandbox):
    """A refused create leaves no user behind, whoever it names."""
    before = len(sandbox.account.users)
    people = {"email_ccs": [{"user_email": "cc@example.com"}], "comment": {"body": "b"}}
    api.post(TICKETS, {"ticket": {**people, "requester": {"email": "broken"}}})
    api.post(TICKETS, {"ticket": {**people, "requester": {"email": "fine@example.com"}, "priority": "x"}})

    assert len(sandbox.account.users) == before


def test_a_new_requester_brings_their_organization(api, sandbox):
    """Changing the requester moves the ticket to the new one's organization."""
    member = next(user for user in sandbox.account.users.values() if user["organization_id"])
    changed = put(api, api.ticket(), requester_id=member["id"]).json()["ticket"]

    assert (changed["requester_id"], changed["organization_id"]) == (member["id"], member["organization_id"])


def test_assigning_opens(api, sandbox):
    """Giving a new ticket to an agent opens it and moves it to the agent's group."""
    agent = sandbox.user("agent")
    changed = put(api, api.ticket(), assignee_id=agent["id"]).json()["ticket"]
    assert (changed["status"], changed["group_id"]) == ("open", agent["default_group_id"])
    by_email = put(api, api.ticket(), assignee_email=agent["email"]).json()["ticket"]

    assert by_email["assignee_id"] == agent["id"]


def test_customer_cannot_be_assigned(api, sandbox):
    """A ticket cannot be given to an end user."""
    assert "assignee" in details(put(api, api.ticket(), assignee_id=sandbox.user("end-user")["id"]))


def test_only_given_fields_change(api):
    """An update leaves what it does not name, and its audit lists only what changed."""
    ticket = api.ticket(priority="low", tags=["a"])
    answer = put(api, ticket, priority="high").json()
    events = [{name: value for name, value in event.items() if name != "id"} for event in answer["audit"]["events"]]

    assert {k: v for k, v in answer["ticket"].items() if v != ticket[k]}.keys() <= {
        "priority", "updated_at", "generated_timestamp",
    }  # fmt: skip
    assert events == [{"type": "Change", "field_name": "priority", "value": "high", "previous_value": "low"}]


def test_tags_are_replaced(api):
    """`tags` is the new list, not an addition."""
    assert put(api, api.ticket(tags=["a", "b"]), tags=["c"]).json()["ticket"]["tags"] == ["c"]


def test_custom_fields(api, sandbox):
    """Custom fields change one by one; an option that does not exist is refused with the field's id."""
    fields = {field["title"]: field["id"] for field in sandbox.account.ticket_fields.values()}
    number, area = fields["Order number"], fields["Product area"]
    ticket = api.ticket(custom_fields=[{"id": number, "value": "LK-1"}])
    ticket = put(api, ticket, custom_fields={str(area): "area_billing"}).json()["ticket"]
    values = {entry["id"]: entry["value"] for entry in ticket["custom_fields"]}
    assert (values[number], values[area]) == ("LK-1", "area_billing")
    refused = details(put(api, ticket, custom_fields=[{"id": area, "value": "area_moon"}]))

    assert refused["base"][0]["ticket_field_id"] == area


def test_status_and_custom_status_move_together(api, sandbox):
    """Either of them sets the other."""
    warehouse = next(s for s in sandbox.account.custom_statuses.values() if not s["default"])
    ticket = put(api, api.ticket(), custom_status_id=warehouse["id"]).json()["ticket"]
    assert ticket["status"] == "hold"
    ticket = put(api, ticket, status="pending").json()["ticket"]

    assert sandbox.account.custom_statuses[ticket["custom_status_id"]]["status_category"] == "pending"
    assert "custom_status_id" in details(put(api, ticket, custom_status_id=5))


def test_closed_is_final(api):
    """A closed ticket takes no further update."""
    ticket = api.ticket(status="closed")
    answer = put(api, ticket, priority="low")

    assert answer.status_code == 422
    assert answer.json() == {
        "error": "RecordInvalid",
        "description": "Record validation errors",
        "details": {"status": [{"description": "closed prevents ticket update"}]},
    }


def test_comment_visibility_is_inherited(api):
    """A comment that does not say is public on a public conversation and private on a private one."""
    for first in (True, False):
        ticket = api.ticket(comment={"body": "b", "public": first})
        answer = put(api, ticket, comment={"body": "next"}).json()
        assert ticket["is_public"] is first
        assert answer["audit"]["events"][0]["public"] is first


def test_private_note(api):
    """public false makes a note that leaves the conversation public."""
    answer = put(api, api.ticket(), comment={"body": "note", "public": False}).json()

    assert answer["audit"]["events"][0]["public"] is False
    assert answer["ticket"]["is_public"] is True


def test_light_agent_is_always_private(api, sandbox):
    """Whatever a light agent writes is private."""
    ticket = api.ticket()
    token = sandbox.token(role="light-agent")
    answer = api.put(f"{TICKETS}/{ticket['id']}", {"ticket": {"comment": {"body": "b", "public": True}}}, token=token)

    assert answer.json()["audit"]["events"][0]["public"] is False


def test_light_agent_creates_in_private(api, sandbox):
    """A ticket that a light agent creates begins with a private comment, even when it asks for a public one."""
    body = {"ticket": {"subject": "s", "comment": {"body": "b", "public": True}}}
    answer = api.post(TICKETS, body, token=sandbox.token(role="light-agent")).json()

    assert answer["audit"]["events"][0]["public"] is False
    assert answer["ticket"]["is_public"] is False


def test_comment_in_the_name_of_a_light_agent(api, sandbox):
    """A public comment added in a light agent's name becomes private, unless the light agent is the requester."""
    light = sandbox.user("light-agent")["id"]
    comment = {"body": "b", "public": True, "author_id": light}
    other, own = api.ticket(), api.ticket(requester_id=light)

    assert put(api, other, comment=comment).json()["audit"]["events"][0]["public"] is False
    assert put(api, own, comment=comment).json()["audit"]["events"][0]["public"] is True


def test_markup_in_a_comment(api):
    """html_body is kept as markup and shown as words in the plain bodies."""
    ticket = api.ticket(comment={"html_body": "<p>Hello <b>you</b> &amp; me</p><script>x</script>"})
    comment = api.json(f"{TICKETS}/{ticket['id']}/comments")["comments"][0]

    assert comment["plain_body"] == comment["body"] == "Hello you & me"
    assert "<b>you</b>" in comment["html_body"]
    assert api.ticket(comment={"body": "<i>"})["description"] == "<i>"


def test_comment_limit(api):
    """A comment may hold 64 KiB and not one byte more."""
    assert api.ticket(comment={"body": "x" * 65_536})
    assert "comment" in details(api.post(TICKETS, {"ticket": {"comment": {"body": "x" * 65_537}}}))


def test_safe_update(api, sandbox):
    """A safe update passes with the current stamp and is 409 with an older one."""
    ticket = api.ticket()
    for safe in (True, "true"):
        sandbox.clock.advance(seconds=2)
        stale = ticket
        ticket = put(api, ticket, safe_update=safe, updated_stamp=ticket["updated_at"], priority="low").json()["ticket"]
        refused = put(api, ticket, safe_update=safe, updated_stamp=stale["updated_at"], priority="high")
        assert (refused.status_code, refused.json()["error"]) == (409, "UpdateConflict")
    assert api.json(f"{TICKETS}/{ticket['id']}")["ticket"]["priority"] == "low"


def test_copies(api, sandbox):
    """People in copy and followers together are the collaborators."""
    customer, agent = sandbox.user("end-user"), sandbox.user("agent")
    ticket = put(api, api.ticket(), email_cc_ids=[customer["id"]], followers=[{"user_id": agent["id"]}]).json()[
        "ticket"
    ]
    assert ticket["collaborator_ids"] == [customer["id"], agent["id"]]
    ticket = put(api, ticket, email_ccs=[{"user_email": customer["email"], "action": "delete"}]).json()["ticket"]

    assert ticket["email_cc_ids"] == []
    assert ticket["collaborator_ids"] == [agent["id"]]


def test_copies_are_added_to_what_is_there(api, sandbox):
    """Single people are added to those in copy; the older lists sort staff and customers by themselves."""
    customer, agent = sandbox.user("end-user"), sandbox.user("agent")
    ticket = api.ticket(collaborators=[customer["id"], {"name": "Third", "email": "third@example.com"}])
    assert len(ticket["email_cc_ids"]) == 2
    ticket = put(api, ticket, followers=[{"user_id": agent["id"], "action": "put"}]).json()["ticket"]
    assert (len(ticket["email_cc_ids"]), ticket["follower_ids"]) == (2, [agent["id"]])
    ticket = put(api, ticket, additional_collaborators=["fourth@example.com"]).json()["ticket"]
    assert len(ticket["email_cc_ids"]) == 3
    ticket = put(api, ticket, collaborator_ids=[agent["id"], customer["id"]]).json()["ticket"]

    assert (ticket["email_cc_ids"], ticket["follower_ids"]) == ([customer["id"]], [agent["id"]])


def test_follow_up(api):
    """A follow-up and the closed ticket it continues name each other."""
    closed = api.ticket(status="closed")
    again = api.ticket(via_followup_source_id=closed["id"])

    assert again["via"]["source"]["rel"] == "follow_up"
    assert api.json(f"{TICKETS}/{closed['id']}")["ticket"]["followup_ids"] == [again["id"]]
    assert api.ticket(via_followup_source_id=again["id"])["via"]["source"]["rel"] is None


def test_metadata(api):
    """Metadata of a write is kept in its audit."""
    body = {"comment": {"body": "b"}, "metadata": {"run": "42"}}

    assert api.post(TICKETS, {"ticket": body}).json()["audit"]["metadata"]["custom"] == {"run": "42"}


def test_idempotency(api, sandbox):
    """A repeated key replays the first answer for two hours; another body under it is refused."""
    body, headers = {"ticket": {"subject": "once", "comment": {"body": "b"}}}, {"idempotency-key": "k 1"}
    first = api.post(TICKETS, body, headers=headers)
    again = api.post(TICKETS, body, headers=headers)
    other = api.post(TICKETS, {"ticket": {"comment": {"body": "c"}}}, headers=headers)
    assert (first.headers["x-idempotency-lookup"], again.headers["x-idempotency-lookup"]) == ("miss", "hit")
    assert (again.status_code, again.json()) == (201, first.json())
    assert (other.status_code, other.json()["error"]) == (400, "IdempotentRequestError")
    sandbox.clock.advance(seconds=2 * 3600 + 1)
    later = api.post(TICKETS, body, headers=headers)

    assert later.headers["x-idempotency-lookup"] == "miss"
    assert later.json()["ticket"]["id"] != first.json()["ticket"]["id"]


def test_idempotency_of_a_refusal(api):
    """A refused request does not use up its key."""
    headers = {"idempotency-key": "k2"}
    assert api.post(TICKETS, {"ticket": {}}, headers=headers).status_code == 422
    assert api.post(TICKETS, {"ticket": {"comment": {"body": "b"}}}, headers=headers).status_code == 201
    assert api.post(TICKETS, {"ticket": {}}, headers={"idempotency-key": "x" * 256}).status_code == 400


def test_delete(api, sandbox):
    """A deleted ticket answers 204 without a body and is gone from every list; its number is not used again."""
    ticket = api.ticket()
    answer = api.delete(f"{TICKETS}/{ticket['id']}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert api.get(f"{TICKETS}/{ticket['id']}").status_code == 404
    assert api.delete(f"{TICKETS}/{ticket['id']}").status_code == 404
    assert ticket["id"] not in sandbox.account.tickets
    assert api.ticket()["id"] > ticket["id"]


def test_unknown_keys_warn(api):
    """Keys that are not known have no effect but a header that names them; keys are case-sensitive."""
    body = {"ticket": {"comment": {"body": "b", "x": 1}, "Priority": "high"}, "extra": 1}
    answer = api.post(TICKETS, body)

    assert answer.headers["x-zendesk-api-warn"] == (
        '{:allowed_parameters=>{:controller=>"tickets", :action=>"create", '
        ':unpermitted_keys=>["extra", "ticket.Priority", "ticket.comment.x"], :invalid_values=>[]}}'
    )
    assert answer.json()["ticket"]["priority"] is None


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"{}", "application/json", 400),
        (b'{"ticket": []}', "application/json; charset=utf-8", 400),
        (b"ticket[subject]=x", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain", 415),
    ],
)
def test_bad_bodies(api, content, kind, status):
    """A body that is no JSON object with the root key is 400; another content type is 415."""
    answer = api.send("POST", TICKETS, content=content, headers={"content-type": kind})

    assert answer.status_code == status
    assert answer.json()["error"]


@pytest.mark.parametrize("content", [b'{"ticket":{"comment":{"body":"b"},"tags":5}}', b'{"ticket":{"comment":5}}',
    b'{"ticket":{"comment":{"body":"b"},"custom_fields":5}}', b'{"ticket":{"comment":{"body":"b"},"email_ccs":[5]}}',
    b'{"ticket":{"comment":{"body":"b","uploads":5}}}', b'{"ticket":{"comment":{"body":"b"},"assignee_id":"x"}}',
    b'{"ticket":{"comment":{"body":"b"},"requester_id":{}}}', b'{"ticket":{"comment":{"body":"b"},"group_id":[]}}',
    b'{"ticket":{"comment":{"body":"b"},"status":{}}}', b'{"ticket":{"comment":{"body":"b","author_id":[]}}}',
    b'{"ticket":{"comment":{"body":"b"},"custom_status_id":[]}}', b'{"ticket":{"comment":{"body":"b"},"subject":[]}}',
    b'{"ticket":{"comment":{"body":"b"},"email_cc_ids":[""]}}', b'{"ticket":{"comment":{"body":"b"},"collaborators":["x"]}}',
    b'{"ticket":{"comment":{"body":"b"},"follower_ids":["\xc2\xb2"]}}', b'{"ticket":{"comment":{"body":"b"},"group_id":"%s"}}' % (b"9" * 5000),
    b'{"ticket":{"comment":{"body":"b"},"email_cc_ids":7}}', b'{"ticket":{"comment":{"body":"b"},"requester":[]}}'])  # fmt: skip
def test_values_of_the_wrong_kind(api, content):
    """A value of the wrong kind is a refusal of the client, never a failure of the server."""
    answer = api.send("POST", TICKETS, content=content, headers={"content-type": "application/json"})

    assert answer.status_code in (400, 422), answer.text
