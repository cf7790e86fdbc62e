"""Tokens of applications and of workspaces."""

from __future__ import annotations

from plugbay.server.auditing import REFUSALS_PER_MINUTE

TOKEN = "/api/v1/account/applications/token"
INFO = "/api/v1/account/applications/scoped-token/info"


async def test_a_client_gets_a_token(running):
    """The right id and secret give a bearer token with its lifetime, its organization and our dialect."""
    given = {"client_id": running.client_id, "client_secret": running.client_secret}
    answer = (await running.http.post(TOKEN, json=given)).json()
    token = answer.pop("access_token")
    expected = {
        "token_type": "bearer",
        "expires_in": 900,
        "organization_id": running.organization_id,
        "dialect": "plugbay-1",
    }
    assert expected == answer
    used = await running.http.get("/api/v1/workspaces", headers={"authorization": f"Bearer {token}"})
    assert 200 == used.status_code


async def test_a_wrong_secret_is_400_and_not_shown(running):
    """A wrong secret, or one of an unknown client, is refused in the same words, which hold nothing of it."""
    wrong = {"client_id": running.client_id, "client_secret": "wrong-secret"}
    unknown = {"client_id": "nobody", "client_secret": "wrong-secret"}
    answers = [await running.http.post(TOKEN, json=given) for given in (wrong, unknown)]
    assert [400, 400] == [answer.status_code for answer in answers]
    assert answers[0].json() == answers[1].json()
    assert "invalid_client" == answers[0].json()["errors"][0]["error_code"]
    assert "wrong-secret" not in answers[0].text


async def test_tokens_and_refusals_are_noted(running):
    """Whoever got a token, or tried to with a wrong secret, is in the log of the client's organization, so many times."""
    secrets = [running.client_secret, *["wrong"] * (2 * REFUSALS_PER_MINUTE + 1)]
    for secret in secrets:
        await running.http.post(TOKEN, json={"client_id": running.client_id, "client_secret": secret})
    await running.http.post(TOKEN, json={"client_id": "nobody", "client_secret": "wrong"})
    notes = [
        (note.client_id, note.event, note.outcome, note.via)
        for note in (await running.server.audit.query(running.organization_id)).items
    ]

    assert {(running.client_id, "token.issued", outcome, "api") for outcome in ("ok", "authentication")} == set(notes)
    # The minute may end while the test runs, and begin once more.
    assert len(notes) - 1 in range(REFUSALS_PER_MINUTE, len(secrets) - 1)


async def test_a_revoked_client_is_out_at_once(api, running):
    """With its client a token ends as well."""
    await running.server.clients.revoke(running.organization_id, running.client_id)
    assert "unauthorized" == (await api.refused(401, "GET", "/api/v1/workspaces"))["errors"][0]["error_code"]


async def test_a_token_ends_with_its_lifetime(running):
    """A token that has ended is refused."""
    token = await running.server.bearers.issue(
        "application", client_id=running.client_id, organization_id=running.organization_id, lifetime=-1
    )
    answer = await running.http.get("/api/v1/workspaces", headers={"authorization": f"Bearer {token}"})
    assert (401, "Bearer") == (answer.status_code, answer.headers["www-authenticate"])


async def test_tokens_of_other_doors_open_nothing(running):
    """The sessions of the web page and the tokens of MCP are no tokens of the API."""
    for kind in ("web", "mcp", "mcp_refresh"):
        token = await running.server.bearers.issue(
            kind, client_id=running.client_id, organization_id=running.organization_id, lifetime=60
        )
        answer = await running.http.get("/api/v1/workspaces", headers={"authorization": f"Bearer {token}"})
        assert 401 == answer.status_code


async def test_a_scoped_token_makes_its_workspace_and_knows_it(api):
    """A token of a workspace that is not there yet makes it, by either of the two names of the field."""
    scoped = await api.scoped("new one")
    info = await scoped.ok("GET", INFO)
    known = await api.ok("GET", f"/api/v1/workspaces/{info['workspace_id']}")
    assert ("new one", api.running.organization_id) == (known["name"], info["organization_id"])
    again = await api.ok("POST", "/api/v1/account/applications/scoped-token", {"customer_name": "new one"})
    second = await api.ok("GET", INFO, headers={"authorization": f"Bearer {again['token']}"})
    assert info == second


async def test_an_application_token_has_no_scope_to_tell(api):
    """Asking an application's token for its workspace is a mistake that is told."""
    assert "not_scoped" == (await api.refused(400, "GET", INFO))["errors"][0]["error_code"]


async def test_a_scoped_token_cannot_widen_itself(api):
    """A token of one workspace gets no token of another."""
    scoped = await api.scoped("one")
    path = "/api/v1/account/applications/scoped-token"
    assert (
        "scoped_token"
        == (await scoped.refused(403, "POST", path, {"workspace_name": "two"}))["errors"][0]["error_code"]
    )


async def test_the_organization_header_chooses_among_those_a_client_reaches(api, running):
    """With the header a client acts for another organization that it reaches; for one that it does not it is 403."""
    second = await running.server.organizations.create("second")
    headers = {"x-organization-id": second.id}
    await api.refused(403, "GET", "/api/v1/workspaces", headers=headers)
    await running.server.clients.join(running.client_id, second.id)
    await running.server.workspaces.ensure(second.id, "theirs")
    listed = await api.ok("GET", "/api/v1/workspaces", headers=headers)
    assert [("theirs", second.id)] == [(each["name"], each["organization_id"]) for each in listed["data"]]
    assert [] == (await api.ok("GET", "/api/v1/workspaces"))["data"]
    await api.refused(403, "GET", "/api/v1/workspaces", headers={"x-organization-id": "not-one"})


async def test_the_operator_acts_for_the_organization_that_is_named(operator, running):
    """The operator needs no header for the only organization, and one as soon as there are two."""
    await running.server.workspaces.ensure(running.organization_id, "ours")
    assert ["ours"] == [each["name"] for each in (await operator.ok("GET", "/api/v1/workspaces"))["data"]]
    second = await running.server.organizations.create("second")
    await operator.refused(400, "GET", "/api/v1/workspaces")
    named = await operator.ok("GET", "/api/v1/workspaces", headers={"x-organization-id": second.id})
    assert [] == named["data"]


async def test_a_workspace_that_is_switched_off_gets_no_tokens(api):
    """There is no token of an inactive workspace, and the refusal says how to switch it on."""
    path = "/api/v1/account/applications/scoped-token"
    await api.scoped("acme")
    workspace = await api.running.server.workspaces.by_name(api.running.organization_id, "acme")
    await api.ok("PUT", f"/api/v1/workspaces/{workspace.id}", {"status": "inactive"})
    refusal = await api.refused(403, "POST", path, {"workspace_name": "acme"})
    assert "workspace_inactive" == refusal["errors"][0]["error_code"]
    assert "PUT /api/v1/workspaces/{id}" in refusal["error"]["hint"]
    await api.ok("PUT", f"/api/v1/workspaces/{workspace.id}", {"status": "active"})
    await api.scoped("acme")


async def test_a_refused_scoped_token_leaves_no_workspace(api, operator):
    """The operator, who gets no such token, makes no workspace by asking for one."""
    await operator.refused(403, "POST", "/api/v1/account/applications/scoped-token", {"workspace_name": "unwanted"})
    assert [] == (await api.ok("GET", "/api/v1/workspaces?name_contains=unwanted"))["data"]
