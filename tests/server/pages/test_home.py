"""The first page: what is connected, and how it is."""

from __future__ import annotations

from plugbay.server.pages.render import style_path

from .document import document


async def test_an_empty_organization_is_told_what_to_do_first(person):
    """Where nothing is connected the page leads to the form that connects."""
    await person.open("/")
    assert "Nothing is connected yet" in person.page.text
    assert ["/connect"] == [each["href"] for each in person.page.one("main").all("a")]


async def test_a_connector_is_shown_with_its_health(person, connected):
    """The list tells the workspace, the kind, the account, the health, and that nothing was called."""
    await person.open("/")
    row = person.page.one("tbody").one("tr")
    cells = [each.text for each in row.all("td")]
    assert ("The desk", f"/connectors/{connected}") == (row.one("th").text, row.one("a")["href"])
    assert ["Support", "Zendesk Support", "sandbox", "none yet"] == [*cells[:3], cells[4]]
    assert cells[3].startswith("Active checked 20")


async def test_the_last_call_is_shown(person, connected):
    """After a call the list tells when it was, in UTC and for programs too."""
    await person.open(f"/connectors/{connected}/try")
    await person.send(f"/connectors/{connected}/try")
    await person.open("/")
    shown = person.page.one("tbody").all("time")[-1]
    assert shown.text == shown["datetime"].replace("T", " ").replace("Z", " UTC")


async def test_a_workspace_can_be_chosen(running, person, connected):
    """The filter shows one workspace's connectors, and those of another organization's workspace never."""
    empty = await running.server.workspaces.ensure(running.organization_id, "Empty")
    await person.open("/", workspace=empty.id)
    assert "Nothing is connected in this workspace" in person.page.text
    record = await running.server.connectors.get(running.organization_id, connected)
    await person.open("/", workspace=record.workspace_id)
    assert ["The desk"] == [each.text for each in person.page.one("tbody").all("th")]


async def test_a_connector_that_must_be_authorized_again_says_so(running, person, connected):
    """The list and the connector's page tell that Zendesk no longer accepts the credentials."""
    await running.server.connectors.set_status(running.organization_id, connected, "needs_reauth", "Revoked.")
    await person.open("/")
    assert "Needs re-authorization" in person.page.one("tbody").text
    await person.open(f"/connectors/{connected}")
    assert "Zendesk no longer accepts its credentials Revoked." in person.page.text


async def test_the_style_sheet_may_be_kept_for_good(person):
    """Its name has its content's hash, so browsers never ask for it again; under an old name it is not kept."""
    await person.open("/")
    path = person.page.one("link", rel="stylesheet")["href"]
    assert style_path() == path
    told = (await person.http.get(path)).headers
    assert ("text/css; charset=utf-8", "public, max-age=31536000, immutable") == (
        told["content-type"],
        told["cache-control"],
    )
    assert "no-cache" == (await person.http.get("/assets/plugbay.old.css")).headers["cache-control"]


async def test_pages_may_load_nothing_from_elsewhere(person, connected):
    """The policy allows our style sheet and nothing else, no page names another host, and none is kept in a cache."""
    for path in ("/", "/connect", "/audit", "/access", f"/connectors/{connected}", f"/connectors/{connected}/try"):
        await person.open(path)
        headers = person.answer.headers
        assert headers["content-security-policy"].startswith(
            "default-src 'none'; style-src 'self'; img-src 'self' data:;"
        )
        assert ("no-store", "same-origin", "DENY") == (
            headers["cache-control"],
            headers["referrer-policy"],
            headers["x-frame-options"],
        )
        loaded = [each["href"] for each in person.page.all("link")] + [each["src"] for each in person.page.all("img")]
        assert [] == [each for each in loaded if not each.startswith(("/assets/", "data:"))]
        assert [] == person.page.all("script")


async def test_an_address_that_is_not_there_gets_a_page(running, person):
    """Whoever asks for a page that does not exist gets one in the same frame; a program gets the envelope."""
    headers = {"accept": "text/html"}
    answer = await person.http.get("/nowhere", headers=headers)
    assert (404, "There is no such page") == (answer.status_code, document(answer.text).one("h1").text)
    assert 404 == (await person.http.get("/api/v1/nowhere", headers=headers)).status_code


async def test_a_request_that_a_page_does_not_take_gets_a_page(person):
    """A method that a page does not have is refused with the methods that it has."""
    answer = await person.http.post("/audit", headers={"accept": "text/html"})
    assert (405, "GET, HEAD") == (answer.status_code, ", ".join(sorted(answer.headers["allow"].split(", "))))
    assert "That page does not take this" == document(answer.text).one("h1").text
