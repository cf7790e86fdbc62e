"""Programs that introduce themselves."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select, update

from plugbay.server.mcp import clients as registered
from plugbay.server.mcp.tables import mcp_clients

from ...serving import serving
from ..office import REDIRECT

PATH = "/oauth/register"
GOOD = {"client_name": "Desk", "redirect_uris": [REDIRECT]}


async def test_a_public_client(running):
    """A client is registered as a public one, whatever else it asked for, and gets no secret."""
    wish = {**GOOD, "token_endpoint_auth_method": "client_secret_post", "scope": "admin", "logo_uri": "https://x/y.png"}
    answer = await running.http.post(PATH, json=wish)
    told = answer.json()

    assert 201 == answer.status_code
    assert "no-store" == answer.headers["cache-control"]
    assert ("none", "tools", [REDIRECT]) == (
        told["token_endpoint_auth_method"],
        told["scope"],
        told["redirect_uris"],
    )
    assert "client_secret" not in told
    assert "logo_uri" not in told


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://evil.example/cb"]}, "invalid_redirect_uri"),
        ({**GOOD, "grant_types": ["client_credentials"]}, "invalid_client_metadata"),
        ({**GOOD, "grant_types": "authorization_code"}, "invalid_client_metadata"),
        ({**GOOD, "response_types": ["token"]}, "invalid_client_metadata"),
        ([], "invalid_client_metadata"),
    ],
)
async def test_what_cannot_be_registered(running, body, error):
    """A client that we could not serve is refused with the code that RFC 7591 has for it."""
    answer = await running.http.post(PATH, json=body)

    assert (400, error) == (answer.status_code, answer.json()["error"])


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b"a=b", "application/x-www-form-urlencoded", 400),
        (b'{"client_name": "' + b"a" * 70_000 + b'"}', "application/json", 413),
    ],
)
async def test_what_is_no_registration(running, content, kind, status):
    """A body that is no JSON object, or a very large one, is refused."""
    answer = await running.http.post(PATH, content=content, headers={"content-type": kind})

    assert (status, "invalid_client_metadata") == (answer.status_code, answer.json()["error"])


async def test_a_name_is_cleaned(running, office, browser):
    """Hidden characters and new lines are taken out of a name, and it is cut: a person will read it."""
    name = "Trusted\u202e\u200b\nApp" + "x" * 500
    answer = await running.http.post(PATH, json={**GOOD, "client_name": name})
    told = answer.json()["client_name"]

    assert 100 == len(told)
    assert told.isprintable()
    assert told.startswith("Trusted App")


async def test_an_unused_registration_expires(running, office, person):
    """A registration that nobody grants anything is unknown after its time."""
    client_id = await office.register()
    async with running.server.database.begin() as connection:
        await connection.execute(update(mcp_clients).values(expires_at=1.0))

    answer = await person.http.get(office.question(client_id))
    await office.register()
    left = await running.server.database.all(select(mcp_clients.c.id))

    assert 400 == answer.status_code
    assert client_id not in [row.id for row in left]


async def test_unused_registrations_are_bounded(running, office):
    """Where too many registrations wait, the oldest unused makes room; one in use stays."""
    row = {"name": "Old", "redirect_uris": [REDIRECT], "expires_at": 9e9}
    rows = [{**row, "id": f"old-{n}", "created_at": float(n), "used_at": None} for n in range(registered.MOST_UNUSED)]
    async with running.server.database.begin() as connection:
        await connection.execute(insert(mcp_clients), [*rows, {**row, "id": "used", "created_at": 0.0, "used_at": 1.0}])

    new = await office.register()
    known = {row.id for row in await running.server.database.all(select(mcp_clients.c.id))}

    assert registered.MOST_UNUSED + 1 == len(known)
    assert {"used", new, "old-1"} <= known
    assert "old-0" not in known


async def test_registrations_are_limited(sandbox):
    """One address may register only so many in a minute."""
    async with serving(sandbox, sign_in_per_minute=2) as running:
        statuses = [(await running.http.post(PATH, json=GOOD)).status_code for _ in range(5)]

    # The minute may end while the test runs, and begin once more.
    assert {201, 429} == set(statuses)
