"""What becomes of a request that cannot be answered as it wished."""

from __future__ import annotations

import logging

from starlette.requests import Request

from plugbay.errors import NetworkError
from plugbay.server.pages import failed

from .document import document
from .visitor import Visitor, values_of


def told(error):
    """The status and the page of a failure."""
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/x",
        "headers": [],
        "query_string": b"",
        "plugbay.request_id": "r-1",
    }
    answer = failed(Request(scope), error)
    return answer.status_code, document(bytes(answer.body).decode())


def test_what_nobody_expected_is_told_by_its_name_in_the_log_alone(caplog):
    """The page has the request's id and nothing of the exception, and neither has the log its message."""
    with caplog.at_level(logging.ERROR, "plugbay.server"):
        status, page = told(RuntimeError("password=hunter2"))
    assert (500, "The server failed", "r-1") == (status, page.one("h1").text, page.one("code").text)
    assert "hunter2" not in page.text + caplog.text
    assert ["r-1"] == [record.request_id for record in caplog.records]


def test_a_failure_with_a_name_is_told_in_its_words():
    """The page says what an error of the library says, and what to do."""
    status, page = told(NetworkError("Zendesk cannot be reached.", hint="Try later."))
    assert (502, True, True) == (status, "Zendesk cannot be reached." in page.text, "Try later." in page.text)


async def test_a_form_of_a_session_that_ended_changes_nothing(running, person, connected):
    """Whoever was signed out meanwhile is asked to sign in again, and is told that nothing was done."""
    await person.open(f"/connectors/{connected}")
    fields = values_of(person.form(f"/connectors/{connected}/rename")) | {"name": "Renamed"}
    await running.server.bearers.revoke(person.http.cookies["plugbay"])
    person.answer = await person.http.post(f"/connectors/{connected}/rename", data=fields, follow_redirects=True)
    assert ("Sign in", True) == (person.heading, "nothing was changed" in person.page.one(role="status").text)
    assert "The desk" == (await running.server.connectors.get(running.organization_id, connected)).name


async def test_a_notice_is_none_of_the_addresss_words(person):
    """A link can choose one of our sentences, and bring none of its own."""
    await person.open("/", done="Call 0800 EVIL")
    assert ([], False) == (person.page.all(role="status"), "EVIL" in person.answer.text)
    await person.open("/connectors/none", done="renamed")
    assert (404, []) == (person.answer.status_code, person.page.all(role="status"))


async def test_people_spend_their_clients_budget(sandbox):
    """The pages take no more requests in a minute than the API does, and say when to come back."""
    from ..serving import serving

    async with serving(sandbox, rate_per_minute=5) as running:
        person = Visitor(running.url)
        async with person.http:
            await person.sign_in(running.client_id, running.client_secret)
            answers = [await person.http.get("/audit")]
            while answers[-1].status_code == 200 and len(answers) < 100:
                answers.append(await person.http.get("/audit"))
    assert ([200] * (len(answers) - 1), 429) == ([each.status_code for each in answers[:-1]], answers[-1].status_code)
    assert "Too many requests" == document(answers[-1].text).one("h1").text
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60


async def test_a_form_that_is_too_large_is_refused(running, person):
    """A form beyond the limit of bodies gets 413 and is not read."""
    await person.open("/connect")
    fields = values_of(person.form("/connect")) | {"workspace": "w" * running.server.settings.body_limit}
    assert 413 == (await person.http.post("/connect", data=fields)).status_code
