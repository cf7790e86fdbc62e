"""What programs read before they call: the kinds of connectors, their documentation, and a connector's state."""

from __future__ import annotations

import pytest

from plugbay.connectors.zendesk_support import ZendeskSupportConnector

from .conftest import CONNECTORS

SOURCES = "/api/v1/integrations/definitions/sources"
DOCS = "/api/v1/skills/docs"


async def test_the_kinds_are_those_of_the_vendors_api(api):
    """Both kinds are there with the ids and names that the vendor's API has for them."""
    found = (await api.ok("GET", SOURCES))["definitions"]
    expected = [
        ("79c1aa37-dae3-42ae-b333-d1c105477715", "Zendesk-Support"),
        ("c8630570-086d-4a40-99ae-ea5b18673071", "Zendesk-Talk"),
    ]
    assert expected == [(each["sourceDefinitionId"], each["name"]) for each in found]
    talk = await api.ok("GET", SOURCES, params={"name": "TALK"})
    assert ["Zendesk-Talk"] == [each["name"] for each in talk["definitions"]]
    assert found[0] == await api.ok("GET", f"{SOURCES}/{expected[0][0]}")
    await api.refused(404, "GET", f"{SOURCES}/none")


@pytest.mark.parametrize("name", ["zendesk-support", "Zendesk-Support", "79c1aa37-dae3-42ae-b333-d1c105477715"])
async def test_the_documentation_has_an_outline_and_an_overview(api, name):
    """Without a section it is the overview, whose outline names every entity."""
    docs = await api.ok("GET", DOCS, params={"id": name})
    assert ("overview", "zendesk-support") == (docs["section_id"], docs["metadata"]["id"])
    assert ["overview", *ZendeskSupportConnector.operations] == [each["id"] for each in docs["outline"]]


async def test_a_section_documents_each_action_of_its_entity(api):
    """The section of an entity has each of its actions with its parameters."""
    docs = await api.ok("GET", DOCS, params={"id": "zendesk-support", "section": "tickets"})
    texts = [each["text"] for each in docs["content"] if each["type"] == "code"]
    assert [
        ZendeskSupportConnector.describe("tickets", name) for name in ZendeskSupportConnector.operations["tickets"]
    ] == texts


@pytest.mark.parametrize("query", [{"id": "salesforce"}, {"id": "zendesk-support", "section": "nothing"}])
async def test_what_is_not_documented_is_404(api, query):
    """An unknown kind or section is not found."""
    await api.refused(404, "GET", DOCS, params=query)


async def test_an_inspection_tells_what_a_connector_is(api, connector_id):
    """It has the connector's kind and place, where its documentation is, and no context store that is not there."""
    told = await api.ok("GET", f"{CONNECTORS}/{connector_id}/inspect")
    assert (connector_id, "Zendesk-Support", "zendesk-support", []) == tuple(
        told[name] for name in ("connector_id", "source_definition_name", "docs_skill_id", "warnings")
    )
    readiness = {"supported_context_store_entities": [], "configured_cache_entities": []}
    assert readiness == told["context_store_readiness"]
    assert told["docs_skill_id"] == (await api.ok("GET", DOCS, params={"id": told["docs_skill_id"]}))["metadata"]["id"]


async def test_an_inspection_warns_of_the_end_of_api_tokens(api):
    """A connector with an API token is told of by the day on which Zendesk ends them."""
    sandbox = api.running.sandbox
    connector_id = await api.create(credentials={"email": sandbox.email, "api_token": sandbox.api_token})
    told = await api.ok("GET", f"{CONNECTORS}/{connector_id}/inspect")
    assert ["Zendesk ends API tokens on 2027-04-30: authorize the connector with OAuth."] == told["warnings"]
