from __future__ import annotations

import pytest

USERS = "/api/v2/users"


def test_roles(api, sandbox):
    """`role`, and several `role[]`, narrow the list to exactly those users."""
    everybody = sandbox.account.users.values()
    agents = api.json(USERS, role="agent")["users"]
    staff = api.json(f"{USERS}?role[]=agent&role[]=admin")["users"]

    assert {u["id"] for u in agents} == {u["id"] for u in everybody if u["role"] == "agent"}
    assert {u["id"] for u in staff} == {u["id"] for u in everybody if u["role"] != "end-user"}
    assert len(agents) == 9
    assert len(staff) == 10
    assert api.get(USERS, role="king").status_code == 400


def test_other_filters(api, sandbox):
    """external_id and permission_set narrow the list."""
    external = next(u["external_id"] for u in sandbox.account.users.values() if u["external_id"])
    light = sandbox.user("light-agent")

    assert {u["external_id"] for u in api.json(USERS, external_id=external)["users"]} == {external}
    assert [u["id"] for u in api.json(USERS, permission_set=light["custom_role_id"])["users"]] == [light["id"]]


def test_show_and_show_many(api, sandbox):
    """Users are found by id and by external id."""
    one, two = [u for u in sandbox.account.users.values() if u["external_id"]][:2]
    assert api.json(f"{USERS}/{one['id']}.json")["user"]["name"] == one["name"]
    assert {u["id"] for u in api.json(f"{USERS}/show_many", ids=f"{one['id']},{two['id']},5")["users"]} == {
        one["id"],
        two["id"],
    }
    by_external = api.json(f"{USERS}/show_many", external_ids=one["external_id"])["users"]

    assert [user["id"] for user in by_external] == [one["id"]]
    assert api.get(f"{USERS}/5").json()["error"] == "RecordNotFound"


def test_end_user_sees_only_themselves(api, sandbox):
    """An end user reads their own record and nobody else's."""
    user, token = sandbox.user("end-user"), sandbox.token(role="end-user")

    assert api.get(f"{USERS}/{user['id']}", token=token).status_code == 200
    assert api.get(f"{USERS}/{sandbox.user('admin')['id']}", token=token).status_code == 403


def test_me(api, sandbox):
    """users/me is the caller."""
    assert api.json(f"{USERS}/me.json")["user"]["email"] == sandbox.email


def test_search(api, sandbox):
    """Users are found by words, by address, by a field, and by external id."""
    user = next(u for u in sandbox.account.users.values() if u["external_id"] and u["phone"])
    for query in (
        user["name"],
        user["email"],
        f"email:{user['email']}",
        f'name:"{user["name"]}"',
        f"phone:{user['phone']}",
    ):
        assert user["id"] in [u["id"] for u in api.json(f"{USERS}/search", query=query)["users"]]
    found = api.json(f"{USERS}/search", external_id=user["external_id"])

    assert [u["id"] for u in found["users"]] == [user["id"]]
    assert found["count"] == 1
    assert api.json(f"{USERS}/search", query="role:agent")["count"] == 9
    assert api.json(f"{USERS}/search", query="nobodyatall")["users"] == []


@pytest.fixture(scope="module")
def somebody(api):
    given = {
        "name": "Quirina Zwick", "email": "q.zwick42@mailbox.example", "phone": "+4930998877", "notes": "Rings twice.",
    }  # fmt: skip
    return api.post(USERS, {"user": given}).json()["user"]


def found(api, query):
    return [user["id"] for user in api.json(f"{USERS}/search", query=query)["users"]]


@pytest.mark.parametrize(
    "query",
    ["uirin", "WICK42@mail", "30998", "ings TWI", '"ina zwi"', "quir mailbox.ex 8877 twice", "qu*wick", "uirin role:end-user"],
)  # fmt: skip
def test_search_by_parts(api, somebody, query):
    """A bare word finds whoever has it as part of name, address, telephone number or notes; all words must be found."""
    assert found(api, query) == [somebody["id"]]


@pytest.mark.parametrize(
    "query", ["uirin nobodyatall", "name:uirin", "email:zwick42", "phone:998877", "notes:ings", "uirin -zwi", "q[u]i", "q?i"]
)  # fmt: skip
def test_search_by_parts_has_limits(api, somebody, query):
    """One word that is not found, an excluded one or a named field, which takes whole words, keeps a user out."""
    assert somebody["id"] not in found(api, query)


def test_whole_search_takes_whole_words(api, somebody):
    """The search over everything does not find users by parts of words."""
    assert api.json("/api/v2/search", query="type:user uirin")["count"] == 0
    assert api.json("/api/v2/search", query="type:user Quirina")["results"][0]["id"] == somebody["id"]


@pytest.mark.parametrize("path", ["users/search?query=a", "users/autocomplete?name=ab", "organizations/search?name=a",
    "organizations/autocomplete?name=ab", "search?query=a"])  # fmt: skip
def test_searches_know_no_cursors(api, path):
    """`page[size]` on a search is 400 with the text of the real one."""
    answer = api.get(f"/api/v2/{path}&page[size]=2")

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(
        "You passed an invalid value for the page attribute. Invalid parameter: page must be an integer from api/v2/"
    )


def test_autocomplete(api, sandbox):
    """Autocomplete finds beginnings of names, from two letters on."""
    name = sandbox.user("end-user")["name"]
    found = api.json(f"{USERS}/autocomplete", name=name[:3].lower())["users"]

    assert name in [user["name"] for user in found]
    assert api.get(f"{USERS}/autocomplete", name="a").status_code == 400


def test_sideloads(api):
    """Organizations and groups of users can be put beside them."""
    answer = api.json(USERS, include="organizations,groups")

    assert {u["organization_id"] for u in answer["users"]} - {None} == {o["id"] for o in answer["organizations"]}
    assert answer["groups"]


def test_count(api, sandbox):
    """The count is that of the list."""
    assert api.json(f"{USERS}/count")["count"]["value"] == len(sandbox.account.users)
