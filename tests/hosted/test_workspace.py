"""A workspace: its connectors made, listed, found, deleted and authorized."""

from __future__ import annotations

import pickle
import traceback
import uuid

import pytest
from starlette.responses import JSONResponse, Response
from tests.hosted.conftest import RETRY
from tests.hosted.service import ROOT, TOKEN, Service

from plugbay import (
    AmbiguousConnectorError,
    AuthenticationError,
    ConfigurationError,
    ConnectorNotFoundError,
    InvalidParameterError,
    Policy,
    ResponseIntegrityError,
    ServiceError,
    ValidationFailedError,
)
from plugbay.connectors.zendesk_support import (
    ZendeskSupportApiTokenAuthConfig,
    ZendeskSupportConnector,
    ZendeskSupportOauth20AuthConfig,
)
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector
from plugbay.hosted import ConnectorInfo, Workspace
from plugbay.types import AirbyteAuthConfig


@pytest.fixture
def service(library, vendor):
    """A service of either dialect without connectors."""
    with Service(library, vendor=vendor) as running:
        yield running


@pytest.fixture
async def workspace(service):
    """The workspace `acme` of it."""
    named = {"client_id": service.client_id, "client_secret": service.client_secret, "api_url": service.url}
    async with Workspace("acme", retry=RETRY, **named) as made:
        yield made


async def test_list(service, workspace, vendor):
    """All connectors of the workspace are told, over all pages, and those of others are not."""
    service.page = 2
    kept = [service.add(name=f"N{n}", workspace="acme") for n in range(5)]
    service.add(workspace="other")
    found = await workspace.list_connectors()
    assert [each.id for each in kept] == [each.id for each in found]
    assert ConnectorInfo(
        id=kept[0].id,
        name="N0",
        definition_id=ZendeskSupportConnector.definition_id,
        kind="zendesk-support",
        status=None if vendor else "active",
        created_at="2026-11-01T00:00:00Z",
        updated_at="2026-11-02T00:00:00Z",
    ) == found[0]  # fmt: skip
    assert 3 == len(service.came(ROOT))


@pytest.mark.parametrize(
    ("credentials", "sent"),
    [
        (
            ZendeskSupportOauth20AuthConfig(access_token="at-secret", client_id="c"),
            {"access_token": "at-secret", "client_id": "c"},
        ),
        (
            ZendeskSupportApiTokenAuthConfig(email="a@b.c", api_token="t-secret"),
            {"email": "a@b.c", "api_token": "t-secret"},
        ),
        ({"email": "a@b.c", "api_token": "t-secret"}, {"email": "a@b.c", "api_token": "t-secret"}),
    ],
)
async def test_create(service, workspace, credentials, sent):
    """Credentials are handed over as they are, once, and what was made of them is told."""
    start = {"start_date": "2026-01-01T00:00:00Z"}
    made = await workspace.create_connector(
        "zendesk-talk", credentials, name="Ours", subdomain="acme", replication_config=start
    )
    assert (service.kept[0].id, "Ours", "succeeded") == (made.id, made.name, made.check)
    assert {
        "workspace_name": "acme",
        "definition_id": ZendeskTalkConnector.definition_id,
        "name": "Ours",
        "credentials": sent,
        "environment": {"subdomain": "acme"},
        "replication_config": start,
    } == service.came(ROOT)[-1].body


async def test_what_is_not_given_is_not_sent(service, workspace):
    """A request has only what was said."""
    await workspace.create_connector("zendesk-support", {"email": "a@b.c", "api_token": "t"})
    assert {"workspace_name", "definition_id", "credentials"} == set(service.requests[-1].body)


async def test_a_refusal_that_quotes_the_credentials(service, workspace):
    """Whatever the service says of credentials, they are not in the error, nor in what led to it."""
    detail = [
        {"loc": ["body", "credentials"], "msg": "bad: t-secret-1 and s3cret/x", "input": {"api_token": "t-secret-1"}}
    ]
    answer = JSONResponse({"message": "t-secret-1 is not good", "detail": detail}, 422)
    service.next(ROOT, answer)
    secret = {"api_token": "t-secret-1", "inner": {"key": "s3cret/x"}}
    with pytest.raises(ValidationFailedError, match="is not good") as caught:
        await workspace.create_connector("zendesk-support", secret)
    shown = f"{caught.value} {caught.value.payload()} {vars(caught.value)} {caught.value.args}"
    assert [] == [each for each in ("t-secret-1", "s3cret/x") if each in shown]
    assert caught.value.__cause__ is None
    below = caught.value.__traceback__.tb_next
    told = traceback.TracebackException(type(caught.value), caught.value, below, capture_locals=True)
    assert [] == [each for each in ("t-secret-1", "s3cret/x") if each in "".join(told.format())]


async def test_a_create_of_unknown_fate(service, workspace):
    """A creation is not repeated, as two connectors would make every look-up ambiguous."""
    service.next(ROOT, Response(status_code=503))
    with pytest.raises(ServiceError) as caught:
        await workspace.create_connector("zendesk-support", {"api_token": "x"})
    assert ("unknown", 1) == (caught.value.details["fate"], len(service.came(ROOT)))


async def test_odd_credentials(workspace, service):
    """What are no credentials, or for no connector, is not sent."""
    with pytest.raises(ConfigurationError, match="credentials cannot be str"):
        await workspace.create_connector("zendesk-support", "t-secret")
    with pytest.raises(ConnectorNotFoundError):
        await workspace.create_connector("zendesk-chat", {})
    assert [] == service.requests


async def test_get(service, workspace):
    """A live connector is had by its id or its name, of its own class, with the workspace's settings."""
    support, talk = service.add(workspace="acme"), service.add(ZendeskTalkConnector, workspace="acme", name="Phone")
    by_id = await workspace.get_connector(connector_id=support.id)
    by_name = await workspace.get_connector(name="Phone")
    assert (ZendeskSupportConnector, ZendeskTalkConnector) == (type(by_id), type(by_name))
    assert 1 == len(await by_id.users.list(limit=1))
    await by_name.phone_numbers.list()
    assert [f"{ROOT}/{each.id}/execute" for each in (support, talk)] == [each.path for each in service.came("/execute")]
    await by_id.close()
    await by_name.close()


async def test_get_nothing(service, workspace):
    """What is not there, there twice, or of no kind that is known, is each an error of its own."""
    service.add(workspace="acme", name="Twice")
    service.add(workspace="acme", name="Twice")
    odd = service.add(workspace="acme", name="Odd")
    with pytest.raises(AmbiguousConnectorError):
        await workspace.get_connector(name="Twice")
    with pytest.raises(ConnectorNotFoundError, match="named 'Nothing'"):
        await workspace.get_connector(name="Nothing")
    with pytest.raises(ConnectorNotFoundError):
        await workspace.get_connector(connector_id=str(uuid.uuid4()))
    service.next(odd.id, JSONResponse({"id": odd.id, "name": "Odd", "source_template": {"name": "Salesforce"}}))
    with pytest.raises(ConnectorNotFoundError, match="kind that is not installed here: salesforce"):
        await workspace.get_connector(connector_id=odd.id)
    for wrong in ({}, {"connector_id": "x", "name": "y"}, {"connector_id": "../x"}):
        with pytest.raises(InvalidParameterError):
            await workspace.get_connector(**wrong)


async def test_delete(service, workspace):
    """A connector is deleted by its id, which cannot lead elsewhere."""
    kept = service.add(workspace="acme")
    await workspace.delete_connector(kept.id)
    assert [] == service.kept
    with pytest.raises(ConnectorNotFoundError):
        await workspace.delete_connector(kept.id)
    count = len(service.requests)
    for wrong in ("", "..", "a/b", None):
        with pytest.raises(InvalidParameterError):
            await workspace.delete_connector(wrong)
    assert count == len(service.requests)


async def test_oauth(service, workspace):
    """The consent page is asked for with what the connector will need."""
    url = await workspace.initiate_oauth("zendesk-support", "http://localhost:8000/done", subdomain="acme", name="N")
    assert "https://acme.zendesk.com/oauth?x=1" == url
    assert {
        "workspace_name": "acme",
        "definition_id": ZendeskSupportConnector.definition_id,
        "redirect_url": "http://localhost:8000/done",
        "name": "N",
        "environment": {"subdomain": "acme"},
    } == service.requests[-1].body


async def test_oauth_for_a_connector_that_is_there(service, workspace, vendor):
    """`plugbay serve` gives a connector new credentials; the vendor's service would make another one, and is not asked."""
    kept = service.add(workspace="acme")
    service.next("/initiate", JSONResponse({"consent_url": "https://acme.zendesk.com/oauth"}))
    begun = workspace.initiate_oauth("zendesk-support", "https://ours.example/done", connector_id=kept.id)
    if vendor:
        with pytest.raises(ConfigurationError, match="cannot authorize a connector anew"):
            await begun
        assert [] == service.came("/initiate")
    else:
        assert "https://acme.zendesk.com/oauth" == await begun
        assert kept.id == service.requests[-1].body["connector_id"]
    with pytest.raises(InvalidParameterError, match="id of the connector"):
        await workspace.initiate_oauth("zendesk-support", "https://ours.example/done", connector_id="../x")


ODD_URLS = [
    "http://evil.example.com/", "javascript:alert(1)", "//evil.example.com", "https://", "", "https://a b.example",
    "https://user@evil.example.com/", "https://evil.example.com:99999/", "data:text/html,x", "https://x\n.example", "https://[",
]  # fmt: skip


@pytest.mark.parametrize("url", ODD_URLS)
async def test_addresses_that_no_browser_is_sent_to(service, workspace, url):
    """Neither the page of consent nor the one after it is anything but https, or http on loopback."""
    with pytest.raises(InvalidParameterError, match="redirect_url"):
        await workspace.initiate_oauth("zendesk-support", url)
    assert [] == service.requests
    service.next("/initiate", JSONResponse({"consent_url": url}))
    with pytest.raises(ResponseIntegrityError, match="consent URL"):
        await workspace.initiate_oauth("zendesk-support", "https://ours.example/done")


@pytest.mark.parametrize("body", [{}, [], {"consent_url": None}, {"consent_url": ["https://x"]}], ids=str)
async def test_no_consent_page(service, workspace, body):
    """An answer without the page's address is an error."""
    service.next("/initiate", JSONResponse(body))
    with pytest.raises(ResponseIntegrityError):
        await workspace.initiate_oauth("zendesk-support", "https://ours.example/done")


async def test_connect(service, workspace):
    """The only connector of a kind is looked up at its first call, under the workspace's token."""
    kept = service.add(workspace="acme")
    connector = workspace.connect("zendesk-support")
    assert [] == service.requests
    await connector.users.list(limit=1)
    await workspace.list_connectors()
    assert f"{ROOT}/{kept.id}/execute" == service.came("/execute")[0].path
    assert 1 == len(service.came(TOKEN))
    await connector.close()


async def test_settings_are_its_connectors_own(service):
    """Policy, time and listeners of the workspace are those of its connectors."""
    told = []
    config = AirbyteAuthConfig(
        workspace_name="acme",
        airbyte_client_id=service.client_id,
        airbyte_client_secret=service.client_secret,
        api_url=service.url,
    )
    service.add(workspace="acme")
    workspace = Workspace(auth_config=config, policy=Policy(read_only=True), on_event=told.append)
    async with workspace, workspace.connect("zendesk-support") as connector:
        await connector.users.list(limit=1)
        assert connector.policy == Policy(read_only=True)
    assert "users.list" == told[0].operation


def test_synchronous(service):
    """The same without await."""
    named = {"client_id": service.client_id, "client_secret": service.client_secret, "api_url": service.url}
    workspace = Workspace("acme", **named).sync
    made = workspace.create_connector("zendesk-support", {"api_token": "t"})
    assert [made.id] == [each.id for each in workspace.list_connectors()]
    connector = workspace.get_connector(connector_id=made.id).sync
    assert 1 == len(connector.users.list(limit=1))
    connector.close()
    workspace.delete_connector(made.id)
    assert [] == service.kept
    with pytest.raises(AttributeError):
        _ = workspace.nothing
    workspace.close()


async def test_it_keeps_its_secret(service):
    """A workspace shows no secret, is not pickled, and a wrong secret is not told."""
    workspace = Workspace("acme", client_id="x", client_secret="hush-hush", api_url=service.url)
    assert "Workspace('acme')" == repr(workspace)
    with pytest.raises(TypeError):
        pickle.dumps(workspace)
    with pytest.raises(AuthenticationError) as caught:
        await workspace.list_connectors()
    assert "hush-hush" not in f"{caught.value} {caught.value.payload()}"
    await workspace.close()
