from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugbay.sandbox import Sandbox
from plugbay.sandbox.search_match import Matcher, World
from plugbay.sandbox.search_query import parse

SEARCH = "/api/v2/search"
ORDER = ("new", "open", "pending", "hold", "solved", "closed")
ATOMS = (
    "status:open", "status<solved", "priority>=high", "priority:none", "tags:vip", "tags:app,login", "-tags:shipping",
    "assignee:none", "requester:me", "commenter:me", "created>2026-06-01", "updated<10days", "has_attachment:true",
    "organization:none", "parcel", '"order number"', "ticket_type:question", "via:email", "-status:closed", "inv*",
    "subject:invoice", "fieldvalue:area_app", "due_date>2026-01-01", "solved>30days", "group:Billing", "-parcel",
)  # fmt: skip
COMMON = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def tickets(sandbox):
    return sandbox.account.tickets


def find(api, query, **params):
    answer = api.json(SEARCH, query=query, per_page=100, **params)
    return answer["results"]


def ids(api, query):
    """Ids of every ticket a query finds."""
    found, page = [], f"{SEARCH}?per_page=100"
    answer = api.get(page + "&page=1", query=f"{query} type:ticket", per_page=100)
    while answer:
        body = answer.json()
        found += [row["id"] for row in body["results"]]
        answer = api.get(body["next_page"]) if body["next_page"] else None
    return set(found)


def matching(sandbox, query):
    matcher = Matcher(parse(query), "ticket", World(sandbox.account, sandbox.user("admin")["id"]))
    return {number for number, ticket in sandbox.account.tickets.items() if matcher.fits(ticket)}


@COMMON
@given(st.lists(st.sampled_from(ATOMS), max_size=4, unique_by=lambda atom: atom.split(":")[0]), st.sampled_from(ATOMS))
def test_more_terms_find_less(sandbox, terms, extra):
    """Terms of different fields narrow each other down: both together find what either finds."""
    if extra.split(":")[0] not in {term.split(":")[0] for term in terms}:
        query = " ".join(terms)
        assert matching(sandbox, f"{query} {extra}") == matching(sandbox, query) & matching(sandbox, extra)


@COMMON
@given(st.sampled_from([atom for atom in ATOMS if not atom.startswith("-")]))
def test_a_negated_term_finds_the_rest(sandbox, tickets, term):
    """A term and its negation share no ticket and together find all."""
    with_term, without = matching(sandbox, term), matching(sandbox, f"-{term}")

    assert with_term | without == set(tickets)
    assert not with_term & without


@COMMON
@given(st.permutations(ATOMS[:5]))
def test_order_of_terms_does_not_matter(sandbox, terms):
    """A query finds the same whatever order its terms are in."""
    assert matching(sandbox, " ".join(terms)) == matching(sandbox, " ".join(sorted(terms)))


@pytest.mark.parametrize("status", ORDER)
@pytest.mark.parametrize("sign", ["<", ">", "<=", ">=", ":"])
def test_status_has_an_order(sandbox, tickets, status, sign):
    """Statuses compare as new < open < pending < hold < solved < closed."""
    at = ORDER.index(status)
    test = {"<": at.__gt__, ">": at.__lt__, "<=": at.__ge__, ">=": at.__le__, ":": at.__eq__}[sign]
    expected = {number for number, ticket in tickets.items() if test(ORDER.index(ticket["status"]))}

    assert matching(sandbox, f"status{sign}{status}") == expected


def test_same_field_twice_is_either(sandbox):
    """Two values of one field are alternatives; two comparisons are a range; two tags must both be there."""
    either = matching(sandbox, "status:open status:pending")
    assert either == matching(sandbox, "status:open") | matching(sandbox, "status:pending")
    assert matching(sandbox, "status>new status<hold") == either
    both = matching(sandbox, "tags:shipping tags:vip")
    assert both == matching(sandbox, "tags:shipping") & matching(sandbox, "tags:vip")
    assert matching(sandbox, "tags:shipping,vip") == matching(sandbox, "tags:shipping") | matching(sandbox, "tags:vip")


@pytest.mark.parametrize("form", ["id", "email", "name", "quoted"])
@pytest.mark.parametrize(("field", "link"), [("requester", "requester_id"), ("assignee", "assignee_id")])
def test_people(api, sandbox, form, field, link):
    """A person is named by id, address or name."""
    person = sandbox.account.users[next(t[link] for t in sandbox.account.tickets.values() if t[link])]
    value = {
        "id": person["id"],
        "email": person["email"],
        "name": person["name"].split()[-1],
        "quoted": f'"{person["name"]}"',
    }
    found = ids(api, f"{field}:{value[form]}")
    expected = {number for number, ticket in sandbox.account.tickets.items() if ticket[link] == person["id"]}

    assert found >= expected
    if form != "name":
        assert found == expected


def test_me_and_none(api, sandbox):
    """`me` is the caller and `none` nobody."""
    mine = api.ticket(assignee_id=sandbox.user("admin")["id"])["id"]
    assert ids(api, "assignee:me") == {mine}
    assert ids(api, "requester:me") >= {mine}
    assert ids(api, "assignee:none") == {n for n, t in sandbox.account.tickets.items() if t["assignee_id"] is None}
    assert ids(api, "assignee:none") & ids(api, "-assignee:none") == set()


def test_words_of_comments(api):
    """Words are found in subject, description and later comments alike, as whole words or by a wildcard."""
    ticket = api.ticket(subject="Quagga", comment={"body": "zebra crossing"})["id"]
    api.put(f"/api/v2/tickets/{ticket}", {"ticket": {"comment": {"body": "okapi", "public": False}}})

    for query in (
        "quagga",
        "ZEBRA",
        '"zebra crossing"',
        "okapi",
        "okap*",
        "subject:quagga",
        "description:zebra",
        "comment:okapi",
    ):
        assert ids(api, query) == {ticket}, query
    for query in ("okap", '"crossing zebra"', "subject:zebra", "quagga -okapi"):
        assert ids(api, query) == set(), query


def test_custom_fields(api, sandbox):
    """Custom fields are found by their id, or by value whichever field has it."""
    field = next(f["id"] for f in sandbox.account.ticket_fields.values() if f["title"] == "Order number")
    ticket = api.ticket(custom_fields=[{"id": field, "value": "LK-UNIQUE"}])["id"]

    assert ids(api, f"custom_field_{field}:LK-UNIQUE") == ids(api, "fieldvalue:lk-unique") == {ticket}
    assert ids(api, "custom_field_1:LK-UNIQUE") == set()


def test_dates(api, sandbox, tickets):
    """Days, moments and ages select by creation."""
    now = sandbox.clock.now()
    ages = {number: (now - datetime.fromisoformat(t["created_at"])).total_seconds() for number, t in tickets.items()}

    assert ids(api, "created>7days") == {n for n, age in ages.items() if age < 7 * 86_400}
    assert ids(api, "created<2026-06-01") == {n for n, t in tickets.items() if t["created_at"] < "2026-06-01"}
    assert ids(api, "created>=2026-06-01T00:00:00Z") == {
        n for n, t in tickets.items() if t["created_at"] >= "2026-06-01"
    }


def test_mixed_types(api):
    """Without a type everything is searched; a field that only some types have leaves out the others."""
    found = {row["result_type"] for row in find(api, "name:b*")}
    assert found == {"user", "organization", "group"}
    assert {row["result_type"] for row in find(api, "status:open")} == {"ticket"}
    assert {row["result_type"] for row in find(api, "billing type:group")} == {"group"}
    assert {row["result_type"] for row in find(api, "role:agent")} == {"user"}
    everything = api.json(f"{SEARCH}/count", query="")["count"]
    assert everything == sum(
        api.json(f"{SEARCH}/count", query=f"type:{t}")["count"] for t in ("ticket", "user", "organization", "group")
    )


def test_envelope_and_paging(api, sandbox):
    """The envelope has facets and a count, and walking the pages gives each result once."""
    answer = api.json(SEARCH, query="type:user", per_page=7)
    assert (answer["facets"], answer["count"]) == (None, len(sandbox.account.users))
    found = []
    while True:
        found += [row["id"] for row in answer["results"]]
        if not answer["next_page"]:
            break
        answer = api.json(answer["next_page"])

    assert sorted(found) == sorted(sandbox.account.users)


@pytest.mark.parametrize("by", ["created_at", "updated_at", "priority", "status"])
def test_sorting(api, by):
    """Results are sorted as asked, by parameters or in the query."""
    ranks = {"priority": (None, "low", "normal", "high", "urgent"), "status": ORDER}
    for params in ({"sort_by": by, "sort_order": "asc"}, {}):
        query = "type:ticket" if params else f"type:ticket order_by:{by} sort:asc"
        values = [row[by] for row in find(api, query, **params)]
        values = [ranks[by].index(value) for value in values] if by in ranks else values
        assert values == sorted(values)


def test_titles_first(api):
    """By relevance a hit in the title comes before one in the text."""
    text = api.ticket(subject="other", comment={"body": "wombat"})["id"]
    title = api.ticket(subject="wombat", comment={"body": "other"})["id"]

    assert [row["id"] for row in find(api, "wombat")] == [title, text]


def test_a_thousand_results(make_api):
    """Behind the thousandth result the search is 422, though next_page led there and count is true."""
    with Sandbox(tickets=1100, calls=0, plan=None) as sandbox:
        api = make_api(sandbox)
        last = api.json(SEARCH, query="type:ticket", page=10, per_page=100)
        beyond = api.get(last["next_page"])
        exported, answer = 0, api.json(f"{SEARCH}/export", query="", **{"filter[type]": "ticket", "page[size]": 1000})
        exported = len(answer["results"]) + len(api.json(answer["links"]["next"])["results"])

    assert last["count"] == exported == 1100
    assert beyond.status_code == 422
    assert beyond.json() == {
        "error": "invalid",
        "description": "Invalid search: Requested response size was greater than Search Response Limits",
    }


@pytest.mark.parametrize(
    "query",
    [
        "created>soon",
        "created>" + "9" * 5000 + "days",
        "status<nope",
        "priority>x",
        "type:planet",
        "updated:2026-99-99",
    ],
)
def test_impossible_searches(api, query):
    """A search that cannot be carried out is 422."""
    assert api.get(SEARCH, query=query).json()["error"] == "invalid"


@pytest.mark.parametrize(
    "query", ["requester:²", "assignee:" + "9" * 5000, "custom_field_" + "1" * 5000 + ":x", "ticket_id:²"]
)
def test_odd_numbers_find_nothing(api, query):
    """Numbers that no id can be find nothing."""
    assert api.json(f"{SEARCH}/count", query=query) == {"count": 0}


def test_query_is_required(api):
    """Without a query there is nothing to search for."""
    assert api.get(SEARCH).status_code == 400
    assert api.get(f"{SEARCH}/count").status_code == 400


def test_count(api):
    """The count agrees with the search."""
    assert api.json(f"{SEARCH}/count", query="status:open")["count"] == len(ids(api, "status:open"))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.integers(7, 200))
def test_export_gives_each_record_once(api, sandbox, size):
    """Walking an export gives each record once, in order of creation."""
    answer = api.json(f"{SEARCH}/export", query="", **{"filter[type]": "ticket", "page[size]": size})
    rows = answer["results"]
    while answer["meta"]["has_more"]:
        answer = api.json(answer["links"]["next"])
        rows += answer["results"]

    assert sorted(row["id"] for row in rows) == sorted(sandbox.account.tickets)
    assert [row["created_at"] for row in rows] == sorted(row["created_at"] for row in rows)


def test_export_rules(api, sandbox):
    """An export needs filter[type], refuses type: in the query, and its cursor dies after an hour."""
    kind = {"filter[type]": "ticket"}
    assert api.get(f"{SEARCH}/export", query="x").status_code == 400
    assert api.get(f"{SEARCH}/export", query="type:ticket", **kind).status_code == 422
    cursor = api.json(f"{SEARCH}/export", query="", **kind, **{"page[size]": 1})["meta"]["after_cursor"]
    follow = {"query": "", **kind, "page[after]": cursor}
    assert api.get(f"{SEARCH}/export", **follow).status_code == 200
    sandbox.clock.advance(seconds=3601)

    assert api.get(f"{SEARCH}/export", **follow).json()["errors"][0]["code"] == "InvalidCursor"


@COMMON
@given(st.text(max_size=30))
def test_no_query_breaks_the_server(api, text):
    """Whatever is asked, the answer is results or a refusal."""
    assert api.get(f"{SEARCH}/count", query=text).status_code in (200, 422)
