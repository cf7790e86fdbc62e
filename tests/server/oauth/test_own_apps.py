"""An organization's own OAuth app: set, used before the operator's, removed, and never shown."""

from __future__ import annotations

from .person import led_to, query_of

PATH = "/api/v1/oauth/credentials"
SUPPORT = "79c1aa37-dae3-42ae-b333-d1c105477715"


async def put(hosting, headers=None, **body):
    known = {"connector_type": "Zendesk-Support", "configuration": {"client_id": "own", "client_secret": "own-s3cret"}}
    given = {name: value for name, value in (known | body).items() if value is not ...}
    return await hosting.http.put(PATH, json=given, headers=headers or hosting.headers)


async def delete(hosting, connector_type, headers=None):
    return await hosting.http.delete(f"{PATH}/connector_type/{connector_type}", headers=headers or hosting.headers)


async def asked_client(hosting, person, headers=None, **body):
    """The OAuth client that Zendesk would be asked for."""
    return query_of(await person.agree(await hosting.consent_url(headers, **body)))["client_id"]


async def test_answer(hosting):
    """Setting an app answers with what is known of it but the secret."""
    answer = (await put(hosting)).json()
    own = await hosting.server.oauth_apps.find(hosting.organization_id, "zendesk-support")

    assert {
        "id": own.id,
        "scope_type": "organization",
        "scope_id": hosting.organization_id,
        "connector_type": "zendesk-support",
        "connector_definition_id": SUPPORT,
        "created_at": answer["created_at"],
        "updated_at": answer["updated_at"],
    } == answer


async def test_it_comes_before_the_operators(hosting, person):
    """An organization's app is used for its own consents of that kind, and for nothing else."""
    _, other = await hosting.other_client()
    await put(hosting, connector_type=..., connector_definition_id=SUPPORT)

    assert ["own", "sandbox_app", "sandbox_app"] == [
        await asked_client(hosting, person),
        await asked_client(hosting, person, connector_type="zendesk-talk"),
        await asked_client(hosting, person, other),
    ]


async def test_connector_is_made_with_it(hosting_by, sandbox, person):
    """A consent, and the renewal of its token, work with the organization's own app alone."""
    hosting = await hosting_by(sandbox, oauth_clients={})
    configuration = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret}
    await put(hosting, configuration=configuration)
    identifier = led_to(await person.connect(await hosting.consent_url()))[2]["connector_id"]
    secret = await hosting.server.secrets.get(hosting.organization_id, f"connector/{identifier}")
    sandbox.clock.advance(seconds=1801)
    check = await hosting.http.post(
        f"/api/v1/integrations/connectors/{identifier}/check", json={}, headers=hosting.headers
    )

    assert (sandbox.client_id, "succeeded") == (secret.value["client_id"], check.json()["status"])


async def test_wrong_secret_is_told(hosting, person):
    """An app with a wrong secret ends a consent with invalid_client."""
    await put(hosting, configuration={"client_id": hosting.sandbox.client_id, "client_secret": "wrong"})

    assert "invalid_client" == led_to(await person.connect(await hosting.consent_url()))[2]["error"]


async def test_removing(hosting, person):
    """A removed app is gone with its secret, in whatever case its kind is written; the second time there is none."""
    await put(hosting)
    statuses = [
        (await delete(hosting, kind)).status_code for kind in ("zendesk-talk", "ZENDESK-Support", "zendesk-support")
    ]

    assert [404, 204, 404] == statuses
    assert "sandbox_app" == await asked_client(hosting, person)


async def test_setting_anew_keeps_the_id(hosting, person):
    """A second app of the same kind takes the first one's place."""
    first = (await put(hosting)).json()
    second = (await put(hosting, configuration={"client_id": "newer", "client_secret": "s"})).json()

    assert (first["id"], "newer") == (second["id"], await asked_client(hosting, person))


MISTAKES = [
    ({"connector_type": ...}, "connector_type"),
    ({"connector_type": "salesforce"}, "connector_type"),
    ({"connector_definition_id": SUPPORT}, "connector_type"),
    ({"connector_type": ..., "connector_definition_id": "no-such-kind"}, "connector_definition_id"),
    ({"configuration": ...}, "configuration"),
    ({"configuration": {"client_id": "s3cret"}}, "configuration.client_secret"),
    ({"configuration": {"client_id": "", "client_secret": "s3cret"}}, "configuration.client_id"),
    ({"configuration": {"client_id": "x", "client_secret": ""}}, "configuration.client_secret"),
    ({"configuration": {"client_id": "x", "client_secret": "s3cret\n"}}, "configuration.client_secret"),
    ({"configuration": {"client_id": "x", "client_secret": "s3crét"}}, "configuration.client_secret"),
    ({"configuration": {"client_id": " x", "client_secret": "s3cret"}}, "configuration.client_id"),
    ({"configuration": {"client_id": "x", "client_secret": "s3cret" * 100}}, "configuration.client_secret"),
    ({"configuration": {"client_id": "x", "client_secret": ["s3cret"]}}, "configuration.client_secret"),
]


async def test_what_does_not_fit(hosting):
    """422 names the field and never the secret; nothing is kept."""
    for body, field in MISTAKES:
        answer = await put(hosting, **body)

        assert (422, field) == (answer.status_code, answer.json()["errors"][0]["field"]), body
        assert "s3cr" not in answer.text
        assert None is await hosting.server.oauth_apps.find(hosting.organization_id, "zendesk-support")


async def test_how_a_kind_is_named(hosting):
    """Who names no kind, or two, is told in which ways this request names it."""
    said = [(await put(hosting, **body)).json()["message"] for body, _ in (MISTAKES[0], MISTAKES[2])]
    ways = "of connector_type or connector_definition_id must be provided"

    assert [f"One {ways}", f"Only one {ways}"] == said


async def test_only_an_application_may(hosting):
    """A token of one workspace may neither set nor remove the organization's app, and without a token nobody may."""
    scoped = await hosting.scoped("acme")
    nobody = {"authorization": "Bearer x"}
    answers = [
        await call(headers) for headers in (scoped, nobody)
        for call in (lambda headers: put(hosting, headers), lambda headers: delete(hosting, "zendesk-support", headers))
    ]  # fmt: skip

    assert [403, 403, 401, 401] == [answer.status_code for answer in answers]


async def test_organizations_have_their_own(hosting):
    """One organization's app can be neither replaced nor removed by another."""
    await put(hosting)
    other, headers = await hosting.other_client()
    await put(hosting, headers, configuration={"client_id": "theirs", "client_secret": "s"})
    await delete(hosting, "zendesk-support", headers)
    own = await hosting.server.oauth_apps.find(hosting.organization_id, "zendesk-support")

    assert ("own", None) == (own.client_id, await hosting.server.oauth_apps.find(other.id, "zendesk-support"))
