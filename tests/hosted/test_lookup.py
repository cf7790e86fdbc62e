"""Which connector is meant: the only one of its kind in the workspace, or the one that was named."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from starlette.responses import JSONResponse
from tests.hosted.conftest import RETRY
from tests.hosted.service import ROOT, Service

from plugbay import (
    AmbiguousConnectorError,
    ConfigurationError,
    ConnectorNotFoundError,
    PlugbayError,
    ResponseIntegrityError,
)
from plugbay.connectors.zendesk_support import ZendeskSupportConnector
from plugbay.connectors.zendesk_talk import ZendeskTalkConnector


@pytest.fixture
def service(library, vendor):
    """A service of either dialect without connectors."""
    with Service(library, vendor=vendor, settings={"retry": RETRY}) as running:
        yield running


async def test_the_only_one(service, hosted):
    """Of all connectors the one of the kind and the workspace is used, and looked up once."""
    service.add(ZendeskTalkConnector)
    service.add(workspace="other")
    wanted = service.add()
    connector = hosted(service)
    await connector.users.list(limit=1)
    await connector.users.list(limit=1)
    [asked] = service.came(ROOT)
    assert {"workspace_name": "default", "definition_id": ZendeskSupportConnector.definition_id} == asked.query
    assert [f"{ROOT}/{wanted.id}/execute"] * 2 == [each.path for each in service.came("/execute")]


async def test_none(service, hosted):
    """A workspace without such a connector, or that is not there, is an error that says what to do."""
    service.add(ZendeskTalkConnector, workspace="ours")
    for name in ("ours", "nowhere"):
        with pytest.raises(
            ConnectorNotFoundError, match=f"no zendesk-support connector in the workspace '{name}'"
        ) as caught:
            await hosted(service, workspace_name=name).tickets.update(1, status="open")
        assert "create_connector" in caught.value.hint
        assert "fate" not in caught.value.details
    assert [] == service.came("/execute")


async def test_several(service, hosted):
    """Several are an error with their ids and names; one of these ids can be chosen."""
    made = [service.add(name=name) for name in ("North", "South")]
    with pytest.raises(AmbiguousConnectorError) as caught:
        await hosted(service).users.list()
    assert [{"id": each.id, "name": each.name} for each in made] == caught.value.details["connectors"]
    assert "connector_id" in caught.value.hint
    await hosted(service, connector_id=made[1].id).users.list(limit=1)
    assert 1 == len(service.came(ROOT))
    assert f"{ROOT}/{made[1].id}/execute" == service.requests[-1].path


async def test_over_pages(service, hosted):
    """All pages are looked at: one that is on the second is found, and a second one there is noticed."""
    service.page = 1
    service.add()
    service.add()
    with pytest.raises(AmbiguousConnectorError):
        await hosted(service).users.list()
    assert 2 == len(service.came(ROOT))


async def test_a_next_that_is_a_link(service, hosted):
    """A link to the next page is followed by its cursor alone."""
    kept, template = service.add(), {"actor_definition_id": ZendeskTalkConnector.definition_id}
    data = [{"id": str(uuid.uuid4()), "name": "x", "summarized_source_template": template}]
    service.next(ROOT, JSONResponse({"data": data, "next": f"{service.url}{ROOT}?workspace_name=evil&cursor=0"}))
    await hosted(service).users.list(limit=1)
    assert ["default", "default"] == [each.query["workspace_name"] for each in service.came(ROOT)]
    assert f"{ROOT}/{kept.id}/execute" == service.requests[-1].path


@pytest.mark.parametrize(
    "following", ["https://evil.example.com/?cursor=1", "//evil.example.com/?cursor=1", "/list?page=2", 5, ["x"]]
)
async def test_a_next_that_leads_elsewhere(service, hosted, following):
    """A link to another host, or without a cursor, is an answer that cannot be used."""
    service.next(ROOT, JSONResponse({"data": [], "next": following}))
    with pytest.raises(ResponseIntegrityError, match="next"):
        await hosted(service).users.list()


async def test_a_list_without_an_end(service, hosted):
    """A list that gives the same cursor again is not read for ever."""
    service.next(ROOT, *(JSONResponse({"data": [], "next": "again"}) for _ in range(5)))
    with pytest.raises(ResponseIntegrityError, match="does not end"):
        await hosted(service).users.list()
    assert 2 == len(service.came(ROOT))


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"data": None},
        {"data": ["x"]},
        {"data": [{"id": "../../x"}]},
        {"data": [{"id": 7}]},
        {"data": [{"id": ".."}]},
    ],
    ids=str,
)
async def test_answers_that_are_no_list(service, hosted, body):
    """What is no list of connectors, or has an id that leads out of its path, is refused."""
    service.next(ROOT, JSONResponse(body))
    with pytest.raises(ResponseIntegrityError):
        await hosted(service).tickets.update(1, status="open")
    assert [] == service.came("/execute")


@pytest.mark.parametrize("given", ["", "..", ".", "a/b", "a?b", "a#b", "a%2fb", "a\\b", "a b", "ä", "x" * 200])
def test_ids_that_are_none(given, hosted, service):
    """An id that could leave its place in a path is refused at once."""
    with pytest.raises(ConfigurationError, match="id of the connector"):
        hosted(service, connector_id=given)


async def test_a_new_connector_in_the_old_one_s_place(service, hosted):
    """A connector that is gone is looked up once anew, and the calls go to the one that took its place."""
    old = service.add()
    connector = hosted(service)
    await connector.users.list(limit=1)
    service.kept.remove(old)
    new = service.add()
    await asyncio.gather(*(connector.users.list(limit=1) for _ in range(5)))
    assert 2 == len(service.came(ROOT))
    assert {f"{ROOT}/{new.id}/execute"} == {each.path for each in service.came("/execute")[-5:]}


async def test_a_connector_that_is_gone(service, hosted):
    """If nothing took its place, that is what is said; if one did later, it is found then."""
    old = service.add()
    connector = hosted(service)
    await connector.users.list(limit=1)
    service.kept.remove(old)
    service.add(ZendeskTalkConnector)
    with pytest.raises(ConnectorNotFoundError, match="no zendesk-support connector"):
        await connector.users.list(limit=1)
    service.add()
    assert 1 == len(await connector.users.list(limit=1))


async def test_a_named_connector_that_is_gone(service, hosted):
    """One that was named by its id is not looked up."""
    connector = hosted(service, connector_id=str(uuid.uuid4()))
    with pytest.raises(ConnectorNotFoundError):
        await connector.users.list()
    assert [] == service.came(ROOT)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, {"x-connector-type": "zendesk-support"}),
        (
            {"workspace_name": "Zoë & Co"},
            {"x-connector-type": "zendesk-support", "x-workspace-name": "Zo%C3%AB%20%26%20Co"},
        ),
    ],
)
async def test_what_a_named_connector_is_meant_to_be(service, hosted, vendor, given, said):
    """With an id it is said of which kind and in which workspace it is meant to be, where the service looks at that."""
    made = service.add(workspace=given.get("workspace_name", "default"))
    connector = hosted(service, connector_id=made.id, **given)
    await connector.check()
    await connector.users.list(limit=1)
    found = [
        {name: each.headers.get(name) for name in ("x-connector-type", "x-workspace-name")} for each in service.requests
    ]
    expected = {} if vendor else said
    assert [{name: expected.get(name) for name in told} for told in found[1:]] == found[1:]
    assert 3 == len(found)


async def test_a_missing_record_is_no_missing_connector(service, hosted):
    """A record that is not there costs no new look-up."""
    service.add()
    with pytest.raises(PlugbayError):
        await hosted(service).tickets.get(10**9)
    assert 1 == len(service.came(ROOT))


async def test_the_organization(service, hosted, monkeypatch):
    """The organization is named with every request but the token's, and another's connectors are not reached."""
    service.add()
    await hosted(service, organization_id=service.organization_id).users.list(limit=1)
    monkeypatch.setenv("AIRBYTE_ORGANIZATION_ID", str(uuid.uuid4()))
    with pytest.raises(PlugbayError, match="member"):
        await hosted(service).users.list(limit=1)
    named = [each.headers.get("x-organization-id") for each in service.requests]
    assert [None, service.organization_id, service.organization_id] == named[:3]
