from __future__ import annotations

import pytest

USERS = "/api/v2/users"


def user(api, **fields):
    answer = api.post(USERS, {"user": fields})
    assert answer.status_code == 201, answer.text
    return answer.json()["user"]


def test_create(api):
    """A created user answers 201 with its address and is an end user unless told otherwise."""
    answer = api.post(USERS, {"user": {"name": "Ann", "email": "ann@example.com", "tags": "B a"}})
    made = answer.json()["user"]

    assert (answer.status_code, answer.headers["location"]) == (201, made["url"])
    assert (made["role"], made["tags"]) == ("end-user", ["a", "b"])
    assert api.json(f"{USERS}/{made['id']}")["user"] == made


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x", "email": "nope"}, "email"),
        ({"name": "x", "email": "ROBIN@larkspur.example"}, "email"),
        ({"name": "x", "role": "king"}, "role"),
        ({"name": "x", "organization_id": 5}, "organization"),
    ],
)
def test_refused(api, fields, wrong):
    """Blank names, unusable or taken addresses, unknown roles and organizations are refused by field."""
    answer = api.post(USERS, {"user": fields})

    assert answer.status_code == 422
    assert list(answer.json()["details"]) == [wrong]


@pytest.mark.parametrize("fields", [{"name": []}, {"name": "x", "tags": 5}, {"name": "x", "organization_id": []},
    {"name": "x", "email": {}}, {"name": "x", "role": []}, {"name": "x", "user_fields": 3}])  # fmt: skip
def test_values_of_the_wrong_kind(api, fields):
    """A value of the wrong kind is a refusal of the client, never a failure of the server."""
    assert api.post(USERS, {"user": fields}).status_code in (400, 422)


def test_create_or_update(api, sandbox):
    """The same address or external id changes the user with 200; a new one makes a user with 201."""
    path = f"{USERS}/create_or_update"
    first = api.post(path, {"user": {"name": "Bea", "email": "bea@example.com", "external_id": "e-1"}})
    by_mail = api.post(path, {"user": {"name": "Bea B", "email": "BEA@example.com"}})
    by_external = api.post(path, {"user": {"name": "Bea C", "external_id": "e-1"}})

    assert (first.status_code, by_mail.status_code, by_external.status_code) == (201, 200, 200)
    assert len({answer.json()["user"]["id"] for answer in (first, by_mail, by_external)}) == 1
    assert sandbox.account.users[first.json()["user"]["id"]]["name"] == "Bea C"


def test_update(api, sandbox):
    """An update changes what it names; a second address does not replace the first, but finds the user too."""
    made = user(api, name="Cy", email="cy@example.com")
    sandbox.clock.advance(seconds=5)
    answer = api.put(f"{USERS}/{made['id']}", {"user": {"name": "Cyrus", "email": "cyrus@example.com"}}).json()["user"]

    assert (answer["name"], answer["email"]) == ("Cyrus", "cy@example.com")
    assert answer["updated_at"] > made["updated_at"]
    again = api.post(f"{USERS}/create_or_update", {"user": {"name": "C", "email": "cyrus@example.com"}})
    assert (again.status_code, again.json()["user"]["id"]) == (200, made["id"])
    taken = api.post(USERS, {"user": {"name": "Other", "email": "Cyrus@example.com"}})
    assert taken.json()["details"]["email"][0]["error"] == "DuplicateValue"
    assert api.put(f"{USERS}/5", {"user": {}}).status_code == 404


def test_agents_cannot_make_agents(api, sandbox):
    """Only an administrator gives out the roles of staff."""
    body = {"user": {"name": "Dee", "role": "agent"}}

    assert api.post(USERS, body, token=sandbox.token(role="agent")).status_code == 403
    assert api.post(USERS, body).json()["user"]["role"] == "agent"


def test_ids_may_be_texts(api, sandbox):
    """An id may be given as text; an empty one is none."""
    organization = next(iter(sandbox.account.organizations))

    assert user(api, name="Eve", organization_id=str(organization))["organization_id"] == organization
    assert user(api, name="Eva", organization_id="")["organization_id"] is None


def test_external_id_is_unique(api):
    """An external id that somebody else has is refused."""
    user(api, name="One", external_id="same")
    answer = api.post(USERS, {"user": {"name": "Two", "external_id": "same"}})

    assert answer.json()["details"]["external_id"][0]["error"] == "DuplicateValue"
