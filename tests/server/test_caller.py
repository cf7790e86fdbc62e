"""Who calls, and how often tokens may be tried that are not good."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from pydantic import SecretStr

pytest.importorskip("sqlalchemy")

from .demo import ENDPOINTS, TOKEN
from .serving import serving

OPERATOR = "operator-" + "x" * 32
THINGS = "/api/v1/things"
TWICE = range(2)
"""A minute may end within a test, and with it what was counted, but not twice."""


@pytest.fixture
async def strict():
    """A server that lets an address guess three times in a minute."""
    settings = {"sign_in_per_minute": 3, "admin_token": SecretStr(OPERATOR)}
    async with serving(endpoints=[*ENDPOINTS, TOKEN], **settings) as running:
        yield running


USED_UP = "Too many tokens that are not good came from this address"


async def tried(running, token, http=None):
    """The status of a request with a token."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return (await (http or running.http).get(THINGS, headers=headers)).status_code


async def used_up(running):
    """All tries of this address in this minute."""
    for _ in range(20):
        answer = await running.http.get(THINGS, headers={"authorization": "Bearer wrong"})
        assert 401 == answer.status_code
        if USED_UP in (answer.json()["error"]["hint"] or ""):
            return
    pytest.fail("an address may guess without end")


def elsewhere(running):
    """A client at another address."""
    wire = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
    return httpx.AsyncClient(base_url=running.url, transport=wire, timeout=20, trust_env=False)


async def test_guessing_ends(strict):
    """After so many tokens in a minute that are not good the answer is the same, and says what else follows from them."""
    headers = {"authorization": "Bearer wrong"}
    answers = [await strict.http.get(THINGS, headers=headers) for _ in range(7)]
    hints = [answer.json()["error"]["hint"] or "" for answer in answers]

    assert {(401, "Bearer")} == {(answer.status_code, answer.headers["www-authenticate"]) for answer in answers}
    assert {True, False} == {USED_UP in hint for hint in hints}


async def test_the_operators_token_is_not_found_by_guessing(strict):
    """Once an address has used up its tries the operator's token opens nothing from there, and does from elsewhere."""
    here = set()
    async with elsewhere(strict) as other:
        for _ in TWICE:
            await used_up(strict)
            here.add(await tried(strict, OPERATOR))
            assert 200 == await tried(strict, OPERATOR, other)

    assert 401 in here


async def test_the_honest_go_on_behind_the_same_address(strict):
    """A client's token is good whoever guesses at its address, also one that was not seen before."""
    seen, unseen = await strict.bearer(), await strict.bearer()
    assert 200 == await tried(strict, seen)
    await used_up(strict)

    assert [200, 200] == [await tried(strict, token) for token in (seen, unseen)]


async def test_what_is_good_spends_no_tries(strict):
    """Good tokens, and requests without one, are no guesses."""
    token = await strict.bearer()
    good = [await tried(strict, each) for each in [token, OPERATOR, None] * 4]

    assert [200, 200, 401] * 4 == good
    assert 401 == await tried(strict, "wrong")


async def test_strangers_wait_for_one_another(strict):
    """Tokens of an address that has used up its tries are looked up one at a time; nobody else waits for them."""
    token, waited = await strict.bearer(), set()
    async with elsewhere(strict) as other:
        for _ in TWICE:
            await used_up(strict)
            async with strict.server.strangers:
                task = asyncio.create_task(tried(strict, "wrong"))
                assert 200 == await tried(strict, token, other)
                waited.add(not task.done())
            await task

    assert True in waited
