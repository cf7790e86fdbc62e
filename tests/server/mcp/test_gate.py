"""Who comes in at `/mcp`, and to which workspace."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from ..serving import serving
from .office import Office

CHALLENGE = 'resource_metadata="{url}/.well-known/oauth-protected-resource/mcp", scope="tools"'


async def issue(running, kind, **given):
    """A token that our own endpoints would not give."""
    return await running.server.bearers.issue(
        kind, client_id=running.client_id, organization_id=running.organization_id, lifetime=60, **given
    )


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
async def test_without_a_token(running, method):
    """Whoever has no token is told where to learn how to get one (RFC 9728 section 5.1)."""
    answer = await running.http.request(method, "/mcp")

    assert 401 == answer.status_code
    assert f"Bearer {CHALLENGE.format(url=running.server.settings.public_url)}" == answer.headers["www-authenticate"]


@pytest.mark.parametrize("token", ["unknown", "pb_mcp_unknown", "a b", "ü".encode().decode("latin-1")])
async def test_an_unknown_token(running, office, token):
    """A token that is not good is told from none, so that a client gets a new one."""
    answer = await office.call(token.encode("latin-1").decode("latin-1") if token.isascii() else None)

    assert 401 == answer.status_code
    assert CHALLENGE.format(url=running.server.settings.public_url) in answer.headers["www-authenticate"]
    assert token.isascii() is ('error="invalid_token"' in answer.headers["www-authenticate"])


async def test_a_token_for_another_resource(running, office, browser):
    """A token whose audience is another resource is refused, though its grant is good (RFC 8707)."""
    await office.connect()
    _, pair = await office.tokens(browser)
    found = await running.server.bearers.find(pair["access_token"])
    facts = {"workspace_id": found.workspace_id, "detail": found.detail}
    same = await issue(running, "mcp", audience=found.audience, **facts)
    others = [
        await issue(running, "mcp", audience=audience, **facts)
        for audience in ("https://other.example/mcp", running.server.settings.public_url, None)
    ]

    assert 200 == (await office.call(same)).status_code
    for token in others:
        answer = await office.call(token)
        assert 401 == answer.status_code
        assert "another resource" in answer.headers["www-authenticate"]


@pytest.mark.parametrize("kind", ["web", "mcp_refresh", "mcp"])
async def test_a_token_for_another_purpose(running, office, kind):
    """A session of the pages, a refresh token, or an access token without a grant opens nothing."""
    audience = f"{running.server.settings.public_url}/mcp"
    answer = await office.call(await issue(running, kind, audience=audience))

    assert 401 == answer.status_code


async def test_a_token_of_tools_is_not_one_of_the_api(running, office, browser):
    """A token that was granted to a client of the protocol is good at /mcp only."""
    await office.connect()
    _, pair = await office.tokens(browser)
    headers = {"authorization": f"Bearer {pair['access_token']}"}
    answer = await running.http.get("/api/v1/workspaces", headers=headers)

    assert 401 == answer.status_code


async def test_a_token_in_the_address(running, office):
    """A token counts in the header alone: addresses are in logs."""
    await office.connect()
    answer = await office.call(None, path=f"/mcp?access_token={await office.scoped()}")

    assert 401 == answer.status_code


async def test_an_application_token_needs_a_workspace(running, office):
    """A token that is good for several workspaces is refused without a name, and the message says how to give one."""
    await office.connect()
    answer = await office.call(await running.bearer())
    error = answer.json()["error"]["data"]

    assert (400, "This token is good for several workspaces: name one.") == (answer.status_code, error["message"])
    assert "?workspace=NAME" in error["hint"]
    assert "X-Workspace-Name" in error["hint"]
    assert "scoped-token" in error["hint"]


async def test_an_application_token_with_a_workspace(running, office):
    """The name may be in the address or in a header; one that does not exist is 404, and makes none."""
    await office.connect("acme")
    token = await running.bearer()
    tool = ["zendesk_support_execute"]

    assert tool == list(await office.tools(token, path="/mcp?workspace=acme"))
    assert tool == list(await office.tools(token, **{"x-workspace-name": "acme"}))
    assert 404 == (await office.call(token, path="/mcp?workspace=nowhere")).status_code
    assert 1 == len((await running.server.workspaces.list(running.organization_id)).items)


async def test_a_workspace_whose_name_no_header_holds(running, office):
    """A name beyond ASCII is percent-encoded in the header, as it is where a connector is named by its id."""
    await office.connect("Zoë & Co")
    token = await running.bearer()

    assert 200 == (await office.call(token, **{"x-workspace-name": quote("Zoë & Co")})).status_code
    assert 422 == (await office.call(token, **{"x-workspace-name": "Zo%FF"})).status_code


async def test_a_bound_token_and_another_name(office):
    """A token of one workspace is not good for another that is named; naming its own does no harm."""
    await office.connect("acme")
    await office.connect("zenith")
    token = await office.scoped("acme")

    assert 200 == (await office.call(token, path="/mcp?workspace=acme")).status_code
    assert 403 == (await office.call(token, path="/mcp?workspace=zenith")).status_code


async def test_an_inactive_workspace(running, office):
    """No tools of a workspace that was made inactive are shown or called."""
    await office.connect()
    token = await office.scoped()
    found = await running.server.workspaces.by_name(running.organization_id, "acme")
    await running.server.workspaces.update(running.organization_id, found.id, status="inactive")

    refusal = await office.call(token)
    assert (403, "The workspace is switched off.") == (refusal.status_code, refusal.json()["error"]["data"]["message"])


async def test_the_limit_of_a_client(sandbox):
    """Requests for tools count as the client's, like those to the API."""
    async with serving(sandbox, rate_per_minute=8) as running:
        office = Office(running, await running.signed_in())
        token = await office.scoped()
        answers = [await office.call(token) for _ in range(17)]

    # The minute may end while the test runs, and begin once more.
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {200, 429} == {answer.status_code for answer in answers}
    assert int(refused[0].headers["retry-after"]) > 0


async def test_organizations_do_not_see_each_other(running, office):
    """A client of one organization reaches no workspace of another, by whatever name or header."""
    await office.connect("acme")
    other = await running.server.organizations.create("Other")
    made, secret = await running.server.clients.create(other.id, "Theirs")
    token = await running.bearer(made.id, secret)
    header = {"x-organization-id": running.organization_id}

    assert 404 == (await office.call(token, path="/mcp?workspace=acme")).status_code
    assert 403 == (await office.call(token, path="/mcp?workspace=acme", **header)).status_code


async def test_a_client_of_several_organizations_says_which(running, office):
    """A client that may reach another organization does so by the header, as at the API."""
    await office.connect("acme")
    other = await running.server.organizations.create("Other")
    made, secret = await running.server.clients.create(other.id, "Both")
    await running.server.clients.join(made.id, running.organization_id)
    token = await running.bearer(made.id, secret)
    header = {"x-organization-id": running.organization_id}

    assert 404 == (await office.call(token, path="/mcp?workspace=acme")).status_code
    assert 200 == (await office.call(token, path="/mcp?workspace=acme", **header)).status_code


async def test_guessing_ends(sandbox):
    """However many tokens are not good, each is 401 with where to get another; who has a good one goes on."""
    async with serving(sandbox, sign_in_per_minute=3) as running:
        office = Office(running, await running.signed_in())
        await office.connect()
        token = await office.scoped()
        wrong = [await office.call("wrong") for _ in range(7)]
        without = [(await office.call(None)).status_code for _ in range(7)]

        assert {401} == {answer.status_code for answer in wrong}
        assert all("resource_metadata" in answer.headers["www-authenticate"] for answer in wrong)
        assert {401} == set(without)
        assert 200 == (await office.call(token)).status_code


async def test_a_workspace_does_not_have_all_of_its_client(sandbox):
    """Tools that are called with a token of one workspace have a quarter of what the client may call in a minute."""
    async with serving(sandbox, rate_per_minute=40) as running:
        office = Office(running, await running.signed_in())
        for workspace in ("acme", "zenith"):
            await office.connect(workspace)
        eve, bob, application = await office.scoped("acme"), await office.scoped("zenith"), await running.bearer()
        greedy = [(await office.call(eve)).status_code for _ in range(21)]

        assert {200, 429} == set(greedy)
        assert 200 == (await office.call(bob)).status_code
        assert 200 == (await office.call(application, path="/mcp?workspace=acme")).status_code
