from __future__ import annotations

ORGANIZATIONS = "/api/v2/organizations"
KEYS = {
    "url", "id", "name", "shared_tickets", "shared_comments", "external_id", "created_at", "updated_at", "domain_names",
    "details", "notes", "group_id", "tags", "organization_fields",
}  # fmt: skip


def test_list_and_show(api, sandbox):
    """Organizations have every field of the real ones."""
    rows = api.json(ORGANIZATIONS)["organizations"]

    assert len(rows) == len(sandbox.account.organizations) == 25
    assert all(set(row) == KEYS for row in rows)
    assert api.json(f"{ORGANIZATIONS}/{rows[0]['id']}.json")["organization"] == rows[0]
    assert api.get(f"{ORGANIZATIONS}/5").json()["error"] == "RecordNotFound"


def test_sort(api):
    """Cursors can go by name."""
    names = [
        o["name"].casefold() for o in api.json(ORGANIZATIONS, sort="-name", **{"page[size]": 100})["organizations"]
    ]

    assert names == sorted(names, reverse=True)


def test_search(api):
    """Organizations are found by external id and by their whole name."""
    wanted = api.json(ORGANIZATIONS)["organizations"][3]
    for params in ({"external_id": wanted["external_id"]}, {"name": wanted["name"].upper()}):
        assert wanted["id"] in [o["id"] for o in api.json(f"{ORGANIZATIONS}/search", **params)["organizations"]]
    assert api.json(f"{ORGANIZATIONS}/search", name=wanted["name"][:4])["organizations"] == []
    assert api.get(f"{ORGANIZATIONS}/search").status_code == 400


def test_autocomplete(api):
    """Autocomplete finds beginnings of names, from two letters on."""
    name = api.json(ORGANIZATIONS)["organizations"][0]["name"]

    assert name in [
        o["name"] for o in api.json(f"{ORGANIZATIONS}/autocomplete", name=name[:4].lower())["organizations"]
    ]
    assert api.get(f"{ORGANIZATIONS}/autocomplete", name="x").status_code == 400


def test_show_many_and_count(api):
    """show_many takes ids and external ids; the count is that of the list."""
    one, two = api.json(ORGANIZATIONS)["organizations"][:2]
    assert {o["id"] for o in api.json(f"{ORGANIZATIONS}/show_many", ids=f"{one['id']},{two['id']}")["organizations"]} == {
        one["id"], two["id"],
    }  # fmt: skip
    by_external = api.json(f"{ORGANIZATIONS}/show_many", external_ids=two["external_id"])["organizations"]

    assert two["id"] in [o["id"] for o in by_external]
    assert api.json(f"{ORGANIZATIONS}/count")["count"]["value"] == 25
