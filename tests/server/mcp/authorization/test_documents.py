"""Clients whose id is the URL of a document."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from plugbay.server.mcp.authorization.documents import FETCHES_PER_MINUTE, client_of
from plugbay.server.mcp.authorization.refusals import OAuthError
from plugbay.server.mcp.tables import mcp_documents
from plugbay.server.store.rows import now

from ...serving import serving
from ..documents import hosting

REFUSED = "metadata document cannot be used"
ORGANIZATION = "6f7ff0f0-0000-4000-8000-000000000001"


@pytest.fixture
async def host():
    async with hosting() as started:
        yield started


async def test_a_client_of_a_document(office, browser, host):
    """A client needs no registration: its document is read, a person agrees, and its tokens call tools and are renewed."""
    await office.connect()
    client_id, pair = await office.tokens(browser, client_id=host.url)
    renewed = await office.refresh(client_id, pair["refresh_token"])

    assert host.url == client_id
    assert ["zendesk_support_execute"] == list(await office.tools(pair["access_token"]))
    assert 200 == renewed.status_code


async def test_the_page_names_the_documents_host(running, office, browser, host):
    """A person sees on whose host the document is, beside the name that it gives itself."""
    await office.connect()
    page = await browser.sign_in(running.client_id, running.client_secret, office.question(host.url))

    assert "Document client" in page.text
    assert f"<strong>{host.url.split('/')[2]}</strong>" in page.text


async def test_a_document_is_remembered(running, office, person, host):
    """A document is read once in its time, by whichever process, and again after that."""
    await office.connect()
    for _ in range(3):
        await person.http.get(office.question(host.url))
    once = host.asked
    async with running.server.database.begin() as connection:
        await connection.execute(update(mcp_documents).values(expires_at=1.0))
    await person.http.get(office.question(host.url))

    assert [1, 2] == [once, host.asked]


@pytest.mark.parametrize(
    ("cache", "seconds"),
    [("", 300), ("no-store", 60), ("max-age=1", 60), ("public, max-age=900", 900), ("max-age=999999", 3600)],
)
async def test_how_long_a_document_is_remembered(running, office, person, host, cache, seconds):
    """A document is kept as long as its answer says, but at least a minute and at most an hour."""
    host.headers += f"Cache-Control: {cache}\r\n" if cache else ""
    before = await person.http.get(office.question(host.url))
    [row] = await running.server.database.all(select(mcp_documents.c.expires_at))
    assert 200 == before.status_code
    assert seconds - 30 < row.expires_at - now() <= seconds


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "http://127.0.0.1:1/client.json"},
        {"client_id": None},
        {"client_secret": "x"},
        {"token_endpoint_auth_method": "client_secret_basic"},
    ],
)
async def test_a_document_that_describes_somebody_else(office, person, host, changed):
    """A document must name its own address as the client's id, and have no secret."""
    host.document |= changed
    answer = await person.http.get(office.question(host.url))

    assert 400 == answer.status_code
    assert REFUSED in answer.text


async def test_a_document_without_our_address(office, person, host):
    """An answer is sent only to an address that the document has."""
    host.document["redirect_uris"] = ["https://app.example/cb"]
    answer = await person.http.get(office.question(host.url))

    assert 400 == answer.status_code
    assert "redirect_uri is not one of those" in answer.text


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n" + b"[" * 60_000,
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
        b"no HTTP\r\n\r\n",
        b"",
    ],
)
async def test_no_document_there(running, office, person, host, raw):
    """A redirect, another status or type, too much, too little, or no HTTP at all: the client is refused and nothing is kept."""
    host.raw = raw
    answer = await person.http.get(office.question(host.url))

    assert 400 == answer.status_code
    assert REFUSED in answer.text
    assert [] == list(await running.server.database.all(select(mcp_documents)))


WITHIN = [
    "https://127.0.0.1/client.json",
    "https://localhost/client.json",
    "https://10.0.0.1/client.json",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/client.json",
    "https://[::ffff:127.0.0.1]/client.json",
    "https://2130706433/client.json",
    "https://127.1/client.json",
    "https://0x7f.1/client.json",
    "https://metadata.localhost/client.json",
    "http://app.example/client.json",
    "https://user@app.example/client.json",
    "https://app.example",
    "https://app.example/",
    "https://app.example/client.json#fragment",
    "https://app.example/a/../client.json",
    "https://app.example/a/%2e%2e/client.json",
    "https://app.example\\@127.0.0.1/client.json",
    "https://app.example:99999/client.json",
    "https://app.example/" + "a" * 1000,
]


async def test_nothing_is_asked_within(sandbox):
    """A server that is not for trying out asks no address of its own machine or network, and none that is no plain https URL."""
    async with serving(sandbox, public_url="https://plugbay.example") as running:
        refused = [await refusal(running.server, url) for url in WITHIN]

    assert ["invalid_client"] * len(WITHIN) == [error.error for error in refused]


async def test_not_even_a_host_of_documents_on_this_machine(sandbox, host):
    """A server with a public address reads no document of its own machine, though its sandbox's settings are on."""
    async with serving(sandbox, public_url="https://plugbay.example") as running:
        refused = await refusal(running.server, host.url)

    assert "invalid_client" == refused.error
    assert 0 == host.asked


async def test_so_many_documents_in_a_minute(running, host):
    """The people of one organization may have so many documents fetched, and those of another as many for themselves."""
    urls = [host.url.replace("client.json", f"{number}.json") for number in range(2 * FETCHES_PER_MINUTE + 1)]
    refused = [(await refusal(running.server, url)).status for url in urls]
    other = await client_of(running.server, host.url, running.organization_id)

    # The minute may end while the test runs, and begin once more.
    assert {400, 429} == set(refused)
    assert host.url == other.id


async def test_nothing_is_asked_for_a_stranger(office, browser, host):
    """Nobody who has not signed in makes the server fetch a document."""
    answer = await browser.http.get(office.question(host.url))

    assert answer.headers["location"].startswith("/sign-in?next=")
    assert 0 == host.asked


async def refusal(server, url):
    with pytest.raises(OAuthError) as caught:
        await client_of(server, url, ORGANIZATION)
    return caught.value
