"""The state and the browser that it belongs to: what is spent, stolen, old or another's makes nothing and leads nowhere."""

from __future__ import annotations

import asyncio
import base64
import itertools
import time
from dataclasses import replace

import pytest
from pydantic import SecretStr
from sqlalchemy import update
from tests.server.serving import CALLBACK

from plugbay.auth.pkce import new_verifier
from plugbay.server.store import Flow
from plugbay.server.tables import flows

from .conftest import APP
from .person import led_to, query_of

NOWHERE = ("", {})


def is_led_nowhere(answer):
    """Whether an answer is a page of ours that leads nowhere and names no secret."""
    return NOWHERE == led_to(answer)[1:] and "no longer valid" in answer.text


async def test_state_is_good_once(hosting, person):
    """The second time a browser comes with the same answer it sees our page, and the code is not sent again."""
    callback = await person.callback_for(await hosting.consent_url())
    await person.open(callback)
    again = await person.open(callback)

    assert (410, True) == (again.status_code, is_led_nowhere(again))
    assert (1, [201]) == (len(await hosting.connectors()), hosting.exchanges())


async def test_twenty_at_once_make_one(hosting_by, sandbox, person, database_url):
    """Of twenty answers with one state that arrive at once, one makes a connector and the others lead nowhere."""
    keys = SecretStr("only:" + base64.b64encode(b"k" * 32).decode())
    hosting = await hosting_by(sandbox, database_url=database_url, keys=keys)
    callback = await person.callback_for(await hosting.consent_url())
    answers = await asyncio.gather(*(person.open(callback) for _ in range(20)))

    assert [303, *[410] * 19] == sorted(answer.status_code for answer in answers)
    assert (1, [201]) == (len(await hosting.connectors()), hosting.exchanges())


async def test_states_are_shared_by_processes(hosting_by, sandbox, person, database_url):
    """What one server began another of the same database goes on with, and what one has taken the other has not."""
    keys = SecretStr("only:" + base64.b64encode(b"k" * 32).decode())
    one = await hosting_by(sandbox, database_url=database_url, keys=keys)
    two = await hosting_by(sandbox, database_url=database_url, keys=keys, public_url=one.url)
    callback = await person.callback_for(await one.consent_url())
    elsewhere = callback.replace(one.url, two.running.url.rstrip("/"))
    answers = await asyncio.gather(*(person.open(url) for url in (callback, elsewhere) * 5))

    assert [303, *[410] * 9] == sorted(answer.status_code for answer in answers)
    assert (1, 1) == (len(await two.connectors(one.organization_id)), len(one.exchanges()))


async def test_pressing_twice_goes_the_same_way(hosting, person):
    """Who presses the button twenty times at once is sent to the same place each time, and gets one connector."""
    page = await person.open(await hosting.consent_url())
    answers = await asyncio.gather(*(person.press(page, decision="continue") for _ in range(20)))
    (zendesk_url,) = {answer.headers["location"] for answer in answers}
    callback = await person.allow(zendesk_url)
    again = await person.press(await person.open(str(page.url)), decision="continue")

    assert zendesk_url == again.headers["location"]
    assert [303, 410] == [(await person.open(callback)).status_code for _ in range(2)]
    assert 410 == (await person.press(page, decision="continue")).status_code
    assert 1 == len(await hosting.connectors())


async def test_page_belongs_to_who_answers_it_first(hosting, person, stranger):
    """Once one browser has gone on, another can neither see the page nor answer one that it saw before."""
    url = await hosting.consent_url()
    seen = await stranger.open(url)
    await person.agree(url)
    answers = [
        await stranger.open(url),
        await stranger.press(seen, decision="continue"),
        await stranger.press(seen, decision="cancel"),
    ]

    assert [(410, True)] * 3 == [(answer.status_code, is_led_nowhere(answer)) for answer in answers]
    assert 303 == (await person.connect(url)).status_code


async def test_two_browsers_at_once(hosting, person, stranger):
    """Of two browsers that go on at the same moment one is sent to Zendesk."""
    for _ in range(5):
        url = await hosting.consent_url()
        pages = [(who, await who.open(url)) for who in (person, stranger)]
        answers = await asyncio.gather(*(who.press(page, decision="continue") for who, page in pages))

        assert [303, 410] == sorted(answer.status_code for answer in answers)


async def test_cancelling_ends_it(hosting, person):
    """Who comes back from Zendesk's page and cancels is led back, and Zendesk's answer is worth nothing any more."""
    url = await hosting.consent_url()
    callback = await person.callback_for(url)
    cancelled = await person.press(await person.open(url), decision="cancel")

    assert (303, "access_denied") == (cancelled.status_code, led_to(cancelled)[2]["error"])
    assert (410, []) == ((await person.open(callback)).status_code, hosting.exchanges())


async def test_looking_spends_nothing(hosting, person):
    """A page may be looked at again, and what asks for the head of a link does not use it up."""
    url = await hosting.consent_url()
    assert [200, 200] == [(await person.open(url)).status_code for _ in range(2)]
    callback = await person.callback_for(url)
    assert 405 == (await person.http.head(callback)).status_code

    assert 303 == (await person.open(callback)).status_code


async def test_answer_in_another_browser(hosting, person, stranger):
    """Who is led to a callback that another browser began gets our page; the code is not used, and nothing is spent."""
    callback = await person.callback_for(await hosting.consent_url())
    # The victim has a consent of their own under way, and so a cookie.
    await stranger.agree(await hosting.consent_url())
    answer = await stranger.open(callback)

    assert (403, True) == (answer.status_code, is_led_nowhere(answer))
    assert ([], []) == (await hosting.connectors(), hosting.exchanges())
    assert 303 == (await person.open(callback)).status_code


async def test_zendesks_page_in_another_browser(hosting, person, stranger):
    """Who is sent a link to Zendesk's page by somebody who began it cannot be made to connect their account for them."""
    zendesk_url = await person.agree(await hosting.consent_url())
    callback = await stranger.allow(zendesk_url)

    assert 403 == (await stranger.open(callback)).status_code
    assert [] == await hosting.connectors()


async def test_cookies_that_are_not_ours(hosting, person, stranger):
    """A made-up cookie is no browser's."""
    callback = await person.callback_for(await hosting.consent_url())
    for cookie in ("", "x", "A" * 43, "A" * 44, "A" * 5000):
        answer = await stranger.http.get(callback, headers={"cookie": f"plugbay-consent={cookie}"})

        assert 403 == answer.status_code


async def test_states_end(hosting, person):
    """After their lifetime neither the page nor Zendesk's answer is good for anything."""
    page_url, answered_url = await hosting.consent_url(), await hosting.consent_url()
    page = await person.open(page_url)
    callback = await person.callback_for(answered_url)
    async with hosting.server.database.begin() as connection:
        await connection.execute(update(flows).values(expires_at=time.time() - 1))
    answers = [await person.open(page_url), await person.press(page, decision="continue"), await person.open(callback)]

    assert [(410, True)] * 3 == [(answer.status_code, is_led_nowhere(answer)) for answer in answers]
    assert [] == hosting.exchanges()


async def test_lifetime_is_the_operators(hosting_by, sandbox, person):
    """The whole way may take as long as the operator says, from the moment it was asked for."""
    hosting = await hosting_by(sandbox, flow_lifetime=77.0)
    before = time.time()
    url = await hosting.consent_url()
    after = time.time()
    ends = [
        (await hosting.server.flows.peek(query_of(each)[name])).expires_at
        for each, name in ((url, "flow"), (await person.agree(url), "state"))
    ]

    assert ends[0] == ends[1]
    assert before + 77 <= ends[0] <= after + 77


STATELESS = [
    "",
    "code=abc",
    "state=",
    "state=nonsense&code=abc",
    "state=" + "x" * 501,
    "state=a&state=b",
    "state=%00&code=abc",
    "state=%ff&code=abc",
    "error=access_denied",
    "error=access_denied&state=%3Cscript%3E",
    "redirect_url=https://evil.example&state=x",
    "connector_id=1&state=x",
]


async def test_answers_without_a_good_state(hosting, person):
    """Without a state of ours the browser sees a page, and nothing of what it brought stands in it."""
    for query in STATELESS:
        answer = await person.open(f"{hosting.url}{CALLBACK}?{query}")

        assert is_led_nowhere(answer), query
        assert [] == [word for word in ("nonsense", "abc", "script>", "evil") if word in answer.text]


async def test_answer_before_the_question(hosting, person):
    """While nobody has gone on from our page there is nothing to answer, even in the browser that sees the page."""
    url = await hosting.consent_url()
    await person.open(url)
    answer = await person.open(f"{hosting.url}{CALLBACK}?state={query_of(url)['flow']}&code=abc")

    assert (410, True) == (answer.status_code, is_led_nowhere(answer))
    assert 303 == (await person.connect(url)).status_code


async def test_code_of_another_authorization(hosting, person):
    """A code that Zendesk gave for one authorization is refused in the answer to another: the verifiers differ."""
    one, two = [await person.callback_for(await hosting.consent_url()) for _ in range(2)]
    crossed = one.replace(query_of(one)["code"], query_of(two)["code"])
    answer = await person.open(crossed)

    assert (303, "invalid_grant") == (answer.status_code, led_to(answer)[2]["error"])
    assert ([], [400]) == (await hosting.connectors(), hosting.exchanges())


async def test_code_redeemed_with_another_verifier(hosting, person):
    """A flow whose verifier is not the one that was sent as a challenge gets no tokens."""
    callback = await person.callback_for(await hosting.consent_url())
    state = query_of(callback)["state"]
    forged = replace(await hosting.server.flows.peek(state), verifier=new_verifier())
    other = await hosting.server.flows.begin(forged)

    assert "invalid_grant" == led_to(await person.open(callback.replace(state, other)))[2]["error"]


@pytest.mark.parametrize("change", ["code_challenge_method=plain", "without"])
async def test_proof_cannot_be_weakened_on_the_way(hosting, person, change):
    """Whoever changes the request to Zendesk so that it asks for less proof gets no connector made."""
    url = await person.agree(await hosting.consent_url())
    assert "S256" == query_of(url)["code_challenge_method"]
    if change == "without":
        challenge = query_of(url)["code_challenge"]
        url = url.replace(f"&code_challenge={challenge}&code_challenge_method=S256", "")
    else:
        url = url.replace("code_challenge_method=S256", change)

    assert "invalid_grant" == led_to(await person.open(await person.allow(url)))[2]["error"]
    assert [] == await hosting.connectors()


ISSUERS = ["https://other.zendesk.com", "https://evil.example", "", "null", "https://sandbox.zendesk.com.evil"]


async def test_answer_of_another_issuer(hosting, person):
    """An answer that says it comes from another service than was asked is not looked at (RFC 9207)."""
    for issuer, answer in itertools.product(ISSUERS, ("code=abc", "error=access_denied")):
        state = query_of(await person.agree(await hosting.consent_url()))["state"]
        got = await person.open(f"{hosting.url}{CALLBACK}?{answer}&state={state}&iss={issuer}")

        assert (303, "invalid_request") == (got.status_code, led_to(got)[2]["error"])
    assert [] == hosting.exchanges()


async def test_answer_with_the_right_issuer(hosting, person):
    """An answer that names who was asked is taken."""
    callback = await person.callback_for(await hosting.consent_url())

    assert ["connector_id"] == list(led_to(await person.open(f"{callback}&iss={hosting.sandbox.base_url}"))[2])


async def test_accounts_are_not_mixed_up(hosting, person):
    """The account is the one that was asked for, whatever the answer claims."""
    callback = await person.callback_for(await hosting.consent_url(environment={"subdomain": "one"}))
    await person.open(f"{callback}&subdomain=two&account=two&redirect_url=https://evil.example&workspace_name=two")
    (record,) = await hosting.connectors()

    assert ("one", "acme") == (record.subdomain, record.workspace_name)


@pytest.mark.parametrize("twice", ["code=a&code=b", "code=a&iss=x&iss=y", "error=a&error=b"])
async def test_parameters_that_are_there_twice(hosting, person, twice):
    """An answer that says a thing in two ways is refused (RFC 6749 section 3.1)."""
    state = query_of(await person.agree(await hosting.consent_url()))["state"]
    got = await person.open(f"{hosting.url}{CALLBACK}?{twice}&state={state}")

    assert ("invalid_request", []) == (led_to(got)[2]["error"], hosting.exchanges())


async def test_each_organization_gets_its_own(hosting, person):
    """A consent makes a connector for the organization that asked, and for no other."""
    other, headers = await hosting.other_client()
    answer = await person.connect(await hosting.consent_url(headers))
    identifier = led_to(answer)[2]["connector_id"]
    path = f"/api/v1/integrations/connectors/{identifier}"

    assert ([], [identifier]) == (
        await hosting.connectors(),
        [record.id for record in await hosting.connectors(other.id)],
    )
    assert [404, 200] == [
        (await hosting.http.get(path, headers=each)).status_code for each in (hosting.headers, headers)
    ]
    assert 404 == (await hosting.initiate(connector_id=identifier)).status_code


async def test_flows_of_a_removed_organization(hosting, person):
    """An answer for an organization that does not exist any more makes nothing."""
    flow = Flow(
        organization_id="11111111-1111-4111-8111-111111111111",
        workspace_id="22222222-2222-4222-8222-222222222222",
        connector_type="zendesk-support",
        subdomain="acme",
        redirect_url=APP,
        name="Support",
        verifier=SecretStr("v" * 43),
        expires_at=time.time() + 60,
    )
    with pytest.raises(Exception, match="no such organization"):
        await hosting.server.flows.begin(flow)
